from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import ConfigError
from models.embeddings.counting import Counts

WORDS = st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=20), max_size=8)


def counted(batches: list[list[str]], limit: int) -> Counts:
    counts = Counts({"word": pl.String}, limit=limit)
    for batch in batches:
        counts.add(pl.Series("word", batch).value_counts(name="count"))
    return counts


@given(WORDS)
def test_counts_within_the_limit_are_exact(batches: list[list[str]]) -> None:
    found = counted(batches, 8).total().rows()
    assert found == sorted(Counter(word for batch in batches for word in batch).items(), key=lambda kv: (-kv[1], kv[0]))


@given(WORDS, st.integers(1, 4))
def test_counts_past_the_limit_are_too_low_by_no_more_than_promised(batches: list[list[str]], limit: int) -> None:
    counts = counted(batches, limit)
    found, true = dict(counts.total().iter_rows()), Counter(word for batch in batches for word in batch)
    bound = counts.floor * (counts.floor + 1) // 2
    assert len(found) <= limit
    assert all(0 <= true[word] - found.get(word, 0) <= bound for word in true)


def test_nothing_counted_is_an_empty_table() -> None:
    assert Counts({"word": pl.String}).total().schema == {"word": pl.String, "count": pl.Int64}


def test_keys_of_two_columns() -> None:
    counts = Counts({"a": pl.Int64, "b": pl.Int64})
    counts.add(pl.DataFrame({"a": [1, 1, 2], "b": [1, 1, 1], "count": [1, 2, 5]}))
    assert counts.total().rows() == [(2, 1, 5), (1, 1, 3)]


def test_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="limit is 0"):
        Counts({"word": pl.String}, limit=0)
