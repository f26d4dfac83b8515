from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pipelines.sources.records import Reject, SourceError
from pipelines.sources.web import decoded, read

PAGE = "<html><head><title>Їжак</title></head><body><p>Їжак спить.</p></body></html>"


def test_folder_of_pages(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.html").write_text(PAGE, "utf-8")
    (tmp_path / "a.htm.gz").write_bytes(gzip.compress(PAGE.encode()))
    (tmp_path / "index.php?id=3").write_text(f"\n<!DOCTYPE html>{PAGE}", "utf-8")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG")
    (tmp_path / "empty.html").touch()
    records = list(read(tmp_path, source="s"))
    assert [(r.doc_id, r.markup, r.reject.reason if r.reject else r.n_chars) for r in records] == [
        ("s:a.htm.gz", "html", len(PAGE)),
        ("s:empty.html", "html", "empty_text"),
        ("s:index.php?id=3", "html", len(PAGE) + 16),
        ("s:logo.png", "html", "other_format"),
        ("s:sub/b.html", "html", len(PAGE)),
    ]
    assert records[-1].text == PAGE
    assert len(list(read(tmp_path, source="s", limit=2))) == 2


def test_name_or_first_bytes_tell_a_page_in_a_folder_and_a_page_alone_needs_neither(tmp_path: Path) -> None:
    (tmp_path / "fragment.html").write_text("<p>words")
    (tmp_path / "fragment.txt").write_text("<p>words")
    found = {r.doc_id: r.reject.reason if r.reject else r.text for r in read(tmp_path, source="s")}
    assert found == {"s:fragment.html": "<p>words", "s:fragment.txt": "other_format"}
    (alone,) = read(tmp_path / "fragment.txt", source="s")
    assert (alone.reject, alone.text) == (None, "<p>words")


def declared(label: str, text: str, encoding: str) -> bytes:
    return f'<html><head><meta charset="{label}"></head><p>{text}'.encode(encoding)


ENCODINGS = [
    ("utf-8", "їжак", "utf-8"),
    ("iso-8859-1", "їжак", "utf-8"),
    ("iso-8859-1", "“café”", "windows-1252"),
    ("windows-1251", "їжак", "windows-1251"),
    ("koi8-u", "їжак", "koi8-u"),
    ("gb2312", "刺猬", "gb18030"),
    ("shift_jis", "針鼠①", "cp932"),
    ("euc-kr", "고슴도치", "cp949"),
    ("iso-2022-jp", "針鼠", "iso-2022-jp"),
    ("nonsense", "hedgehog", "ascii"),
    ("utf-16", "їжак", "utf-8"),
    ("utf-8", "їжак", "utf-16"),
    ("koi8-u", "їжак", "utf-8-sig"),
]


@pytest.mark.parametrize(("label", "text", "encoding"), ENCODINGS)
def test_encoding_declared_or_found(label: str, text: str, encoding: str) -> None:
    page = decoded(declared(label, text, encoding))
    assert isinstance(page, str)
    assert page.endswith(f"<p>{text}")


def test_encoding_of_an_older_declaration() -> None:
    start = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">'
    assert decoded(f"{start}їжак".encode("cp1251")) == f"{start}їжак"
    assert decoded("<?xml version='1.0' encoding='windows-1251'?>їжак".encode("cp1251")) == (
        "<?xml version='1.0' encoding='windows-1251'?>їжак"
    )


@pytest.mark.parametrize("label", ["utf-8", "unicode_escape", "utf-7", "nonsense"])
def test_bytes_of_no_declared_encoding_are_never_replaced(label: str) -> None:
    reject = decoded(declared(label, "\xff\\u0041", "latin-1"))
    assert isinstance(reject, Reject)
    assert (reject.kind, reject.reason) == ("failed", "invalid_encoding")


def test_binary_is_no_page() -> None:
    assert decoded(b"<html>\0") == Reject("extract", "filtered", "not_html", "it holds NUL characters")


def test_too_large_pages_and_what_is_no_page(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(PAGE, "utf-8")
    for most in (5, len(PAGE) - 1):
        (record,) = read(path, source="s", max_chars=most)
        assert record.reject is not None
        assert (record.reject.reason, record.text) == ("page_too_large", "")
    (record,) = read(path, source="s", max_chars=len(PAGE))
    assert (record.reject, record.text) == (None, PAGE)
    with pytest.raises(SourceError, match="names no source") as caught:
        list(read(path))
    assert caught.value.reason == "no_source_name"
    with pytest.raises(SourceError, match="no such file"):
        list(read(tmp_path / "b.html", source="s"))
