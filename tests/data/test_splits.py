"""The same text is always on the same side of the split."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.splits import row_id_of, split_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "split", "row_id"),
    [
        ("one", "train", "7692c3ad3540bb80"),
        ("", "train", "e3b0c44298fc1c14"),
        ("five", "test", "222b0bd51fcef7e6"),
        ("six", "validation", "44778d82365e4af6"),
    ],
)
def test_golden(text: str, split: str, row_id: str) -> None:
    assert (split_of(text), row_id_of(text)) == (split, row_id)


def test_shares() -> None:
    counts = Counter(split_of(f"text {i}") for i in range(10_000))
    assert abs(counts["test"] - 2_000) < 150
    assert abs(counts["validation"] - 1_000) < 120
    assert counts.total() == 10_000


@given(TEXT)
def test_every_text_has_one_split_and_a_row_id(text: str) -> None:
    assert split_of(text) in {"train", "validation", "test"}
    assert split_of(text) == split_of(str(text))
    assert len(row_id_of(text)) == 16
