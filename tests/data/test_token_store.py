from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import LakeError
from data.token_store import TokenStore, open_store, write

ROWS = [[5, 6], [], [70_000], [1, 2, 3]]


def listed(store: TokenStore) -> list[list[int]]:
    return [store.row(number).tolist() for number in range(len(store))]


def series(rows: list[list[int]]) -> pl.Series:
    return pl.Series(rows, dtype=pl.List(pl.UInt32))


def test_rows_come_back(tmp_path: Path) -> None:
    assert listed(write(tmp_path, [series(ROWS[:1]), series(ROWS[1:])], vocab_size=80_000)) == ROWS


def test_null_is_a_row_without_tokens(tmp_path: Path) -> None:
    assert listed(write(tmp_path, [pl.Series([[1], None], dtype=pl.List(pl.UInt32))], vocab_size=9)) == [[1], []]


@pytest.mark.parametrize(("vocab_size", "size"), [(65_536, 2), (65_537, 4)])
def test_small_vocabularies_take_two_bytes(tmp_path: Path, vocab_size: int, size: int) -> None:
    write(tmp_path, [series([[1, 2, 3]])], vocab_size=vocab_size)
    assert (tmp_path / "ids.bin").stat().st_size == 3 * size


def test_fingerprint_does_not_depend_on_the_series(tmp_path: Path) -> None:
    one = write(tmp_path / "a", [series(ROWS)], vocab_size=80_000)
    two = write(tmp_path / "b", [series([row]) for row in ROWS], vocab_size=80_000)
    assert one.fingerprint == two.fingerprint == TokenStore.of(ROWS).fingerprint


@given(st.lists(st.lists(st.integers(0, 99), max_size=4), min_size=1, max_size=5))
def test_other_borders_give_another_fingerprint(rows: list[list[int]]) -> None:
    moved = [*rows[:-1], [*rows[-1], 7]]
    assert TokenStore.of(rows).fingerprint != TokenStore.of(moved).fingerprint


def test_no_rows_at_all(tmp_path: Path) -> None:
    assert len(write(tmp_path, [], vocab_size=9)) == 0


def test_a_store_cut_short_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [series(ROWS)], vocab_size=80_000)
    (tmp_path / "ids.bin").write_bytes(b"\0\0")
    with pytest.raises(LakeError, match="no whole store"):
        open_store(tmp_path)


def test_nothing_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="no whole store"):
        open_store(tmp_path)
