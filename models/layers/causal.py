"""Causal attention by plain products in blocks: no query is multiplied with the keys that come after its block.

softmax(Q Kᵀ / sqrt(width) + mask) V of some queries at a time, with the keys up to the last of them, so that only the
square on the diagonal needs a mask; the gradient goes the same way. About half of the products are left. Sums over
blocks are in float32. The weights are kept for the way back, so this is for rows that are not long.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 256
"""Bytes of a column of scores at a time: 64 queries in float32, 128 in bfloat16."""


def causal_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Mixed values [batch, heads, time, head_width] of as many queries as keys, alike."""
    mixed: Tensor = _Causal.apply(*(part.flatten(0, 1) for part in (query, key, value)))  # type: ignore[no-untyped-call]
    return mixed.view(query.shape)


class _Causal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        mixed, weights = torch.empty_like(value), []
        for start, end in _blocks(query):
            scores = _products(query[:, start:end], key[:, :end].mT, query.shape[-1] ** -0.5)
            scores[:, :, start:] += _hidden(end - start, scores)
            weights.append(scores.softmax(dim=-1))
            mixed[:, start:end] = weights[-1] @ value[:, :end]
        ctx.save_for_backward(query, key, value, *weights)
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value, *weights = ctx.saved_tensors
        scale = query.shape[-1] ** -0.5
        to_query = torch.empty_like(query)
        to_key, to_value = (torch.zeros_like(part, dtype=torch.float32) for part in (key, value))
        for (start, end), shares in zip(_blocks(query), weights, strict=True):
            part = gradient[:, start:end]
            to_value[:, :end] += shares.mT @ part
            to_shares = part @ value[:, :end].mT
            to_scores = torch.ops.aten._softmax_backward_data(to_shares, shares, -1, shares.dtype)
            to_query[:, start:end] = _products(to_scores, key[:, :end], scale)
            to_key[:, :end] += _products(to_scores.mT, query[:, start:end], scale)
        return to_query, to_key.to(key.dtype), to_value.to(value.dtype)


def _blocks(query: Tensor) -> Iterator[tuple[int, int]]:
    """Where each block of queries begins and ends."""
    time, size = query.shape[1], BLOCK // query.itemsize
    return ((start, min(start + size, time)) for start in range(0, time, size))


def _products(left: Tensor, right: Tensor, scale: float) -> Tensor:
    return torch.baddbmm(left.new_empty(()), left, right, beta=0, alpha=scale)


def _hidden(size: int, scores: Tensor) -> Tensor:
    """What is added to the scores of a block with its own keys [size, size]: nothing, or -∞ for the future."""
    return scores.new_full((size, size), -torch.inf).triu(1)
