"""How a Transformer knows where a token stands: sinusoids, rotations, or a learned table.

Sinusoids: Vaswani et al. 2017 (arXiv 1706.03762), PE(p, 2i) = sin(p / 10000^(2i / width)) and
PE(p, 2i + 1) = cos of the same angle. Rotations: Su et al. 2021 (arXiv 2104.09864), the pair of
channels i is turned by p / 10000^(2i / width), so that scores depend on the distance of two positions
alone. Positions are int64 [time], or [batch, time] where rows differ (packed documents).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.layers.gradients import turned

BASE = 10_000.0
POSITIONS = ("rotary", "learned", "sinusoidal")
Rotation = tuple[Tensor, Tensor]
"""Cosines and sines, each [time, head_width / 2] or [batch, 1, time, head_width / 2]."""


class Sinusoidal(nn.Module):
    """The vectors of Vaswani's sinusoids; computed, never saved."""

    table: Tensor

    def __init__(self, width: int, *, length: int) -> None:
        super().__init__()
        angles = _angles(width, length=length, base=BASE)
        table = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)  # [length, width], interleaved
        self.register_buffer("table", table, persistent=False)

    def forward(self, positions: Tensor) -> Tensor:
        """Vectors [..., width] of `positions` [...], all below `length`."""
        return self.table[positions]


class Rotary(nn.Module):
    """The angles of rotary positions; computed, never saved."""

    cos: Tensor
    sin: Tensor

    def __init__(self, head_width: int, *, length: int, base: float = BASE) -> None:
        super().__init__()
        angles = _angles(head_width, length=length, base=base)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, positions: Tensor) -> Rotation:
        """What `rotate` wants for heads that stand at `positions` ([time] or [batch, time], all below `length`)."""
        cos, sin = self.cos[positions], self.sin[positions]
        return (cos, sin) if positions.ndim == 1 else (cos.unsqueeze(1), sin.unsqueeze(1))


def places(positions: str, width: int, *, length: int) -> nn.Module | None:
    """What gives the vectors [..., width] that are added to tokens; None for `rotary`, where heads are turned."""
    if positions == "learned":
        return nn.Embedding(length, width)
    return Sinusoidal(width, length=length) if positions == "sinusoidal" else None


def rotate(heads: Tensor, rotation: Rotation) -> Tensor:
    """Turn queries or keys [batch, heads, time, head_width]; channel i is paired with i + head_width / 2."""
    cos, sin = (part.to(heads.dtype) for part in rotation)
    return turned(heads, cos, sin)


def restarting(documents: Tensor) -> Tensor:
    """Positions [batch, time] that begin at 0 in each document; `documents` [batch, time] is constant in one."""
    return torch.arange(documents.shape[1], device=documents.device) - starts(documents)


def starts(numbers: Tensor) -> Tensor:
    """Where the run of equal numbers begins to which a place of `numbers` [batch, time] belongs."""
    places = torch.arange(numbers.shape[1], device=numbers.device).expand_as(numbers)
    begins = torch.ones_like(numbers, dtype=torch.bool)
    begins[:, 1:] = numbers[:, 1:] != numbers[:, :-1]
    return torch.where(begins, places, 0).cummax(dim=1).values


def _angles(width: int, *, length: int, base: float) -> Tensor:
    """Angle of each position and pair of channels, float32 [length, width / 2]."""
    if width % 2:
        raise ValueError(f"width is {width}, but positions turn pairs of channels and need an even one")
    frequencies = base ** -(torch.arange(0, width, 2, dtype=torch.float32) / width)
    return torch.outer(torch.arange(length, dtype=torch.float32), frequencies)
