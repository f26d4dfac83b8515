"""Dropout: Srivastava et al. 2014, y = x m / (1 - rate) with m drawn anew for each number of a training step.

PyTorch draws a random number for each m, which on a processor takes longer than a matrix product over the same states.
Here one number of 64 bits gives eight of them: the rate is rounded to 256ths, the factor is exact for the rounded rate.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

_STEPS = 256


def dropout(states: Tensor, rate: float, *, training: bool) -> Tensor:
    """Some of the states 0, the others larger, so that the mean stays; as they are where not in training."""
    if not training or rate == 0:
        return states
    if states.device.type != "cpu" or torch.compiler.is_compiling():
        return F.dropout(states, rate)
    dropped = min(round(rate * _STEPS), _STEPS - 1)
    return states * _kept(states, dropped).to(states.dtype).mul_(_STEPS / (_STEPS - dropped))


def _kept(states: Tensor, dropped: int) -> Tensor:
    """Which numbers are kept, bool of the shape of `states`, by torch's global generator."""
    numbers = torch.empty(-(-states.numel() // 8), dtype=torch.int64).random_(-(1 << 63), None)
    return (numbers.view(torch.uint8)[: states.numel()] >= dropped).view(states.shape)


class Dropout(nn.Module):
    """`dropout` of a rate, while in training."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, states: Tensor) -> Tensor:
        """States of any shape."""
        return dropout(states, self.rate, training=self.training)

    def extra_repr(self) -> str:
        """The rate, where the module is printed."""
        return f"{self.rate}"
