"""Fit a convex objective to its minimum: L-BFGS with a strong Wolfe line search.

Liu and Nocedal 1989, "On the limited memory BFGS method for large scale optimization". For linear models
and CRFs it needs no learning rate, and equal data gives equal weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from data.progress import Progress, ignore

_STEP = 10  # iterations between two looks at the objective
_TOLERANCE = 1e-6  # relative fall below which the minimum is reached


def minimise(
    objective: Callable[[], Tensor], parameters: Sequence[Tensor], *, iterations: int, progress: Progress = ignore
) -> float:
    """Change the parameters in place until the objective stops falling; returns its last value."""
    optimiser = torch.optim.LBFGS(
        parameters, max_iter=_STEP, history_size=10, tolerance_grad=1e-7, line_search_fn="strong_wolfe"
    )
    value = float("inf")
    for done in range(0, iterations, _STEP):
        before, value = value, _descend(optimiser, objective)
        progress(min(iterations, done + _STEP), iterations)
        if before - value < _TOLERANCE * max(1.0, abs(value)):
            break
    progress(iterations, iterations)
    return value


def _descend(optimiser: torch.optim.Optimizer, objective: Callable[[], Tensor]) -> float:
    """A step of iterations, whose memory the optimiser keeps for the next; the value after them."""

    def closure() -> float:
        optimiser.zero_grad()
        loss = objective()
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    optimiser.step(closure)
    with torch.no_grad():
        return float(objective())
