"""Whether a challenger has earned promotion: its gain on the same rows, and how sure that gain is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data.errors import ConfigError
from models.evaluation import bootstrap

Rows = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The gain that the lower end of the interval must exceed, in units of the metric."""

    min_gain: float = 0.0


@dataclass(frozen=True)
class Decision:
    """The verdict, with the evidence that the registry logs beside it."""

    promote: bool
    gain: float
    ci_low: float
    ci_high: float
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Plain data for the registry's log."""
        return asdict(self)


def mean(rows: Rows) -> float:
    """Mean of per-row scores: the default statistic of a comparison."""
    return float(rows.mean())


def decide(
    challenger_rows: Rows,
    reference_rows: Rows,
    *,
    gate: Gate | None = None,
    statistic: Callable[[Rows], float] = mean,
    seed: int = 0,
) -> Decision:
    """Compare two models on the same rows; promote when the interval of the gain lies above the gate.

    Rows are what `statistic` takes, the row number first: scores [rows], or counts [rows, 3] with
    `spans.f1`. Higher is better: negate losses.
    """
    gate = gate or Gate()
    ours, theirs = np.asarray(challenger_rows), np.asarray(reference_rows)
    if len(ours) != len(theirs):
        raise ConfigError(f"found {len(ours)} challenger and {len(theirs)} reference rows; both need the same rows")

    def gain_of(rows: npt.NDArray[np.int64]) -> float:
        return statistic(ours[rows]) - statistic(theirs[rows])

    gain = bootstrap.score("gain", gain_of, len(ours), seed=seed)
    promote = gain.ci_low > gate.min_gain
    sign = ">" if promote else "<="
    reason = (
        f"gain {gain.value:+.4f}, 95 % interval {gain.ci_low:+.4f} to {gain.ci_high:+.4f} on {gain.n} rows: "
        f"lower end {sign} {gate.min_gain:g}"
    )
    return Decision(promote, gain.value, gain.ci_low, gain.ci_high, reason)
