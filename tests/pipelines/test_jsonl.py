from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.sources.jsonl import read
from pipelines.sources.records import Record, SourceError, failed, filtered


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
    b'{"text": 5}': "text_not_a_string",
    b'{"text": ["a"]}': "text_not_a_string",
    b'{"text": "a", "id": {}}': "invalid_id",
    b'{"text": "a", "id": true}': "invalid_id",
    b'{"text": "a", "id": 1.5}': "invalid_id",
    b'{"text": "a", "id": "' + b"7" * 2000 + b'"}': "invalid_id",
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
    with pytest.raises(SourceError, match="holds no row"):
        list(read(write(tmp_path / "a.jsonl", "\n\n"), source="s"))
    with pytest.raises(SourceError, match="name no source"):
        list(read(write(tmp_path / "b.jsonl", '{"text": "a"}')))


@pytest.mark.parametrize("line", ['{"text": ""}', '{"text": " \\n"}', '{"text": null}'])
def test_blank_text_is_left_out_on_purpose(tmp_path: Path, line: str) -> None:
    (record,) = read(write(tmp_path / "a.jsonl", line), source="s")
    assert record.reject == filtered("empty_text", "`text`")


def test_blank_or_null_id_is_no_id(tmp_path: Path) -> None:
    lines = ['{"text": "a", "id": ""}', '{"text": "b", "id": null}', '{"text": "c", "id": NaN}']
    records = read(write(tmp_path / "a.jsonl", *lines), source="s")
    assert [record.doc_id for record in records] == [
        f"s:{hashlib.sha256(t).hexdigest()[:16]}-1" for t in (b"a", b"b", b"c")
    ]


def test_text_that_cannot_be_had_tells_what_there_is(tmp_path: Path) -> None:
    (record,) = read(write(tmp_path / "a.jsonl", '{"txt": "a", "id": 3}'), source="s")
    assert record.doc_id == "s:3"
    assert record.reject == failed("no_text", "there is no `text` or `content` or `body`; there is txt, id")


def test_keys_may_differ_from_line_to_line(tmp_path: Path) -> None:
    lines = ['{"text": "a"}', '{"content": "b", "score": 1}', '{"text": null, "body": "c", "url": "u"}']
    records = list(read(write(tmp_path / "a.jsonl", *lines), source="s"))
    assert [(record.text, record.url, record.meta) for record in records] == [
        ("a", None, None),
        ("b", None, '{"score":1}'),
        ("c", "u", None),
    ]


def test_mapping_wins_over_names_that_are_known(tmp_path: Path) -> None:
    line = '{"text": "no", "page": {"body": "yes", "n": 1}, "key": 9, "id": 1, "when": 1577934245}'
    fields = {"text": "page.body", "id": "key", "published_at": "when"}
    (record,) = read(write(tmp_path / "a.jsonl", line), source="s", fields=fields)
    assert (record.doc_id, record.text) == ("s:9", "yes")
    assert record.published_at == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert record.meta == '{"id":1,"page":{"n":1},"text":"no"}'


def test_column_that_is_in_no_line_is_an_error_at_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "a", "key": 1}', '{"text": "b", "kee": 2}', "{")
    assert len(list(read(path, source="s", fields={"id": "kee"}))) == 3
    with pytest.raises(SourceError, match=r"no column 'id2'. It has: text, key. .*`fields`"):
        list(read(path, source="s", fields={"id": "id2"}))
    assert len(list(read(path, source="s", fields={"id": "id2"}, limit=2))) == 2


def test_utf16_and_utf8_marks_are_understood(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        path = tmp_path / f"{encoding}.jsonl"
        path.write_bytes('{"text": "їжак"}\n{"text": "b"}\n'.encode(encoding))
        assert [record.text for record in read(path, source="s")] == ["їжак", "b"]


def test_joined_files_may_have_marks_in_the_middle(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *['\ufeff{"text": "a"}'] * 2)
    assert [record.text for record in read(path, source="s")] == ["a", "a"]


def test_folder_of_files_is_one_source(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub" / "b.jsonl", '{"text": "same"}')
    write(tmp_path / "a.jsonl", '{"text": "same"}')
    write(tmp_path / "notes.pdf", "x")
    write(tmp_path / "_SUCCESS", "")
    records = list(read(tmp_path, source="s"))
    assert [(record.origin, record.doc_id and record.doc_id[-1]) for record in records] == [
        ("a.jsonl#line=1", "1"),
        ("notes.pdf", None),
        ("sub/b.jsonl#line=1", "2"),
    ]
    assert records[1].reject is not None
    assert (records[1].reject.kind, records[1].reject.reason) == ("filtered", "other_format")


def test_limit(tmp_path: Path) -> None:
    assert len(list(read(write(tmp_path / "a.jsonl", *['{"text": "a"}'] * 5), source="s", limit=3))) == 3
