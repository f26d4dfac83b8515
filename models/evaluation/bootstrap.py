"""How sure a score is: percentile intervals from rows drawn with replacement.

Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 13. The unit that is drawn is
the row (document, sentence), never the token, because tokens of a row are not independent.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from data.errors import ConfigError
from models.evaluation.score import Score

LEVEL = 0.95
RESAMPLES = 1000

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Statistic = Callable[[Ints], float]


def interval(statistic: Statistic, n: int, *, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, float]:
    """Ends of the 95 % interval of a statistic of row numbers, int64 [n] with values in 0 to n - 1.

    It is widened where need be to hold the value on all rows. Raises ConfigError where there are no rows.
    """
    low, high = _percentiles(samples(statistic, n, resamples=resamples, seed=seed))
    value = statistic(np.arange(n, dtype=np.int64))
    return min(low, value), max(high, value)


def samples(statistic: Statistic, n: int, *, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """The statistic of each resample, float64 [resamples]; equal seeds draw equal rows."""
    if n < 1 or resamples < 1:
        raise ConfigError(f"found {n} rows and {resamples} resamples; a bootstrap needs at least one of each")
    generator = np.random.default_rng(seed)
    return np.array([statistic(generator.integers(0, n, size=n)) for _ in range(resamples)], dtype=np.float64)


def score(metric: str, statistic: Statistic, n: int, *, resamples: int = RESAMPLES, seed: int = 0) -> Score:
    """The value of a statistic on all n rows, with its interval."""
    low, high = interval(statistic, n, resamples=resamples, seed=seed)
    return Score(metric, float(statistic(np.arange(n, dtype=np.int64))), low, high, n)


def mean_score(metric: str, rows: Floats, *, resamples: int = RESAMPLES, seed: int = 0) -> Score:
    """The mean of per-row scores, with its interval."""
    values = np.asarray(rows, dtype=np.float64)
    return score(metric, lambda drawn: float(values[drawn].mean()), len(values), resamples=resamples, seed=seed)


def paired(
    challenger: Floats, reference: Floats, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float, float]:
    """Mean of challenger minus reference over the same rows, and the ends of its interval."""
    if len(challenger) != len(reference):
        raise ConfigError(f"found {len(challenger)} and {len(reference)} rows; a pair needs the same rows")
    difference = np.asarray(challenger, dtype=np.float64) - np.asarray(reference, dtype=np.float64)
    gain = mean_score("gain", difference, resamples=resamples, seed=seed)
    return gain.value, gain.ci_low, gain.ci_high


def _percentiles(values: Floats) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
