"""Scores of a trained model on held-out rows, with intervals: what its card says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from models.evaluation import bootstrap
from models.evaluation.score import Score
from models.learner import Batches, Learner

ROWS = 2_000
"""As many rows are looked at, at the most."""


def scores(learner: Learner, held_out: Batches, *, seed: int = 0) -> list[Score]:
    """The mean of every validation score over the first rows, each row once, with its bootstrap interval over rows.

    Rows are weighted by their units, so that the mean is that over all tokens. The model is in evaluation mode.
    """
    found, units = [], []
    with torch.no_grad():
        for number in range(min(len(held_out), ROWS)):
            row = held_out.batch(number, batch_size=1)
            torch.manual_seed(number)
            units.append(float(learner.weights(row).sum()))
            found.append(learner.measure([row]) if units[-1] else {})
    names = list(next((row for row in found if row), {}))
    weights = np.array(units)
    return [_score(name, np.array([row.get(name, 0.0) for row in found]), weights, seed) for name in names]


def _score(name: str, values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], seed: int) -> Score:
    def mean(rows: npt.NDArray[np.int64]) -> float:
        return float((values[rows] * weights[rows]).sum() / max(weights[rows].sum(), 1e-12))

    return bootstrap.score(name, mean, len(values), seed=seed)
