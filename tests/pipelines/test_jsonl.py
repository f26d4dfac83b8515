from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.sources import READERS, reader_for
from pipelines.sources.jsonl import read
from pipelines.sources.records import Record, SourceError


def write(path: Path, *lines: str | bytes) -> Path:
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    return path


def test_line_becomes_a_record(tmp_path: Path) -> None:
    when = "2020-01-02T05:04:05+02:00"
    line = f'{{"text": "words", "id": 7, "title": "T", "url": "u", "lang": "uk", "published_at": "{when}"}}'
    (record,) = read(write(tmp_path / "a.jsonl", line), source="mine")
    assert record == Record(
        doc_id="mine:7",
        source="mine",
        origin="a.jsonl#line=1",
        title="T",
        url="u",
        lang_declared="uk",
        published_at=datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC),
        text="words",
        n_chars=5,
    )


BAD_LINES = {
    b"{": "invalid_json",
    b"[1]": "invalid_json",
    b'"text"': "invalid_json",
    b"[" * 60_000: "invalid_json",
    b'{"text": "\xff"}': "invalid_utf8",
    b'{"id": 1}': "no_text",
    b'{"text": 5}': "no_text",
    b'{"text": " "}': "no_text",
    b'{"text": "a", "id": {}}': "invalid_id",
    b'{"text": "a", "id": ""}': "invalid_id",
    b'{"text": "\\ud800"}': "invalid_unicode",
    b'{"text": "' + b"x" * 200 + b'"}': "page_too_large",
    b'{"text": "' + b"x" * 200_000 + b'"}': "page_too_large",
}


@pytest.mark.parametrize("line", BAD_LINES, ids=lambda line: str(line[:20]))
def test_bad_line_is_a_failed_record_and_the_next_is_read(tmp_path: Path, line: bytes) -> None:
    bad, good = read(write(tmp_path / "a.jsonl", line, b'{"text": "ok"}'), source="s", max_chars=100)
    assert bad.reject is not None
    assert (bad.reject.kind, bad.reject.reason, bad.text) == ("failed", BAD_LINES[line], "")
    assert (good.text, good.origin) == ("ok", "a.jsonl#line=2")


def test_same_text_without_id_is_told_apart_by_occurrence(tmp_path: Path) -> None:
    records = read(write(tmp_path / "a.jsonl", *['{"text": "same"}'] * 2), source="s")
    digest = hashlib.sha256(b"same").hexdigest()[:16]
    assert [record.doc_id for record in records] == [f"s:{digest}-1", f"s:{digest}-2"]


def test_blank_lines_are_no_records_and_gzip_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'\n{"text": "a", "id": "x"}\n\n{"text": "b", "id": "y"}'))
    assert [(r.doc_id, r.origin[-6:]) for r in read(path, source="s")] == [("s:x", "line=2"), ("s:y", "line=4")]


def test_truncated_gzip_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n' * 50)[:-9])
    with pytest.raises(SourceError, match="truncated"):
        list(read(path, source="s"))


def test_file_without_lines_and_missing_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no line"):
        list(read(write(tmp_path / "a.jsonl", "\n\n"), source="s"))
    with pytest.raises(SourceError, match="name no source"):
        list(read(write(tmp_path / "b.jsonl", '{"text": "a"}')))


def test_limit(tmp_path: Path) -> None:
    assert len(list(read(write(tmp_path / "a.jsonl", *['{"text": "a"}'] * 5), source="s", limit=3))) == 3


def test_reader_is_found_by_name() -> None:
    names = ["d-pages-articles.xml.bz2", "d.xml", "d.bz2", "a.jsonl", "a.JSONL.gz"]
    assert [reader_for(name) for name in names] == ["wikipedia"] * 3 + ["jsonl"] * 2
    assert set(READERS) == {"wikipedia", "jsonl"}


def test_unknown_format_lists_the_known() -> None:
    with pytest.raises(SourceError, match=r"wikipedia: \.xml.*jsonl: \.jsonl"):
        reader_for("a.docx")
