"""A frame comes to the schema of its contract to the letter, values untouched, or is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.conform import cast, conform
from data.contracts import CONTRACTS, Column, Contract
from data.errors import ContractError

INNER = pa.struct([pa.field("p", pa.int32(), nullable=False), pa.field("q", pa.list_(pa.float32()))])
CONTRACT = Contract(
    "toys",
    (1, 0),
    "Toys.",
    "toy",
    (
        Column("id", pa.string(), "id"),
        Column("items", pa.list_(INNER), "items", nullable=True),
        Column("one", INNER, "one", nullable=True),
    ),
)
POLARS = pl.Struct({"p": pl.Int64, "q": pl.List(pl.Float64)})
SCHEMA = {"id": pl.String, "items": pl.List(POLARS), "one": POLARS}
FLOAT32 = st.none() | st.integers(-100, 100).map(float)
INNERS = st.fixed_dictionaries({"p": st.integers(-9, 9), "q": st.none() | st.lists(FLOAT32, max_size=3)})
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.text("ab", max_size=2),
            "items": st.none() | st.lists(st.none() | INNERS, max_size=3),
            "one": st.none() | INNERS,
        }
    ),
    max_size=6,
)


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


@given(ROWS, ROWS, st.integers(0, 6), st.integers(0, 6), st.booleans())
def test_round_trip(
    left: list[dict[str, Any]], right: list[dict[str, Any]], start: int, length: int, rechunk: bool
) -> None:
    whole = pl.concat([frame(left), frame(right)], rechunk=rechunk)
    found = conform(whole.slice(start, length), CONTRACT)
    found.validate(full=True)
    assert found.schema.equals(CONTRACT.schema)
    assert found.to_pylist() == (left + right)[start : start + length]


@given(ROWS, st.integers(0, 6))
def test_slices_of_arrow_tables(rows: list[dict[str, Any]], start: int) -> None:
    schema = pa.schema([("id", pa.string()), ("items", pa.list_(_loose())), ("one", _loose())])
    table = pa.Table.from_pylist(rows, schema=schema)
    found = cast(table.slice(start), CONTRACT.schema)
    found.validate(full=True)
    assert found.to_pylist() == rows[start:]


def _loose() -> pa.DataType:
    return pa.struct([("p", pa.int32()), ("q", pa.list_(pa.float32()))])


def test_columns_come_in_order_and_others_go() -> None:
    given_frame = frame([]).select("one", pl.lit(1).alias("extra"), "items", "id")
    assert conform(given_frame, CONTRACT).column_names == ["id", "items", "one"]


def test_missing_columns_are_named() -> None:
    with pytest.raises(ContractError, match="toys: no column items, one; the frame has id, x"):
        conform(pl.DataFrame({"id": ["a"], "x": [1]}), CONTRACT)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": None}, "column id has 1 nulls and may have none"),
        ({"one": {"p": None, "q": []}}, "field p has 1 nulls and may have none"),
        ({"items": [None, {"p": None, "q": None}]}, "field p has 1 nulls and may have none"),
        ({"one": {"p": 2**31, "q": []}}, "not in range"),
    ],
)
def test_value_that_does_not_fit(row: dict[str, Any], message: str) -> None:
    rows = [{"id": "a", "items": None, "one": None}, {"id": "b", "items": [], "one": None, **row}]
    with pytest.raises(ContractError, match=f"toys: a value does not fit the schema: .*{message}"):
        conform(frame(rows), CONTRACT)


def test_wrong_type_is_refused() -> None:
    with pytest.raises(ContractError, match="does not fit"):
        conform(frame([]).with_columns(pl.Series("id", [[1]])[:0].cast(pl.List(pl.Int64))), CONTRACT)


def test_parquet_keeps_the_schema(tmp_path: Path) -> None:
    rows = [{"id": "a", "items": [{"p": 1, "q": None}], "one": {"p": 2, "q": []}}]
    pq.write_table(conform(frame(rows), CONTRACT), tmp_path / "x.parquet")
    found = pq.read_table(tmp_path / "x.parquet")
    assert found.schema.equals(CONTRACT.schema.remove_metadata())
    assert found.to_pylist() == rows


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_empty_frame_of_every_contract(name: str) -> None:
    schema = CONTRACTS[name].schema
    assert conform(pl.DataFrame(schema.empty_table()), CONTRACTS[name]).schema.equals(schema)
