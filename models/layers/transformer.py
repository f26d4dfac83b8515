"""The Transformer block: attention and a feed-forward network, each added to the residual stream.

- residual `post`: x ← norm(x + f(x)), Vaswani et al. 2017 (arXiv 1706.03762)
- residual `pre`: x ← x + f(norm(x)), Xiong et al. 2020 (arXiv 2002.04745)
- residual `rezero`: x ← x + α f(x), α learned from 0, no norm, Bachlechner et al. 2020 (arXiv 2003.04887)
- norm `layer`: Ba, Kiros and Hinton 2016 (arXiv 1607.06450); `rms`: Zhang and Sennrich 2019 (arXiv 1910.07467)
- activation `relu`, `gelu`, `gelu_tanh`: Hendrycks and Gimpel 2016 (arXiv 1606.08415); `squared_relu`: So et al. 2021
  (arXiv 2109.08668); `swiglu`: Shazeer 2020 (arXiv 2002.05202)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from models.checks import demand, demand_one_of
from models.layers.attention import Attention, CrossAttention, KeyValues
from models.layers.dropout import Dropout
from models.layers.gradients import RMSNorm, gelu_tanh, squared_relu
from models.layers.positions import Rotation

NORMS = ("rms", "layer")
RESIDUALS = ("pre", "post", "rezero")


def swiglu(hidden: Tensor) -> Tensor:
    """silu(gate) value, of the two halves of [..., 2 x width]."""
    gate, value = hidden.chunk(2, dim=-1)
    return F.silu(gate) * value


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": gelu_tanh,
    "squared_relu": squared_relu,
    "swiglu": swiglu,
}


@dataclass(frozen=True, kw_only=True)
class BlockConfig:
    """What a block is made of. `cross` adds attention to a memory (decoders); rates of dropout are shares."""

    width: int
    heads: int
    causal: bool
    expansion: int = 4
    cross: bool = False
    norm: str = "rms"
    norm_epsilon: float | None = None
    residual: str = "pre"
    activation: str = "squared_relu"
    bias: bool = False
    query_key_norm: bool = False
    dropout: float = 0.0
    attention_dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no block can be."""
        for name in ("width", "heads", "expansion"):
            demand(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        demand(self.width % self.heads == 0, "width", self.width, f"a multiple of heads ({self.heads})")
        for name, known in (("norm", NORMS), ("residual", RESIDUALS), ("activation", ACTIVATIONS)):
            demand_one_of(name, getattr(self, name), known)
        for name in ("dropout", "attention_dropout"):
            demand(0 <= getattr(self, name) < 1, name, getattr(self, name), "at least 0 and below 1")


@dataclass
class BlockCache:
    """What a block keeps between the tokens of a generation."""

    own: KeyValues = field(default_factory=KeyValues)
    memory: KeyValues = field(default_factory=KeyValues)

    def select(self, rows: Tensor) -> None:
        """Keep these rows of the batch, in this order."""
        self.own.select(rows)
        self.memory.select(rows)


class FeedForward(nn.Module):
    """width → expansion x width → width with an activation between, position by position.

    SwiGLU multiplies two halves, so it gets two thirds of the width between, and as many parameters as the others.
    """

    def __init__(self, config: BlockConfig) -> None:
        super().__init__()
        inner = config.expansion * config.width
        gated = config.activation == "swiglu"
        if gated:
            inner = -(-2 * inner // 3 // 8) * 8  # a multiple of 8
        self.rise = nn.Linear(config.width, 2 * inner if gated else inner, bias=config.bias)
        self.output = nn.Linear(inner, config.width, bias=config.bias)
        self.activation = ACTIVATIONS[config.activation]

    def forward(self, hidden: Tensor) -> Tensor:
        """Transform [batch, time, width] to the same shape."""
        output: Tensor = self.output(self.activation(self.rise(hidden)))
        return output


class Block(nn.Module):
    """One layer of a Transformer over [batch, time, width]."""

    def __init__(self, config: BlockConfig) -> None:
        super().__init__()
        self.residual = config.residual
        self.attention = Attention(
            config.width,
            heads=config.heads,
            causal=config.causal,
            bias=config.bias,
            query_key_norm=config.query_key_norm,
            dropout=config.attention_dropout,
        )
        self.attention_norm = _scale(config)
        if config.cross:
            self.cross_attention = CrossAttention(
                config.width,
                heads=config.heads,
                bias=config.bias,
                query_key_norm=config.query_key_norm,
                dropout=config.attention_dropout,
            )
            self.cross_attention_norm = _scale(config)
        self.feed_forward = FeedForward(config)
        self.feed_forward_norm = _scale(config)
        self.dropout = Dropout(config.dropout)

    def forward(
        self,
        hidden: Tensor,
        *,
        mask: Tensor | None = None,
        rotation: Rotation | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        cache: BlockCache | None = None,
    ) -> Tensor:
        """Add what attention and feed-forward have to say; the shape stays [batch, time, width].

        `memory` [batch, keys, width] is what `cross` looks at; masks as in `models.layers.attention`.
        """
        own, kept = (None, None) if cache is None else (cache.own, cache.memory)
        hidden = self._add(
            hidden, self.attention_norm, lambda x: self.attention(x, mask=mask, rotation=rotation, cache=own)
        )
        if memory is not None:
            hidden = self._add(
                hidden,
                self.cross_attention_norm,
                lambda x: self.cross_attention(x, memory, mask=memory_mask, cache=kept),
            )
        return self._add(hidden, self.feed_forward_norm, self.feed_forward)

    def _add(self, hidden: Tensor, norm: nn.Module, change: Callable[[Tensor], Tensor]) -> Tensor:
        if self.residual == "pre":
            return hidden + self.dropout(change(norm(hidden)))  # type: ignore[no-any-return]
        changed = self.dropout(change(hidden))
        if self.residual == "post":
            return norm(hidden + changed)  # type: ignore[no-any-return]
        return hidden + norm(changed)  # type: ignore[no-any-return]


class ReZero(nn.Module):
    """Multiplies by one learned number, 0 at first, so that every layer begins as the identity."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, change: Tensor) -> Tensor:
        """α f(x)."""
        return self.gain * change


def norm_of(norm: str, width: int, *, epsilon: float | None = None, bias: bool = True) -> nn.Module:
    """The normalisation of this name (`NORMS`); `bias` is LayerNorm's."""
    if norm == "rms":
        return RMSNorm(width, epsilon=epsilon)
    return nn.LayerNorm(width, eps=1e-5 if epsilon is None else epsilon, bias=bias)


def _scale(config: BlockConfig) -> nn.Module:
    if config.residual == "rezero":
        return ReZero()
    return norm_of(config.norm, config.width, epsilon=config.norm_epsilon, bias=config.bias)
