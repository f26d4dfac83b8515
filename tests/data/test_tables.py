"""Read a part a few row groups at a time, and add up what batches tell."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import tables
from data.contracts import CONTRACTS
from data.parts import NUMBER, Part, add_bounds, apart, bounds_of

TABLE = pa.table({"doc_id": [f"w:{i}" for i in range(10)], "text": ["x" * 100] * 10, "n": list(range(10))})


@pytest.mark.parametrize(("limit", "lengths"), [(1, [3, 3, 3, 1]), (1 << 20, [10])])
def test_row_groups_are_read_together_up_to_a_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, lengths: list[int]
) -> None:
    monkeypatch.setattr(tables, "_BATCH_BYTES", limit)
    pq.write_table(TABLE, tmp_path / "a.parquet", row_group_size=3)
    found = list(tables.batches(tmp_path / "a.parquet"))
    assert [frame.height for frame in found] == lengths
    assert pl.concat(found).equals(pl.read_parquet(tmp_path / "a.parquet"))
    again = [tables.read_groups(tmp_path / "a.parquet", some) for some in tables.groups_of(tmp_path / "a.parquet")]
    assert all(one.equals(other) for one, other in zip(found, again, strict=True))


def test_columns_come_in_the_order_asked_for(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet")
    (found,) = tables.batches(tmp_path / "a.parquet", ["n", "doc_id"])
    assert found.columns == ["n", "doc_id"]


@pytest.mark.parametrize("groups", [0, 1])
def test_an_empty_part_is_one_empty_frame(tmp_path: Path, groups: int) -> None:
    with pq.ParquetWriter(tmp_path / "a.parquet", TABLE.schema) as writer:
        if groups:
            writer.write_table(TABLE[:0])
    (found,) = tables.batches(tmp_path / "a.parquet")
    assert (found.height, found.columns) == (0, TABLE.column_names)


ids = st.builds("{}:{}".format, st.sampled_from("vw"), st.integers(0, 200) | st.just("x"))


@given(st.lists(st.lists(ids, max_size=4), max_size=4))
def test_bounds_of_batches_add_up_to_those_of_the_part(found: list[list[str]]) -> None:
    contract = CONTRACTS["corpus"]
    tabled = [pa.table({"doc_id": pa.array(some, pa.string())}) for some in found]
    whole = bounds_of(pa.concat_tables(tabled), contract) if tabled else {}
    assert add_bounds(bounds_of(one, contract) for one in tabled) == whole


def test_numbers_of_two_sources_are_no_range() -> None:
    one, other = ({"doc_id": [f"{s}:1", f"{s}:2"], NUMBER: [1, 2]} for s in "vw")
    assert NUMBER not in add_bounds([one, other])
    assert add_bounds([one, one])[NUMBER] == [1, 2]


def ranged(ids: list[str]) -> Part:
    bounds = bounds_of(pa.table({"doc_id": pa.array(ids, pa.string())}), CONTRACTS["corpus"])
    return Part(0, "k", "f", len(ids), 0, "", {}, bounds=bounds)


@given(st.lists(st.lists(ids, max_size=4), max_size=5))
def test_a_part_that_stands_apart_shares_no_id_with_another(found: list[list[str]]) -> None:
    told = apart([ranged(some) for some in found], "doc_id")
    for i, (some, alone) in enumerate(zip(found, told, strict=True)):
        others = {one for j, other in enumerate(found) if j != i for one in other}
        assert not (alone and others & set(some))


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([["w:9", "w:10"], ["w:11", "w:99"], ["v:10", "v:20"], []], [True, True, True, True]),  # as numbers
        ([["w:1", "w:5"], ["w:5", "w:7"], ["w:8"]], [False, False, True]),
        ([["w:1", "w:9"], ["w:2", "w:3"], ["w:5", "w:6"], ["w:10"]], [False, False, False, True]),
        ([["w:a", "w:c"], ["w:b"], ["w:d"]], [False, False, True]),
    ],
)
def test_parts_are_apart_by_their_ranges(parts: list[list[str]], told: list[bool]) -> None:
    assert apart([ranged(ids) for ids in parts], "doc_id") == told
    assert apart([ranged(ids) for ids in parts], "text_sha256") == [not ids for ids in parts]
