"""Muon: steps that move every direction of a matrix alike.

Jordan et al. 2024 (https://kellerjordan.github.io/posts/muon), scaled as by Liu et al. 2025 (arXiv 2502.16982, section
2.2) so that a step is as large as one of AdamW:

    M ← μ M + (1 - μ) G;  U = (1 - μ) G + μ M;  W ← W - η (0.2 √max(rows, columns) · NS(U) + λ W)

NS brings all singular values of U near 1 by five turns of X ← a X + (b X Xᵀ + c (X Xᵀ)²) X.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, optim

from models.training.devices import has_bfloat16

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
TURNS = 5
SCALE = 0.2
"""Of a step, so that its root mean square is that of AdamW."""
_LEAST_NORM = 1e-7


class Muon(optim.Optimizer):
    """For weights of two dimensions. As `torch.optim.Muon`, which multiplies in bfloat16 everywhere: on a processor
    without instructions for it that takes half of a step and more, so that there it is float32."""

    def __init__(self, groups: Iterable[dict[str, Any]], *, lr: float, momentum: float) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Move every weight that has a gradient; returns what `closure` returns, which is called before."""
        with torch.enable_grad():
            loss = None if closure is None else closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, weight.grad, group)
        return loss

    def _move(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        kept = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        dtype = torch.bfloat16 if has_bfloat16(weight.device) else torch.float32
        update = orthogonal(gradient.lerp(kept, group["momentum"]), dtype)
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        weight.add_(update, alpha=-group["lr"] * SCALE * math.sqrt(max(weight.shape)))


def orthogonal(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """A matrix with the singular vectors of another and singular values of about 0.7 to 1.2 (Newton–Schulz)."""
    is_tall = matrix.shape[0] > matrix.shape[1]
    found: Tensor = (matrix.mT if is_tall else matrix).to(dtype)
    found = found / found.norm().clamp(min=_LEAST_NORM)
    a, b, c = COEFFICIENTS
    for _ in range(TURNS):
        gram = found @ found.mT
        found = torch.addmm(found, torch.addmm(gram, gram, gram, beta=b, alpha=c), found, beta=a)
    return found.mT if is_tall else found
