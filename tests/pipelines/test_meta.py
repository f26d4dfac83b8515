from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.meta import MAX_META, OMITTED, meta_json


def test_keys_are_in_order_whatever_the_order_of_the_row() -> None:
    assert meta_json({"b": 1, "a": {"z": 0, "y": "ї"}}) == '{"a":{"y":"ї","z":0},"b":1}'
    assert meta_json({"a": {"y": "ї", "z": 0}, "b": 1}) == '{"a":{"y":"ї","z":0},"b":1}'


def test_nulls_are_no_values() -> None:
    assert meta_json({"a": None}) is None
    assert meta_json({}) is None


def test_times_and_decimals_are_written_as_strings() -> None:
    values = {"d": date(2020, 1, 2), "t": datetime(2020, 1, 2, tzinfo=UTC), "x": Decimal("1.50")}
    assert meta_json(values) == '{"d":"2020-01-02","t":"2020-01-02T00:00:00+00:00","x":"1.50"}'


def test_what_json_cannot_hold_or_is_too_long_is_named() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    values = {"a": 1, "bytes": b"\xff", "deep": deep, "html": "x" * 5000, "nan": float("nan")}
    assert meta_json(values) == '{"a":1,"_omitted":["bytes","deep","html","nan"]}'
    assert json.loads(meta_json({"html": "x" * 5000}, longest_value=MAX_META) or "") == {"html": "x" * 5000}


def test_all_together_are_bounded() -> None:
    text = meta_json({f"column {i:04}": "x" * 500 for i in range(1000)}) or ""
    row = json.loads(text)
    assert len(text) < MAX_META + 50 * 210
    assert row["column 0000"] == "x" * 500
    assert row[OMITTED][-1].startswith("and ")


def test_lone_surrogates_are_escaped() -> None:
    assert meta_json({"a": "\ud800"}) == '{"a":"\\ud800"}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5).filter(lambda name: name != OMITTED), JSON, max_size=4))
def test_json_values_come_back(values: dict[str, Any]) -> None:
    text = meta_json(values)
    assert json.loads(text or "{}") == {name: value for name, value in values.items() if value is not None}
    (text or "").encode()
