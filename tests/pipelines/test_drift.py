"""Profiles add up, and measures between two say what moved."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.contracts import Column, Contract, Drift
from pipelines import drift
from pipelines.checks import observe
from pipelines.drift import Measure, added, distance_of, label, measures, ordered, profile

CONTRACT = Contract(
    name="things",
    version=(1, 0),
    about="",
    row="thing",
    columns=(
        Column("doc_id", pa.string(), ""),
        Column("title", pa.string(), "", nullable=True),
        Column("n", pa.int64(), ""),
        Column("lang", pa.string(), ""),
    ),
    drift=Drift(lengths=("n",), categories=("lang",), least_rows=4),
)
LIMITS = CONTRACT.drift or Drift()
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "doc_id": st.just("t:1"),
            "title": st.none() | st.just("t"),
            "n": st.integers(0, 2**40),
            "lang": st.sampled_from(["en", "uk", "und"]),
        }
    ),
    max_size=12,
)


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {"doc_id": pl.String, "title": pl.String, "n": pl.Int64, "lang": pl.String}
    return pl.DataFrame(rows, schema=schema)


def profiled(rows: list[dict[str, Any]]) -> drift.Profile:
    return profile(frame(rows), observe(frame(rows), CONTRACT), CONTRACT)


@given(ROWS, st.integers(0, 12), st.integers(0, 12))
def test_profiles_of_parts_add_up_to_that_of_the_whole(rows: list[dict[str, Any]], one: int, other: int) -> None:
    first, second = sorted((one, other))
    parts = [profiled(part) for part in (rows[:first], rows[first:second], rows[second:])]
    whole = added(parts)
    assert whole == added([profiled(rows)])
    assert whole == added(reversed(parts))
    assert json.loads(json.dumps(whole)) == whole


@given(st.integers(1, 2**62))
def test_magnitude_is_the_power_of_two_below(length: int) -> None:
    (found,) = drift._magnitudes(pl.Series([length])).to_list()
    assert 2**found <= length < 2 ** (found + 1)


def test_profile_counts() -> None:
    rows = [{"doc_id": "t:1", "title": title, "n": n, "lang": "en"} for title, n in ((None, 0), ("t", 1), ("t", 200))]
    assert profiled(rows) == {
        "rows": 3,
        "nulls": {"title": {"null": 1}},
        "lengths": {"n": {"-1": 1, "0": 1, "7": 1}},
        "categories": {"lang": {"en": 3}},
    }


def test_lengths_that_no_file_holds_come_from_the_light_columns() -> None:
    promise = Contract("t", (1, 0), "", "", (Column("text", pa.string(), ""),), drift=Drift(lengths=("text_chars",)))
    found = profile(pl.DataFrame({"text": ["né"]}), pl.DataFrame({"text_chars": [2]}), promise)
    assert found["lengths"] == {"text_chars": {"1": 1}}


def test_a_part_without_a_profile_leaves_none() -> None:
    assert added([profiled([]), None]) is None


def of(*, rows: int, nulls: int = 0, lengths: dict[str, int] | None = None, lang: dict[str, int] | None = None) -> Any:
    return {
        "rows": rows,
        "nulls": {"title": {"null": nulls}},
        "lengths": {"n": lengths or {"5": rows}},
        "categories": {"lang": lang or {"en": rows}},
    }


def broken(before: Any, after: Any) -> list[str]:
    return [f"{m.kind} {m.column}".strip() for m in measures(before, after, LIMITS) if not m.low <= m.value <= m.high]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (of(rows=100), of(rows=100), []),
        (of(rows=100), of(rows=70), []),
        (of(rows=100), of(rows=69), ["rows"]),
        (of(rows=100), of(rows=300), []),
        (of(rows=100), of(rows=301), ["rows"]),
        (of(rows=100), of(rows=0), ["rows"]),
        (of(rows=100, nulls=5), of(rows=100, nulls=15), []),
        (of(rows=100, nulls=5), of(rows=100, nulls=16), ["nulls title"]),
        (of(rows=100, nulls=15), of(rows=100, nulls=5), []),
        (of(rows=100, nulls=16), of(rows=100, nulls=5), ["nulls title"]),
        (of(rows=100), of(rows=100, lengths={"5": 75, "6": 25}), []),
        (of(rows=100), of(rows=100, lengths={"5": 74, "6": 26}), ["lengths n"]),
        (of(rows=100), of(rows=100, lang={"en": 75, "uk": 25}), []),
        (of(rows=100), of(rows=100, lang={"en": 74, "uk": 26}), ["categories lang"]),
        (of(rows=3), of(rows=100, lang={"uk": 100}), []),
        (of(rows=4), of(rows=3, lang={"uk": 3}), []),
    ],
)
def test_what_moves_too_far_is_found(before: Any, after: Any, found: list[str]) -> None:
    assert broken(before, after) == found


def test_a_column_that_one_version_lacks_is_not_compared() -> None:
    lacking, full = {**of(rows=100), "nulls": {}}, of(rows=100, nulls=100)
    for before, after in ((lacking, full), (full, lacking)):
        assert "nulls" not in {one.kind for one in measures(before, after, LIMITS)}


COUNTS = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 50), min_size=1)


@given(COUNTS, COUNTS)
def test_distance_is_one_of_total_variation(old: dict[str, int], new: dict[str, int]) -> None:
    assert distance_of(old, old) == 0
    assert distance_of(old, new) == distance_of(new, old)
    assert 0 <= distance_of(old, new) <= 1 + 1e-9


def test_distributions_with_nothing_in_common_are_at_distance_one() -> None:
    assert distance_of({"a": 3}, {"b": 9}) == 1


def test_conditions_read_well() -> None:
    assert [m.condition for m in measures(of(rows=9), of(rows=9), LIMITS)] == [
        "0.7 ≤ rows / published rows ≤ 3",
        "share of nulls of title: change ≤ 0.1",
        "lengths of n: distance ≤ 0.25",
        "values of lang: distance ≤ 0.25",
    ]
    assert Measure("lengths", drift.shown("text_chars"), 0, 0, 1, "").column == "text"


@pytest.mark.parametrize(("power", "words"), [("-1", "0"), ("0", "1"), ("1", "2–3"), ("10", "1,024–2,047")])
def test_buckets_are_shown_as_ranges(power: str, words: str) -> None:
    assert label("lengths", power) == words
    assert label("categories", power) == power


def test_charts_order_lengths_by_size_and_values_by_share() -> None:
    shares = {"10": (0.5, 0.5), "9": (0.1, 0.2), "-1": (0.4, 0.3)}
    assert [name for name, *_ in ordered("lengths", shares)] == ["0", "512–1,023", "1,024–2,047"]
    assert ordered("categories", shares, top=1) == [("10", 0.5, 0.5), ("2 others", 0.5, 0.5)]
