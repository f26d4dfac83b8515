"""One measured figure with its interval: what evaluations return and the `metrics` dataset stores."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """A metric on `n` rows, with the ends of its 95 % bootstrap interval around it."""

    metric: str
    value: float
    ci_low: float
    ci_high: float
    n: int
