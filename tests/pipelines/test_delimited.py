from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import ConfigError
from pipelines.sources import delimited
from pipelines.sources.delimited import read
from pipelines.sources.records import Record, Reject, SourceError


def records(tmp_path: Path, content: str | bytes, name: str = "a.csv", **options: Any) -> list[Record]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read(path, source="s", **options))


def reasons(found: list[Record]) -> list[str]:
    return [record.reject.reason if record.reject else record.text for record in found]


def test_row_becomes_a_record(tmp_path: Path) -> None:
    (record,) = records(tmp_path, "id,text,title,lang,score\n07,words,T,uk,5\n")
    expected = Record(
        doc_id="s:07",
        source="s",
        origin="a.csv#line=2",
        title="T",
        lang_declared="uk",
        text="words",
        n_chars=5,
        meta='{"score":"5"}',
    )
    assert record == expected


def test_quotes_commas_and_line_breaks_inside_cells(tmp_path: Path) -> None:
    found = records(tmp_path, 'id,text\r\n1,"a, ""b""\r\nc"\r\n\r\n2,d\r\n')
    assert [(record.text, record.origin) for record in found] == [
        ('a, "b"\r\nc', "a.csv#line=2"),
        ("d", "a.csv#line=5"),
    ]


@pytest.mark.parametrize(("name", "header"), [("a.csv", "id;text"), ("a.tsv", "id\ttext"), ("a.csv", "id|text")])
def test_delimiter_is_told_by_the_header(tmp_path: Path, name: str, header: str) -> None:
    (record,) = records(tmp_path, f"{header}\n{header.replace('id', '1').replace('text', 'a, b')}\n", name)
    assert (record.doc_id, record.text) == ("s:1", "a, b")


def test_delimiter_can_be_given(tmp_path: Path) -> None:
    (record,) = records(tmp_path, "text^a;b;c\nwords^1\n", delimiter="^")
    assert (record.text, record.meta) == ("words", '{"a;b;c":"1"}')


def test_quotes_may_have_no_meaning(tmp_path: Path) -> None:
    found = records(tmp_path, 'id\ttext\n1\t"open\n2\ta\n', "a.tsv", quoting="none")
    assert [record.text for record in found] == ['"open', "a"]


def test_empty_cells_hold_nothing(tmp_path: Path) -> None:
    found = records(tmp_path, "id,text,x\n,a,\n2,,y\n")
    assert reasons(found) == ["a", "empty_text"]
    assert (found[0].meta, found[1].doc_id) == (None, "s:2")


def test_old_line_breaks(tmp_path: Path) -> None:
    assert reasons(records(tmp_path, "id,text\r1,a\r2,b")) == ["a", "b"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    content = "text,id\nїжак,1\n".encode(encoding)
    found = records(tmp_path, content, encoding="utf-16-le" if encoding == "utf-16-le" else None)
    assert [(record.text, record.doc_id) for record in found] == [("їжак", "s:1")]


def test_invalid_bytes_cost_their_own_row_alone(tmp_path: Path) -> None:
    found = records(tmp_path, b"id,text\n1,a\n2,\xff\n3,c\n")
    assert reasons(found) == ["a", "invalid_utf8", "c"]
    assert found[1].reject == Reject("extract", "failed", "invalid_utf8", "column `text`")
    assert found[1].origin == "a.csv#line=3"


def test_row_of_the_wrong_length(tmp_path: Path) -> None:
    found = records(tmp_path, "id,text\n1,a,x\n2\n3,c\n")
    assert reasons(found) == ["wrong_number_of_cells", "wrong_number_of_cells", "c"]
    assert found[0].reject is not None
    assert found[0].reject.detail == "3 cells under a header of 2"


def test_stray_quote_costs_its_own_row_alone(tmp_path: Path) -> None:
    found = records(tmp_path, 'id,text\n1,"a"b"\n2,b\n3,"never closed\n4,d\n5,e\n')
    assert reasons(found) == ["invalid_csv", "b", "invalid_csv", "d", "e"]
    assert [record.origin[-6:] for record in found] == [f"line={n}" for n in range(2, 7)]


def test_quotes_that_swallow_rows_give_them_back(tmp_path: Path) -> None:
    found = records(tmp_path, 'id,text\n1,"open\n2,b\n3,"c"\n4,d\n')
    assert reasons(found) == ["invalid_csv", "b", "c", "d"]


def test_rereading_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_REREAD", 100)
    found = records(tmp_path, "id,text\n" + 'x",",y\n' * 300)
    assert len(found) < 20
    assert {record.reject.reason for record in found if record.reject} <= {"invalid_csv", "wrong_number_of_cells"}


def test_text_too_long_is_rejected_held_or_not(tmp_path: Path) -> None:
    big = "x" * 200_000
    found = records(tmp_path, f'id,text\n1,{"x" * 200}\n2,{big}\n3,"{big}\n{big}"\n4,d\n', max_chars=100)
    assert reasons(found) == ["page_too_large", "page_too_large", "page_too_large", "d"]
    assert found[-1].origin == "a.csv#line=6"
    assert found[0].doc_id == "s:1"


@pytest.mark.parametrize("quotes", ["standard", "none"])
def test_rest_of_a_row_too_long_is_passed_over(tmp_path: Path, quotes: str) -> None:
    """A quote in it encloses the lines after it, but where quotes mean nothing."""
    big = "x" * 200_000
    row = f'1,"{big}\n{big}"' if quotes == "standard" else f'1,{big}"{big}'
    assert reasons(records(tmp_path, f"id,text\n{row}\n4,d\n", max_chars=100, quoting=quotes)) == [
        "page_too_large",
        "d",
    ]


def test_quote_that_is_never_closed_in_a_long_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="in the row at line 2 is never closed") as caught:
        records(tmp_path, 'id,text\n1,"open\n' + "2,b\n" * 50_000, max_chars=100)
    assert caught.value.reason == "unclosed_quote"


def test_cell_longer_than_the_limit_of_the_csv_module(tmp_path: Path) -> None:
    (record,) = records(tmp_path, "text\n" + "x" * 300_000)
    assert record.n_chars == 300_000


BAD_HEADERS = {
    b"\n\n": "no_header",
    b'"a"b,c\n1,2\n': "no_header",
    b"te\xffxt\na\n": "no_header",
    b"text,text\na,b\n": "duplicate_column",
    b"words,id\na,b\n": "no_column",
    b"text\n": "empty_dump",
}


@pytest.mark.parametrize("content", BAD_HEADERS, ids=str)
def test_header_that_cannot_be_used(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        records(tmp_path, content)
    assert caught.value.reason == BAD_HEADERS[content]


def test_column_without_a_name_gets_its_number(tmp_path: Path) -> None:
    (record,) = records(tmp_path, ",text\n0,a\n")
    assert record.meta == '{"column_1":"0"}'


def test_mapping_and_limit_and_gzip(tmp_path: Path) -> None:
    content = gzip.compress(b"key,words\n1,a\n2,b\n3,c\n")
    found = records(tmp_path, content, "a.csv.gz", fields={"id": "key", "text": "words"}, limit=2)
    assert [(record.doc_id, record.text) for record in found] == [("s:1", "a"), ("s:2", "b")]


@pytest.mark.parametrize(
    "options", [{"delimiter": ",,"}, {"delimiter": '"'}, {"quoting": "all"}, {"encoding": "rot13"}]
)
def test_bad_options(tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=f"^{next(iter(options))}: "):
        records(tmp_path, "text\na\n", **options)


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=50)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5), st.sampled_from(",;\t|"))
def test_what_a_csv_writer_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: Any, delimiter: str
) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([("text", "x"), *rows])
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(out.getvalue().encode())
    found = list(read(path, source="s"))
    assert [record.text for record in found] == [text if text.strip() else "" for text, _ in rows]


@settings(max_examples=100)
@given(st.lists(st.sampled_from(['"', ",", "\n", "\r\n", "a", '""', "\xff"]), max_size=40))
def test_any_bytes_end_in_records_with_lines_in_order(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(b"text,x\nfirst,1\n" + "".join(parts).encode("latin-1"))
    lines = [int(record.origin.partition("=")[2]) for record in read(path, source="s")]
    assert lines == sorted(set(lines))
