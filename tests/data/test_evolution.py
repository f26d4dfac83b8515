"""What a changed contract asks of its version, and that readers of the old one keep working."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data import reading
from data.contracts import CONTRACTS, Check, Column, Contract
from data.contracts.base import between, matches, not_null, one_of, row_count, unique
from data.contracts.evolution import changes, fields, leaves, refuse_breaking
from data.errors import ContractError
from data.lake import Lake
from data.release import open_release
from data.versions import Build

INNER = pa.struct([pa.field("a", pa.int8(), nullable=False), pa.field("b", pa.float32())])
WIDER = pa.struct([*INNER, pa.field("c", pa.string())])
COLUMNS = (
    Column("doc_id", pa.string(), "id"),
    Column("n", pa.int32(), "n"),
    Column("note", pa.string(), "note", nullable=True),
    Column("items", pa.list_(INNER), "items"),
)
OLD = Contract(
    name="things",
    version=(1, 0),
    about="Things.",
    row="thing",
    columns=COLUMNS,
    checks=(Check("small", "n < 9"),),
    expectations=(between("n", 0, 9), one_of("note", ("x", "y")), matches("doc_id", "^t:"), row_count(1), unique("n")),
)
NEW = Column("extra", pa.string(), "extra", nullable=True)


def columns(*changed: Column) -> Contract:
    """The contract with columns of the same names changed, others added."""
    by_name = {column.name: column for column in (*COLUMNS, *changed)}
    return replace(OLD, columns=tuple(by_name.values()))


def expecting(*expectations: Any) -> Contract:
    by_name = {one.name: one for one in (*OLD.expectations, *expectations)}
    return replace(OLD, expectations=tuple(by_name.values()))


BREAKING = {
    "column n is gone": replace(OLD, columns=tuple(c for c in COLUMNS if c.name != "n")),
    "column n is int64 and was int32": columns(Column("n", pa.int64(), "n")),
    "column note may no longer be null": columns(replace(COLUMNS[2], nullable=False)),
    "column n may now be null": columns(replace(COLUMNS[1], nullable=True)),
    "column extra is new and not nullable": columns(replace(NEW, nullable=False)),
    r"column items\[\].b is gone": columns(Column("items", pa.list_(pa.struct([INNER[0]])), "items")),
    r"column items\[\].a is int32": columns(
        Column("items", pa.list_(pa.struct([pa.field("a", pa.int32(), nullable=False), INNER[1]])), "items")
    ),
    r"between of n is \[1, 9\] and was \[0, 9\]": expecting(between("n", 1, 9)),
    r"between of n is \[0, 8\] and was \[0, 9\]": expecting(between("n", 0, 8)),
    "set of note no longer allows x": expecting(one_of("note", ("y", "z"))),
    "regex of doc_id is changed": expecting(matches("doc_id", "^u:")),
    "not_be_null of note is new": expecting(not_null("note")),
    "check small is changed": replace(OLD, checks=(Check("small", "n < 8"),)),
    "check large is new": replace(OLD, checks=(*OLD.checks, Check("large", "n > 1"))),
    "the key is n and was doc_id": replace(OLD, key=("n",)),
}
FINE = {
    "a nullable column": columns(NEW),
    "a nullable struct": columns(Column("one", INNER, "one", nullable=True)),
    "a nullable field": columns(Column("items", pa.list_(WIDER), "items")),
    "a condition on a new column": replace(columns(NEW), expectations=(*OLD.expectations, matches("extra", "^a"))),
    "a check of a new column": replace(columns(NEW), checks=(*OLD.checks, Check("said", "extra <> 'a'"))),
    "a wider range": expecting(between("n", -1)),
    "more values": expecting(one_of("note", ("x", "y", "z"))),
    "more rows": expecting(row_count(5)),
    "no conditions": replace(OLD, expectations=(), checks=()),
    "other words": replace(OLD, about="Other things."),
    "nothing": OLD,
}


@pytest.mark.parametrize("message", BREAKING)
def test_what_breaks_readers_needs_a_major_version(message: str) -> None:
    with pytest.raises(ContractError, match=f"contract things 1.0: .*{message}.*raise its version to \\(2, 0\\)"):
        refuse_breaking(OLD.describe(), BREAKING[message].describe())
    refuse_breaking(OLD.describe(), replace(BREAKING[message], version=(2, 0)).describe())


@pytest.mark.parametrize("name", FINE)
def test_what_readers_do_not_notice_needs_none(name: str) -> None:
    refuse_breaking(OLD.describe(), FINE[name].describe())
    assert not [change for change in changes(OLD.describe(), FINE[name].describe()) if change.breaking]


def test_a_minor_version_is_not_enough_for_what_breaks() -> None:
    with pytest.raises(ContractError, match="raise its version"):
        refuse_breaking(
            OLD.describe(), replace(columns(replace(COLUMNS[2], nullable=False)), version=(1, 7)).describe()
        )


def test_nothing_changed_is_no_change() -> None:
    assert changes(OLD.describe(), json.loads(json.dumps(OLD.describe()))) == []


def test_several_changes_are_counted() -> None:
    with pytest.raises(ContractError, match=r"is gone \(and 2 more\)"):
        refuse_breaking(OLD.describe(), replace(OLD, columns=COLUMNS[:1], checks=()).describe())


def test_a_manifest_from_before_keys_were_recorded_is_compared() -> None:
    described = {name: value for name, value in OLD.describe().items() if name != "key"}
    assert changes(described, OLD.describe()) == []


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_every_nested_field_is_known_by_its_path(name: str) -> None:
    schema = CONTRACTS[name].schema
    found = leaves(CONTRACTS[name].describe()["columns"])
    assert found == {path: flat for field in schema for path, flat in _flat(field.name, field).items()}


def _flat(path: str, field: pa.Field) -> dict[str, tuple[str, bool]]:
    kind = field.type
    if pa.types.is_list(kind):
        return {path: ("list", field.nullable), **_flat(f"{path}[]", kind.value_field)}
    if pa.types.is_struct(kind):
        inner = [_flat(f"{path}.{one.name}", one) for one in kind]
        return {path: ("struct", field.nullable), **{name: flat for one in inner for name, flat in one.items()}}
    return {path: (str(kind), field.nullable)}


def test_fields_with_commas_in_their_types() -> None:
    kind = pa.struct([pa.field("t", pa.timestamp("us", tz="UTC")), pa.field("s", INNER, nullable=False)])
    assert [name for name, *_ in fields(str(kind))] == ["t", "s"]
    assert fields(str(kind))[0] == ("t", "timestamp[us, tz=UTC]", True)
    assert fields(str(kind))[1][2] is False


def stored(folder: Path, contract: Contract, rows: list[dict[str, Any]]) -> str:
    path = folder / f"{contract.version[0]}.{contract.version[1]}-{len(contract.columns)}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=contract.schema), path)
    return str(path)


ROW = {"doc_id": "t:1", "n": 1, "note": None, "items": [{"a": 1, "b": 0.5}]}


def test_old_files_read_under_a_newer_contract_have_nulls_for_what_is_new(tmp_path: Path) -> None:
    newer = replace(columns(NEW, Column("items", pa.list_(WIDER), "items")), version=(1, 1))
    found = reading.scan([stored(tmp_path, OLD, [ROW])], newer).collect()
    assert found.rows(named=True) == [{**ROW, "items": [{"a": 1, "b": 0.5, "c": None}], "extra": None}]


def test_old_and_new_files_read_as_one(tmp_path: Path) -> None:
    newer = replace(columns(NEW), version=(1, 1))
    paths = [stored(tmp_path, OLD, [ROW]), stored(tmp_path, newer, [{**ROW, "extra": "e"}])]
    assert reading.scan(paths, newer).select("extra").collect()["extra"].to_list() == [None, "e"]


def test_a_reader_of_the_old_contract_reads_new_files(tmp_path: Path) -> None:
    newer = replace(columns(NEW, Column("items", pa.list_(WIDER), "items")), version=(1, 1))
    path = stored(tmp_path, newer, [{**ROW, "items": [{"a": 1, "b": 0.5, "c": "c"}], "extra": "e"}])
    assert reading.scan([path], OLD).collect().rows(named=True) == [ROW]
    names = [column.name for column in OLD.columns if column.name != "items"]
    assert pl.read_parquet(path, columns=names).columns == names
    assert duckdb.sql(f"SELECT {', '.join(names)} FROM read_parquet('{path}')").fetchall() == [("t:1", 1, None)]
    assert pq.read_table(path, columns=names).column_names == names


def test_no_files_are_no_rows() -> None:
    assert reading.scan([], OLD).collect().schema.names() == [column.name for column in COLUMNS]


def test_files_of_another_major_version_are_read_as_they_are(tmp_path: Path) -> None:
    path = stored(tmp_path, OLD, [ROW])
    newer = replace(columns(Column("n", pa.string(), "n"), NEW), version=(2, 0))
    assert reading.scan([path], newer, written="1.0").collect().rows(named=True) == [ROW]


def test_a_release_of_an_earlier_minor_version_reads_under_todays_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, contract = Lake(tmp_path), CONTRACTS["duplicates"]
    build = Build(lake, "p", contract, "v")
    row = {"doc_id": "a:2", "kept_doc_id": "a:1", "cluster_id": "a:1", "similarity": 1.0}
    counts = {"in": 1, "kept": 1, "filtered": {}, "failed": {}}
    part = build.write(0, "k", pa.Table.from_pylist([row], schema=contract.schema), counts=counts)
    build.commit([part], {"inputs": [], "config": {}, "run": "r"})
    lake.publish("p", {"datasets": {"duplicates": "v"}})
    newer = replace(contract, version=(2, 1), columns=(*contract.columns, NEW))
    monkeypatch.setitem(CONTRACTS, "duplicates", newer)
    release = open_release(lake, "p")
    assert release.scan("duplicates").collect().rows(named=True) == [{**row, "extra": None}]
    assert release.scan("duplicates", doc_id="a:9").collect().columns[-1] == "extra"
