"""Multi-head attention with rotary positions and normalised queries and keys: the one attention of the project.

Papers: Vaswani et al. 2017 (arXiv 1706.03762); RoPE, Su et al. 2021 (arXiv 2104.09864); QK-norm,
Henry et al. 2020 (arXiv 2010.04245). The kernel is `scaled_dot_product_attention` of PyTorch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by


class Rotary(nn.Module):
    """Rotates pairs of channels by an angle that grows with the position, so that scores see only distances.

    The tables are float32 [length, head_width / 2]; they follow from the settings and are never saved.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, head_width: int, *, length: int, base: float = 10_000.0) -> None:
        super().__init__()
        if head_width % 2:
            raise ValueError(f"head_width is {head_width}, but rotary positions need an even one")
        frequencies = base ** -(torch.arange(0, head_width, 2, dtype=torch.float32) / head_width)
        angles = torch.outer(torch.arange(length, dtype=torch.float32), frequencies)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, heads: Tensor) -> Tensor:
        """Rotate queries or keys of shape [batch, heads, time, head_width] by their positions 0, 1, ..."""
        time = heads.shape[-2]
        cos, sin = self.cos[:time].to(heads.dtype), self.sin[:time].to(heads.dtype)
        first, second = heads.chunk(2, dim=-1)
        return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class Attention(nn.Module):
    """Self-attention over [batch, time, width]; `causal` hides the future, `rotary` gives positions.

    Queries and keys are normalised to unit root mean square, which bounds the scores and lets a
    small model learn at a high rate without diverging.
    """

    def __init__(self, width: int, *, heads: int, causal: bool, rotary: Rotary | None = None) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of heads {heads}")
        self.heads = heads
        self.causal = causal
        self.rotary = rotary
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)

    def forward(self, hidden: Tensor, *, mask: Tensor | None = None) -> Tensor:
        """Mix positions; `mask` (True = may be looked at) broadcasts to [batch, heads, time, time]."""
        batch, time, width = hidden.shape
        query, key, value = (
            part.view(batch, time, self.heads, width // self.heads).transpose(1, 2)  # [batch, heads, time, head_width]
            for part in self.query_key_value(hidden).split(width, dim=-1)
        )
        query, key = F.rms_norm(query, query.shape[-1:]), F.rms_norm(key, key.shape[-1:])
        if self.rotary is not None:
            query, key = self.rotary(query), self.rotary(key)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=self.causal)
        output: Tensor = self.output(mixed.transpose(1, 2).reshape(batch, time, width))
        return output
