from __future__ import annotations

import bz2
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.sources.records import Record, SourceError
from pipelines.sources.wikipedia import read

HEAD = """<mediawiki version="0.10" xml:lang="en"><siteinfo><dbname>tinywiki</dbname>
<base>https://tiny.example/wiki/Main_Page</base><namespaces><namespace key="0" />
<namespace key="6">File</namespace><namespace key="14">Category</namespace></namespaces></siteinfo>"""


def page(number: int, text: str = "words", *, ns: int = 0, extra: str = "", model: str = "wikitext") -> str:
    return (
        f"<page><title>Page {number}</title><ns>{ns}</ns><id>{number}</id>{extra}<revision><id>9{number}</id>"
        f"<timestamp>2016-01-02T03:04:05Z</timestamp><contributor><id>77</id></contributor>"
        f"<model>{model}</model><text>{text}</text></revision></page>"
    )


def dump(path: Path, pages: Sequence[str]) -> Path:
    path.write_bytes(bz2.compress((HEAD + "".join(pages) + "</mediawiki>").encode()))
    return path


def reason(record: Record) -> str | None:
    return record.reject.reason if record.reject else None


def test_page_becomes_a_record(tmp_path: Path) -> None:
    (record,) = read(dump(tmp_path / "d.xml.bz2", [page(12, "a &lt;b&gt; é")]))
    assert record == Record(
        doc_id="tinywiki:12",
        source="tinywiki",
        origin="d.xml.bz2#page=12",
        title="Page 12",
        url="https://tiny.example/wiki/Page_12",
        lang_declared="en",
        published_at=datetime(2016, 1, 2, 3, 4, 5, tzinfo=UTC),
        text="a <b> é",
        markup="wikitext",
        namespaces={6: "File", 14: "Category"},
        n_chars=7,
    )


def test_every_page_is_one_record_with_its_reason(tmp_path: Path) -> None:
    pages = [
        page(1),
        page(2, ns=14),
        page(3, extra='<redirect title="Page 1" />'),
        page(4, " \n"),
        page(5, "x" * 101),
        page(6, model="json"),
        page(7).replace("<id>7</id>", "<id>seven</id>"),
    ]
    records = list(read(dump(tmp_path / "d.bz2", pages), max_chars=100))
    expected = [None, "other_namespace", "redirect", "no_text", "page_too_large", "not_wikitext", "no_page_id"]
    assert [reason(record) for record in records] == expected
    assert [record.reject.kind for record in records if record.reject and record.reject.kind == "failed"] == [
        "failed"
    ] * 2
    assert [record.text for record in records if record.reject] == [""] * 6
    assert records[4].n_chars == 101


def test_huge_page_is_not_held(tmp_path: Path) -> None:
    records = list(read(dump(tmp_path / "d.bz2", [page(1, "x" * 3_000_000), page(2)]), max_chars=1000))
    assert [(reason(record), record.n_chars) for record in records] == [("page_too_large", 3_000_000), (None, 5)]


def test_last_revision_wins(tmp_path: Path) -> None:
    two = page(1, "old").replace("</page>", "<revision><model>wikitext</model><text>new</text></revision></page>")
    (record,) = read(dump(tmp_path / "d.bz2", [two]))
    assert (record.text, record.n_chars, record.published_at) == ("new", 3, None)


def test_multistream_and_plain_xml_read_alike(tmp_path: Path) -> None:
    parts = [HEAD, page(1), page(2), "</mediawiki>"]
    multi, plain = tmp_path / "m.xml.bz2", tmp_path / "p.xml"
    multi.write_bytes(b"".join(bz2.compress(part.encode()) for part in parts))
    plain.write_text("".join(parts), encoding="utf-8")
    assert [r.doc_id for r in read(multi)] == [r.doc_id for r in read(plain)] == ["tinywiki:1", "tinywiki:2"]


def test_name_of_the_source_serves_where_the_dump_names_no_database(tmp_path: Path) -> None:
    path = tmp_path / "d.xml"
    path.write_text("<mediawiki>" + page(1) + "</mediawiki>", encoding="utf-8")
    assert [record.doc_id for record in read(path, source="mine")] == ["mine:1"]


def test_limit_and_progress(tmp_path: Path) -> None:
    path = dump(tmp_path / "d.bz2", [page(1), page(2), page(3)])
    heard: list[tuple[int, int]] = []
    ids = [r.doc_id for r in read(path, source="other", limit=2)]
    list(read(path, progress=lambda done, total: heard.append((done, total))))
    assert ids == ["tinywiki:1", "tinywiki:2"]
    assert heard[-1] == (path.stat().st_size, path.stat().st_size)


GOOD = (HEAD + page(1) + "</mediawiki>").encode()
BOMB = b'<!DOCTYPE m [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + GOOD.replace(b"words", b"&b;")
BAD_FILES = {
    "truncated_bz2": bz2.compress(GOOD)[:-20],
    "corrupt_bz2": bz2.compress(GOOD)[:60] + b"\0" * 40 + bz2.compress(GOOD)[100:],
    "not_xml": b"PK\x03\x04 a zip file",
    "invalid_utf8": GOOD.replace(b"words", b"w\xff\xfes"),
    "not_mediawiki": b"<rss><channel/></rss>",
    "truncated_xml": GOOD[:-30],
    "malformed_xml": GOOD.replace(b"</ns>", b"</nt>"),
    "doctype": BOMB,
    "empty_file": b"",
    "empty_dump": (HEAD + "</mediawiki>").encode(),
    "no_source_name": GOOD.replace(b"tinywiki", b""),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file_is_one_clear_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bad.xml.bz2"
    path.write_bytes(BAD_FILES[name])
    with pytest.raises(SourceError) as error:
        list(read(path))
    assert error.value.reason == name
    assert str(path) in str(error.value)


def test_missing_path_and_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        list(read(tmp_path / "none.bz2"))
    with pytest.raises(SourceError, match="not a file"):
        list(read(tmp_path))


def test_bz2_of_nothing_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "d.bz2"
    path.write_bytes(bz2.compress(b""))
    with pytest.raises(SourceError, match="holds no XML"):
        list(read(path))
