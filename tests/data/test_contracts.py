"""What holds for every contract."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from data.contracts import CONTRACTS
from data.contracts.base import between, matches, not_null, one_of, row_count, unique
from data.contracts.corpus import REJECTS

NAMES = sorted(CONTRACTS)


@pytest.mark.parametrize("name", NAMES)
def test_names_and_meanings(name: str) -> None:
    contract = CONTRACTS[name]
    columns = [column.name for column in contract.columns]
    assert contract.name == name
    assert len(columns) == len(set(columns))
    assert set(contract.key) <= set(columns)
    assert contract.about.endswith(".")
    assert all(column.meaning for column in contract.columns)


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_that_of_the_columns(name: str) -> None:
    contract = CONTRACTS[name]
    assert [(f.name, f.type, f.nullable) for f in contract.schema] == [
        (c.name, c.type, c.nullable) for c in contract.columns
    ]


@pytest.mark.parametrize("name", NAMES)
def test_expectations_speak_of_columns_that_exist(name: str) -> None:
    contract = CONTRACTS[name]
    derived = {"text_chars", "surface_chars", "sections_end", "spans_end", "ids_length"}
    columns = {column.name for column in contract.columns} | derived
    assert {e.kwargs["column"] for e in contract.expectations if "column" in e.kwargs} <= columns


@pytest.mark.parametrize("name", NAMES)
def test_no_nullable_key(name: str) -> None:
    contract = CONTRACTS[name]
    assert not [column.name for column in contract.columns if column.name in contract.key and column.nullable]


@pytest.mark.parametrize("name", NAMES)
def test_description_is_plain_json(name: str) -> None:
    described = CONTRACTS[name].describe()
    assert json.loads(json.dumps(described)) == described


def test_rejects_schema_golden() -> None:
    assert REJECTS.schema.equals(
        pa.schema(
            [
                pa.field("doc_id", pa.string()),
                pa.field("source", pa.string(), nullable=False),
                pa.field("origin", pa.string(), nullable=False),
                pa.field("stage", pa.string(), nullable=False),
                pa.field("kind", pa.string(), nullable=False),
                pa.field("reason", pa.string(), nullable=False),
                pa.field("detail", pa.string()),
                pa.field("n_chars", pa.int32()),
            ]
        )
    )


def test_only_candidates_is_internal() -> None:
    assert [name for name in NAMES if CONTRACTS[name].internal] == ["candidates"]


def test_expectations_are_named_and_scoped() -> None:
    row = (not_null("x"), between("x", 0), one_of("x", ("a",)), matches("x", "a"))
    assert {e.scope for e in row} == {"row"}
    assert row[0].name == "expect_column_values_to_not_be_null:x"
    assert {unique("x").scope, row_count(1).scope} == {"dataset"}
    assert row_count(1).name == "expect_table_row_count_to_be_between"
