"""Scores of a trained model on held-out rows, with intervals: what its card says."""

from __future__ import annotations

import numpy as np
import torch

from models.evaluation import bootstrap
from models.evaluation.bootstrap import Ints
from models.evaluation.score import Score
from models.learner import Batches, Learner

ROWS = 2_000
"""As many rows are looked at, at the most."""


def scores(learner: Learner, held_out: Batches, *, seed: int = 0) -> list[Score]:
    """Every figure of a learner over the first rows, each row once, with its bootstrap interval over rows.

    Rows are weighted by their units, so that means are those over all tokens, and figures such as perplexity or F1
    follow from the means of the rows that were drawn. The model is in evaluation mode. The headline comes first.
    """
    found, units = [], []
    with torch.no_grad():
        for number in range(min(len(held_out), ROWS)):
            row = held_out.batch(number, batch_size=1)
            torch.manual_seed(number)
            units.append(float(learner.weights(row).sum()))
            found.append(learner.means([row]) if units[-1] else {})
    names = list(next((row for row in found if row), {}))
    values = np.array([[row.get(name, 0.0) for name in names] for row in found])  # [rows, names]
    weights = np.array(units)

    def figures(rows: Ints) -> dict[str, float]:
        means = weights[rows] @ values[rows] / max(weights[rows].sum(), 1e-12)
        return learner.figures(dict(zip(names, means.tolist(), strict=True)))

    def scored(name: str) -> Score:
        return bootstrap.score(name, lambda rows: figures(rows)[name], len(found), seed=seed)

    told = figures(np.arange(len(found))) if names else {}
    return [scored(name) for name in sorted(told, key=lambda name: name != learner.headline)]
