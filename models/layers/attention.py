"""Attention: which positions a query looks at, and the mix of what stands there. The one attention of the project.

mixed = softmax(score(query, keys)) values, with one of four scores:

- `dot_product` q·k, Luong, Pham and Manning 2015 (arXiv 1508.04025)
- `scaled_dot_product` q·k / sqrt(width), Vaswani et al. 2017 (arXiv 1706.03762)
- `general` q·(W k), Luong et al.
- `additive` v·tanh(W q + U k), Bahdanau, Cho and Bengio 2015 (arXiv 1409.0473)

Multi-head attention is Vaswani's (section 3.2): `heads` of softmax(Q Kᵀ / sqrt(head_width)) V side by side;
normalised queries and keys are Henry et al. 2020 (arXiv 2010.04245). Masks are bool, True = may be looked at, and
broadcast to [batch, queries, keys] (multi-head: [batch, heads, queries, keys]). A query that may look at nothing gets
zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from data.errors import ConfigError
from models.layers.causal import causal_attention
from models.layers.dropout import dropout as dropped
from models.layers.gradients import unit_rms
from models.layers.positions import Rotation, rotate


class Attended(NamedTuple):
    """What a query gets: `mixed` [..., queries, value_width] by `weights` [..., queries, keys] that sum to 1."""

    mixed: Tensor
    weights: Tensor


def mix(scores: Tensor, values: Tensor, mask: Tensor | None = None, *, dropout: float = 0.0) -> Attended:
    """Softmax over the keys that may be looked at, and the mean of their values [..., keys, value_width].

    A share `dropout` of the weights is left out of the mean, as in training.
    """
    if mask is None:
        weights = scores.softmax(dim=-1)
    else:  # adding to scores takes a twentieth of the time of filling them
        hidden = torch.zeros(mask.shape, dtype=scores.dtype, device=scores.device)
        hidden.masked_fill_(~mask, torch.finfo(scores.dtype).min)
        weights = (scores + hidden).softmax(dim=-1) * mask.any(dim=-1, keepdim=True)
    return Attended(dropped(weights, dropout, training=True) @ values, weights)


class ScoredAttention(nn.Module):
    """Attention of one head with a score; where keys stay the same over many queries, `prepare` them once."""

    def prepare(self, keys: Tensor) -> Tensor:
        """The part of the score that does not depend on queries, [batch, keys, score_width]."""
        return keys

    def scores(self, query: Tensor, prepared: Tensor) -> Tensor:
        """Scores [batch, queries, keys] of `query` [batch, queries, query_width] with prepared keys."""
        raise NotImplementedError

    def forward(self, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Attended:
        """Attend with `query` [batch, queries, query_width] to `keys`, `values` [batch, keys, width]."""
        return mix(self.scores(query, self.prepare(keys)), values, mask)


class DotProduct(ScoredAttention):
    """q·k times `scale`; queries and keys are of one width."""

    def __init__(self, *, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale

    def scores(self, query: Tensor, prepared: Tensor) -> Tensor:
        """Products of every query with every key."""
        return (query * self.scale) @ prepared.transpose(-2, -1)


class General(ScoredAttention):
    """q·(W k): the keys are brought into the space of the queries."""

    def __init__(self, query_width: int, key_width: int) -> None:
        super().__init__()
        self.key = nn.Linear(key_width, query_width, bias=False)

    def prepare(self, keys: Tensor) -> Tensor:
        """W k, [batch, keys, query_width]."""
        prepared: Tensor = self.key(keys)
        return prepared

    def scores(self, query: Tensor, prepared: Tensor) -> Tensor:
        """Products of every query with every W k."""
        return query @ prepared.transpose(-2, -1)


class Additive(ScoredAttention):
    """v·tanh(W q + U k). Whatever else belongs under the tanh (coverage) is added to the prepared keys."""

    def __init__(self, query_width: int, key_width: int, *, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_width, width, bias=False)
        self.key = nn.Linear(key_width, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def prepare(self, keys: Tensor) -> Tensor:
        """U k, [batch, keys, width]."""
        prepared: Tensor = self.key(keys)
        return prepared

    def scores(self, query: Tensor, prepared: Tensor) -> Tensor:
        """One small network for every pair of a query and a key."""
        pairs = self.query(query).unsqueeze(-2) + prepared.unsqueeze(-3)  # [batch, queries, keys, width]
        scores: Tensor = self.score(pairs.tanh()).squeeze(-1)
        return scores


SCORES = ("dot_product", "scaled_dot_product", "general", "additive")


def scored(score: str, *, query_width: int, key_width: int) -> ScoredAttention:
    """The attention with this score. Raises ConfigError for an unknown score, or widths that it cannot take."""
    if score not in SCORES:
        raise ConfigError(f"score is {score!r}; it must be one of {', '.join(SCORES)}")
    if score == "general":
        return General(query_width, key_width)
    if score == "additive":
        return Additive(query_width, key_width, width=query_width)
    if query_width != key_width:
        raise ConfigError(f"score is {score!r} with queries of {query_width} and keys of {key_width}; use 'general'")
    return DotProduct(scale=query_width**-0.5 if score == "scaled_dot_product" else 1.0)


def causal_mask(queries: int, keys: int, *, device: torch.device | None = None) -> Tensor:
    """Bool [queries, keys]: the last query stands at the last key, and none sees what comes after it."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


def padding_mask(lengths: Tensor, *, time: int) -> Tensor:
    """Bool [batch, 1, 1, time]: keys before the length of their row; drop an axis for `ScoredAttention`."""
    return (torch.arange(time, device=lengths.device) < lengths.unsqueeze(1))[:, None, None]


def document_mask(documents: Tensor) -> Tensor:
    """Bool [batch, 1, time, time]: keys of the query's own document; `documents` [batch, time] are their numbers."""
    return (documents.unsqueeze(2) == documents.unsqueeze(1)).unsqueeze(1)


def both(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """What both masks show; None hides nothing."""
    if first is None or second is None:
        return second if first is None else first
    return first & second


class KeyValues:
    """Keys and values seen so far, [batch, heads, time, head_width] each, kept for the next tokens.

    They are written in place: for inference, not for gradients.
    """

    def __init__(self) -> None:
        self._keys: Tensor | None = None
        self._values: Tensor | None = None
        self._time = 0

    def __len__(self) -> int:
        """Number of positions."""
        return self._time

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Add positions; returns the keys and values of all."""
        before, self._time = self._time, self._time + keys.shape[2]
        self._keys = _with_room(self._keys, keys, before, self._time)
        self._values = _with_room(self._values, values, before, self._time)
        return self.all()

    def all(self) -> tuple[Tensor, Tensor]:
        """The keys and values of all positions."""
        if self._keys is None or self._values is None:
            raise ValueError("no keys were seen yet")
        return self._keys[:, :, : self._time], self._values[:, :, : self._time]

    def select(self, rows: Tensor) -> None:
        """Keep these rows [new batch] of the batch, in this order; a beam search repeats and drops some."""
        if self._keys is not None and self._values is not None:
            self._keys, self._values = self._keys[rows], self._values[rows]


PLAIN = {torch.bfloat16: range(1, 513), torch.float32: range(192, 513)}
"""Numbers of keys for which products are faster on a processor than the fused kernel, by the type of the numbers.

Forward and backward, ms of a core: 4 rows, 4 heads of 32, 128 keys: float32 3.0 against 2.7, bfloat16 1.7 against 6.9;
8 rows, 6 heads of 64, 256 keys: 34 against 39, 20 against 46; 4 rows, 8 heads of 64, 512 keys: 71 against 104, 42
against 100. Past them the weights, which the products keep and the kernel does not, take too much memory. With another
mask than the causal one products pay in bfloat16 alone.
"""


def attend(
    query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None, causal: bool, dropout: float = 0.0
) -> Tensor:
    """Scaled dot products of [batch, heads, time, head_width]; `causal` for as many queries as keys, without mask."""
    plain = value.device.type == "cpu" and key.shape[2] in PLAIN.get(value.dtype, ())
    if plain and causal and not dropout and not torch.compiler.is_compiling():
        return causal_attention(query, key, value)
    if plain and value.dtype == torch.bfloat16:
        if causal:
            mask = causal_mask(query.shape[2], key.shape[2])
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        return mix(scores, value, mask, dropout=dropout).mixed
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout, is_causal=causal)


class MultiHead(nn.Module):
    """What self- and cross-attention share: heads, and the mix."""

    def __init__(self, width: int, *, heads: int, bias: bool, query_key_norm: bool, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ConfigError(f"width {width} is not a multiple of heads {heads}")
        self.heads = heads
        self.query_key_norm = query_key_norm
        self.dropout = dropout
        self.output = nn.Linear(width, width, bias=bias)
        self.recorded: list[Tensor] | None = None

    def split(self, states: Tensor) -> Tensor:
        """[batch, time, width] → [batch, heads, time, head_width]."""
        return states.view(*states.shape[:-1], self.heads, -1).transpose(1, 2)

    def normalised(self, heads: Tensor) -> Tensor:
        """Queries or keys at unit root mean square, which bounds the scores; as they are without `query_key_norm`."""
        return unit_rms(heads) if self.query_key_norm else heads

    def mix(self, query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None, causal: bool) -> Tensor:
        """The mixed values of all heads, [batch, queries, width]."""
        queries, keys = query.shape[2], key.shape[2]
        if causal and queries > 1 and (mask is not None or keys > queries or self.recorded is not None):
            mask, causal = both(mask, causal_mask(queries, keys, device=query.device)), False
        if self.recorded is not None:
            mixed, weights = mix(query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5, value, mask)
            self.recorded.append(weights.detach())
        else:
            rate = self.dropout if self.training else 0.0
            mixed = attend(query, key, value, mask=mask, causal=causal and queries > 1, dropout=rate)
        output: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return output


class Attention(MultiHead):
    """Self-attention over [batch, time, width]; `causal` hides the future."""

    def __init__(
        self,
        width: int,
        *,
        heads: int,
        causal: bool,
        bias: bool = False,
        query_key_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(width, heads=heads, bias=bias, query_key_norm=query_key_norm, dropout=dropout)
        self.causal = causal
        self.query_key_value = nn.Linear(width, 3 * width, bias=bias)

    def forward(
        self,
        hidden: Tensor,
        *,
        mask: Tensor | None = None,
        rotation: Rotation | None = None,
        cache: KeyValues | None = None,
    ) -> Tensor:
        """Mix positions; those in `cache` come before `hidden`, which is added to it."""
        query, key, value = (self.split(part) for part in self.query_key_value(hidden).chunk(3, dim=-1))
        query, key = self.normalised(query), self.normalised(key)
        if rotation is not None:
            query, key = rotate(query, rotation), rotate(key, rotation)
        if cache is not None:
            key, value = cache.append(key, value)
        return self.mix(query, key, value, mask=mask, causal=self.causal)


class CrossAttention(MultiHead):
    """Attention from [batch, queries, width] to a memory [batch, keys, memory_width], what an encoder made."""

    def __init__(
        self,
        width: int,
        *,
        heads: int,
        memory_width: int | None = None,
        bias: bool = False,
        query_key_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(width, heads=heads, bias=bias, query_key_norm=query_key_norm, dropout=dropout)
        self.query = nn.Linear(width, width, bias=bias)
        self.key_value = nn.Linear(memory_width or width, 2 * width, bias=bias)

    def forward(
        self, hidden: Tensor, memory: Tensor, *, mask: Tensor | None = None, cache: KeyValues | None = None
    ) -> Tensor:
        """Mix the memory; with a `cache` its keys and values are made at the first call only."""
        query = self.normalised(self.split(self.query(hidden)))
        if cache is not None and len(cache):
            return self.mix(query, *cache.all(), mask=mask, causal=False)
        key, value = (self.split(part) for part in self.key_value(memory).chunk(2, dim=-1))
        key = self.normalised(key)
        if cache is not None:
            key, value = cache.append(key, value)
        return self.mix(query, key, value, mask=mask, causal=False)


@contextmanager
def recording(model: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """Collect the weights of every multi-head attention in `model`, for heat maps.

    By the name of the module one tensor [batch, heads, queries, keys] a call; attention is slower meanwhile,
    and applies no dropout.
    """
    layers = {name: module for name, module in model.named_modules() if isinstance(module, MultiHead)}
    weights: dict[str, list[Tensor]] = {name: [] for name in layers}
    try:
        for name, layer in layers.items():
            layer.recorded = weights[name]
        yield weights
    finally:
        for layer in layers.values():
            layer.recorded = None


def _with_room(kept: Tensor | None, new: Tensor, before: int, time: int) -> Tensor:
    """`new` [batch, heads, new time, head_width] written after `before` positions; room doubles when it is short."""
    if kept is None or kept.shape[2] < time:
        roomy = new.new_empty((*new.shape[:2], 2 * time, new.shape[3]))
        if kept is not None:
            roomy[:, :, :before] = kept[:, :, :before]
        kept = roomy
    kept[:, :, before:time] = new
    return kept
