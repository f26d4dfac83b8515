"""The Transformer block: normalise, attend, normalise, transform, each added to the residual stream.

Papers: pre-norm, Xiong et al. 2020 (arXiv 2002.04745); RMSNorm, Zhang and Sennrich 2019 (arXiv
1910.07467); squared ReLU, So et al. 2021 (arXiv 2109.08668).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from models.layers.attention import Attention, Rotary


class FeedForward(nn.Module):
    """width → expansion x width → width with a squared ReLU between, position by position."""

    def __init__(self, width: int, *, expansion: int = 4) -> None:
        super().__init__()
        self.rise = nn.Linear(width, expansion * width, bias=False)
        self.output = nn.Linear(expansion * width, width, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """Transform [batch, time, width] to the same shape."""
        output: Tensor = self.output(F.relu(self.rise(hidden)).square())
        return output


class Block(nn.Module):
    """One layer of a Transformer over [batch, time, width]."""

    def __init__(
        self, width: int, *, heads: int, expansion: int = 4, causal: bool, rotary: Rotary | None = None
    ) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(width)
        self.attention = Attention(width, heads=heads, causal=causal, rotary=rotary)
        self.feed_forward_norm = nn.RMSNorm(width)
        self.feed_forward = FeedForward(width, expansion=expansion)

    def forward(self, hidden: Tensor, *, mask: Tensor | None = None) -> Tensor:
        """Add what attention and feed-forward have to say; the shape stays [batch, time, width]."""
        hidden = hidden + self.attention(self.attention_norm(hidden), mask=mask)
        output: Tensor = hidden + self.feed_forward(self.feed_forward_norm(hidden))
        return output
