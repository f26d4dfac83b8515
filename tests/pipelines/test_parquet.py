from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.sources.parquet import read
from pipelines.sources.records import Record, SourceError


def write(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_row_becomes_a_record(tmp_path: Path) -> None:
    when = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    columns = {"id": [7], "text": ["words"], "url": ["u"], "published_at": [when], "tags": [["x", "y"]]}
    (record,) = read(write(tmp_path / "a.parquet", columns), source="s")
    assert record == Record(
        doc_id="s:7",
        source="s",
        origin="a.parquet#row=1",
        url="u",
        published_at=when,
        text="words",
        n_chars=5,
        meta='{"tags":["x","y"]}',
    )


def test_batches_and_row_groups_are_numbered_through(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"text": [f"t{i}" for i in range(3000)]}, row_group_size=700)
    heard: list[tuple[int, int]] = []
    records = list(read(path, source="s", progress=lambda done, total: heard.append((done, total))))
    assert [record.text for record in records] == [f"t{i}" for i in range(3000)]
    assert records[-1].origin == "a.parquet#row=3000"
    assert heard == sorted(heard)
    assert heard[-1] == (path.stat().st_size,) * 2


def test_nulls_and_ids_of_any_type(tmp_path: Path) -> None:
    columns = {"id": pa.array([1.0, None, 1.5]), "text": ["a", None, "c"]}
    records = list(read(write(tmp_path / "a.parquet", columns), source="s"))
    assert [(record.doc_id, record.reject and record.reject.reason) for record in records] == [
        ("s:1", None),
        (None, "empty_text"),
        (None, "invalid_id"),
    ]


def test_nested_columns_are_reached_by_a_dot(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"page": [{"body": "a", "n": 1}], "x": [2]})
    (record,) = read(path, source="s", fields={"text": "page.body"})
    assert (record.text, record.meta) == ("a", '{"page":{"n":1},"x":2}')
    (record,) = read(path, source="s", fields={"text": "page.body"}, meta=["page.n"])
    assert (record.text, record.meta) == ("a", '{"page.n":1}')


def test_column_that_does_not_exist(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"page": [{"body": "a"}], "x": [2]})
    with pytest.raises(SourceError, match=r"no column 'page.text'. It has: page, x, page.body"):
        list(read(path, source="s", fields={"text": "page.text"}))


def test_invalid_utf8_costs_its_own_row_alone(tmp_path: Path) -> None:
    raw = pa.array([b"a", b"\xff", b"c"], pa.binary()).view(pa.string())
    records = list(read(write(tmp_path / "a.parquet", {"text": raw}), source="s"))
    assert [record.reject.reason if record.reject else record.text for record in records] == ["a", "invalid_utf8", "c"]
    assert records[1].origin == "a.parquet#row=2"


def test_value_that_python_cannot_hold_costs_its_own_row_alone(tmp_path: Path) -> None:
    when = pa.array([0, 2**62], pa.timestamp("us"))
    records = list(read(write(tmp_path / "a.parquet", {"text": ["a", "b"], "when": when}), source="s"))
    assert [record.reject and record.reject.reason for record in records] == [None, "invalid_value"]


def test_nanoseconds_are_cut(tmp_path: Path) -> None:
    when = pa.array([1577934245000000001], pa.timestamp("ns"))
    (record,) = read(write(tmp_path / "a.parquet", {"text": ["a"], "published_at": when}), source="s")
    assert record.published_at == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_large_and_dictionary_strings_and_binary(tmp_path: Path) -> None:
    for kind in (pa.large_string(), pa.string_view(), pa.binary(), pa.dictionary(pa.int32(), pa.string())):
        column = pa.array(["a", "a"]).cast(kind) if kind != pa.string_view() else pa.array(["a", "a"], kind)
        assert [record.text for record in read(write(tmp_path / "a.parquet", {"text": column}), source="s")] == [
            "a",
            "a",
        ]


def test_damaged_files_are_errors(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"text": ["some words"] * 100})
    good = path.read_bytes()
    for bad in (good[:-20], b"no Parquet", good[:4] + b"\0" * 60 + good[64:]):
        path.write_bytes(bad)
        with pytest.raises(SourceError) as caught:
            list(read(path, source="s"))
        assert caught.value.reason == "corrupt_parquet"


def test_empty_file_and_two_columns_of_one_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"text": pa.array([], pa.string())})
    with pytest.raises(SourceError, match="holds no row"):
        list(read(path, source="s"))
    pq.write_table(pa.Table.from_arrays([pa.array(["a"])] * 2, names=["text", "text"]), path)
    with pytest.raises(SourceError, match="two columns named 'text'") as caught:
        list(read(path, source="s"))
    assert caught.value.reason == "duplicate_column"


def test_folder_with_files_of_other_schemas(tmp_path: Path) -> None:
    write(tmp_path / "1.parquet", {"text": ["a"]})
    write(tmp_path / "2.parquet", {"text": ["b"], "late": [1]})
    records = read(tmp_path, source="s", limit=5)
    assert [(record.text, record.meta) for record in records] == [("a", None), ("b", '{"late":1}')]
