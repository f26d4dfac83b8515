from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import ConfigError
from pipelines.sources.plain import read
from pipelines.sources.records import Record, SourceError


def file(tmp_path: Path, content: str | bytes, name: str = "a.txt") -> Path:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def reasons(found: Any) -> list[str]:
    return [record.reject.reason if record.reject else record.text for record in found]


def test_file_is_one_document(tmp_path: Path) -> None:
    (record,) = read(file(tmp_path, "one\n\ntwo\n"), source="s")
    assert record == Record(doc_id="s:a.txt", source="s", origin="a.txt", text="one\n\ntwo\n", n_chars=9)


def test_folder_is_named_by_relative_paths_and_sorted(tmp_path: Path) -> None:
    for name in ("b.txt", "sub/a.txt", "49960", ".hidden"):
        file(tmp_path, name, name)
    file(tmp_path, gzip.compress(b"packed"), "c.txt.gz")
    records = list(read(tmp_path, source="s"))
    assert [record.doc_id for record in records] == ["s:49960", "s:b.txt", "s:c.txt.gz", "s:sub/a.txt"]
    assert [record.text for record in records] == ["49960", "b.txt", "packed", "sub/a.txt"]


def test_what_is_no_text_in_a_folder_is_left_out_with_its_reason(tmp_path: Path) -> None:
    file(tmp_path, "fine", "a.txt")
    file(tmp_path, b"GIF\0", "b.data")
    file(tmp_path, "", "c.txt")
    file(tmp_path, "<p>", "d.html")
    file(tmp_path, b"\xff", "e.txt")
    file(tmp_path, gzip.compress(b"x" * 99)[:-4], "f.txt.gz")
    (tmp_path / "g.txt").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "h.txt")
    records = list(read(tmp_path, source="s"))
    assert [(r.reject.kind, r.reject.reason) if r.reject else r.text for r in records] == [
        "fine",
        ("filtered", "not_text"),
        ("filtered", "empty_text"),
        ("filtered", "other_format"),
        ("failed", "invalid_utf8"),
        ("failed", "truncated_gzip"),
        ("failed", "missing"),
        ("failed", "not_a_file"),
    ]
    assert not any(str(tmp_path) in ((r.reject and r.reject.detail) or "") for r in records)


def test_single_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        list(read(tmp_path / "gone.txt", source="s"))
    with pytest.raises(SourceError, match="is empty"):
        list(read(file(tmp_path, ""), source="s"))


def test_lines_are_documents_by_hash_and_occurrence(tmp_path: Path) -> None:
    path = file(tmp_path, b"one\r\n\n \ntwo\n\xff\none\n")
    records = list(read(path, source="s", split="line"))
    one = hashlib.sha256(b"one").hexdigest()[:16]
    assert reasons(records) == ["one", "two", "invalid_utf8", "one"]
    assert records[0].doc_id == f"s:{one}-1"
    assert [record.origin for record in records] == [f"a.txt#line={number}" for number in (1, 4, 5, 6)]
    assert (records[2].doc_id, records[3].doc_id) == (None, f"s:{one}-2")


def test_paragraphs_are_what_blank_lines_part(tmp_path: Path) -> None:
    path = file(tmp_path, "\n\na\nb\n \n\nc\n\nc")
    records = list(read(path, source="s", split="paragraph"))
    assert [(record.text, record.origin) for record in records] == [
        ("a\nb", "a.txt#line=3"),
        ("c", "a.txt#line=7"),
        ("c", "a.txt#line=9"),
    ]
    assert [record.doc_id and record.doc_id[-2:] for record in records] == ["-1", "-1", "-2"]


def test_too_long_is_rejected_held_or_not(tmp_path: Path) -> None:
    path = file(
        tmp_path, "x" * 11 + "\n" + "y" * 50 + "\nz\n\n" + "x" * 9 + "\n" + "x" * 9 + "\n\n" + "w\n" * 30 + "\nend"
    )
    assert reasons(read(path, source="s", max_chars=10)) == ["page_too_large"]
    assert reasons(read(path, source="s", max_chars=10, split="line"))[:4] == ["page_too_large"] * 2 + ["z", "x" * 9]
    assert reasons(read(path, source="s", max_chars=10, split="paragraph")) == ["page_too_large"] * 3 + ["end"]


@pytest.mark.parametrize("split", ["file", "paragraph", "line"])
def test_text_of_the_largest_size_is_kept_and_one_character_more_is_not(tmp_path: Path, split: Any) -> None:
    for letter in "xї":
        assert reasons(read(file(tmp_path, letter * 10), source="s", max_chars=10, split=split)) == [letter * 10]
        assert reasons(read(file(tmp_path, letter * 11), source="s", max_chars=10, split=split)) == ["page_too_large"]


def test_limit_of_nothing_is_no_empty_file_and_blank_text_is_named(tmp_path: Path) -> None:
    assert list(read(file(tmp_path, "\n\n"), source="s", split="line", limit=0)) == []
    assert reasons(read(file(tmp_path, " \n "), source="s")) == ["empty_text"]


def test_name_of_another_format_tells_in_a_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>words")
    assert reasons(read(tmp_path, source="s")) == ["other_format"]
    assert reasons(read(tmp_path / "a.html", source="s")) == ["<p>words"]


def test_encodings(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        assert reasons(read(file(tmp_path, "їжак\nb".encode(encoding)), source="s", split="line")) == ["їжак", "b"]
    path = file(tmp_path, "café".encode("latin-1"))
    assert reasons(read(path, source="s")) == ["invalid_utf8"]
    assert reasons(read(path, source="s", encoding="latin-1")) == ["café"]


def test_limit_options_and_a_name(tmp_path: Path) -> None:
    path = file(tmp_path, "a\nb\nc")
    assert reasons(read(path, source="s", split="line", limit=2)) == ["a", "b"]
    with pytest.raises(ConfigError, match="split: 'word' is none of file, paragraph, line"):
        list(read(path, source="s", split="word"))  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="names no source"):
        list(read(path))
    with pytest.raises(SourceError, match="holds no line"):
        list(read(file(tmp_path, "\n\n"), source="s", split="line"))


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["a", "b c", "", " ", "ї"]), min_size=1, max_size=12))
def test_no_line_that_is_not_blank_is_lost(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    path = tmp_path_factory.mktemp("text") / "a.txt"
    path.write_text("\n".join([*parts, "end"]), "utf-8")
    wanted = [part for part in [*parts, "end"] if part.strip()]
    assert reasons(read(path, source="s", split="line")) == wanted
    assert "\n".join(reasons(read(path, source="s", split="paragraph"))).split("\n") == wanted


def test_source_without_a_name_or_without_text_says_so(tmp_path: Path) -> None:
    path = file(tmp_path, "\n \n")
    for source, reason in ((None, "no_source_name"), ("s", "empty_dump")):
        with pytest.raises(SourceError) as told:
            list(read(path, source=source, split="line"))
        assert told.value.reason == reason
    assert len(list(read(file(tmp_path, "one\n", "b.txt"), source="s", split="line"))) == 1
