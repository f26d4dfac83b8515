"""How far a dataset moved from its published version: profiles that add up part by part, and measures between two.

A profile holds counts alone, so that profiles of parts add up to that of the dataset and nothing is read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from data.contracts import Contract, Drift
from pipelines.checks import DERIVED

VERSION = 1
Profile = dict[str, Any]
"""rows; nulls by column; lengths and categories by column and bucket or value: numbers of rows."""
_KINDS = ("nulls", "lengths", "categories")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Measure:
    """One comparison of two versions. `value` must lie in [low, high]; `said` is what a reader sees of it."""

    kind: str
    column: str
    value: float
    low: float
    high: float
    said: str

    @property
    def condition(self) -> str:
        """What must hold, for example `0.7 ≤ rows / published rows ≤ 3.0`."""
        if self.kind == "rows":
            return f"{self.low:g} ≤ rows / published rows ≤ {self.high:g}"
        if self.kind == "nulls":
            return f"share of nulls of {self.column}: change ≤ {self.high:g}"
        return f"{'lengths' if self.kind == 'lengths' else 'values'} of {self.column}: distance ≤ {self.high:g}"


def profile(frame: pl.DataFrame, light: pl.DataFrame, contract: Contract) -> Profile:
    """What later versions are compared with. `light` is what `checks.observe` made of the frame."""
    drift = contract.drift or Drift()
    nullable = [column.name for column in contract.columns if column.nullable and column.name in frame.columns]

    def values(name: str) -> pl.Series:
        return frame[name] if name in frame.columns else light[name]

    return {
        "rows": frame.height,
        "nulls": {name: {"null": frame[name].null_count()} for name in nullable},
        "lengths": {name: _counts(_magnitudes(values(name))) for name in drift.lengths},
        "categories": {name: _counts(values(name)) for name in drift.categories},
    }


def _magnitudes(lengths: pl.Series) -> pl.Series:
    """The power of two that a length reaches: 7 for 128 to 255; -1 for 0. By bits, as logarithms differ by machine."""
    return 63 - lengths.cast(pl.Int64).bitwise_leading_zeros().cast(pl.Int64)


def _counts(values: pl.Series) -> dict[str, int]:
    found = values.drop_nulls().value_counts().rows()
    return {str(value): count for value, count in sorted(found)}


def added(profiles: Iterable[Profile | None]) -> Profile | None:
    """The profile of all parts; None where a part has none, as parts of earlier releases of textmill do."""
    total: Profile = {"rows": 0, **{kind: {} for kind in _KINDS}}
    for one in profiles:
        if one is None:
            return None
        total["rows"] += one["rows"]
        for kind in _KINDS:
            for column, counts in one[kind].items():
                total[kind][column] = Counter(total[kind].get(column, {})) + Counter(counts)
    return {**total, **{kind: _plain(total[kind]) for kind in _KINDS}}


def _plain(columns: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    return {column: dict(sorted(counts.items())) for column, counts in columns.items()}


def measures(before: Profile, after: Profile, drift: Drift) -> list[Measure]:
    """Every comparison that has rows enough not to be left to chance."""
    if before["rows"] < drift.least_rows:
        return []
    found = [_rows(before["rows"], after["rows"], drift)]
    if after["rows"]:
        found += [_nulls(column, before, after, drift) for column in before["nulls"] if column in after["nulls"]]
    for kind in ("lengths", "categories"):
        pairs = ((column, before[kind][column], after[kind].get(column, {})) for column in before[kind])
        found += [
            _distribution(kind, column, old, new, drift)
            for column, old, new in pairs
            if min(sum(old.values()), sum(new.values())) >= drift.least_rows
        ]
    return found


def _rows(before: int, after: int, drift: Drift) -> Measure:
    low, high = drift.rows
    return Measure("rows", "", after / before, low, high, f"{before:,} → {after:,} rows, {after / before:.2f} times")


def _nulls(column: str, before: Profile, after: Profile, drift: Drift) -> Measure:
    old, new = (one["nulls"][column].get("null", 0) / one["rows"] for one in (before, after))
    return Measure("nulls", column, abs(new - old), 0.0, drift.null_share, f"{old:.1%} → {new:.1%} null")


def _distribution(kind: str, column: str, old: Mapping[str, int], new: Mapping[str, int], drift: Drift) -> Measure:
    moved = shifts(old, new)
    most = sorted(moved, key=lambda name: (-abs(moved[name][1] - moved[name][0]), name))[:_SHOWN]
    words = ", ".join(f"{label(kind, name)} {moved[name][0]:.1%} → {moved[name][1]:.1%}" for name in most)
    distance = distance_of(old, new)
    return Measure(kind, shown(column), distance, 0.0, drift.distance, f"distance {distance:.3f}: {words}")


def shown(column: str) -> str:
    """The column that a reader knows: `text` for `text_chars`."""
    return DERIVED[column][0] if column in DERIVED else column


def shifts(old: Mapping[str, int], new: Mapping[str, int]) -> dict[str, tuple[float, float]]:
    """Share of each value before and after."""
    before, after = max(sum(old.values()), 1), max(sum(new.values()), 1)
    return {name: (old.get(name, 0) / before, new.get(name, 0) / after) for name in sorted({*old, *new})}


def ordered(kind: str, shares: Mapping[str, tuple[float, float]], top: int = 12) -> list[tuple[str, float, float]]:
    """Label and shares for a chart: lengths from short to long, values by their share, the rest in one line."""
    if kind == "lengths":
        return [(label(kind, name), *shares[name]) for name in sorted(shares, key=int)]
    ranked = sorted(shares, key=lambda name: (-max(shares[name]), name))
    found = [(name, *shares[name]) for name in ranked[:top]]
    if rest := [shares[name] for name in ranked[top:]]:
        found.append((f"{len(rest)} others", sum(old for old, _ in rest), sum(new for _, new in rest)))
    return found


def distance_of(old: Mapping[str, int], new: Mapping[str, int]) -> float:
    """Total variation distance of two distributions: the share of rows that would have to move."""
    return sum(abs(one - other) for one, other in shifts(old, new).values()) / 2


def label(kind: str, name: str) -> str:
    """A bucket for readers: `128–255` for the lengths of magnitude 7."""
    if kind != "lengths":
        return name
    power = int(name)
    return "0" if power < 0 else f"{2**power:,}–{2 ** (power + 1) - 1:,}" if power else "1"
