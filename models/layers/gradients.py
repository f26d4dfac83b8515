"""Functions of every position whose gradients are written out: fewer passes over memory than autograd puts together.

On a processor such functions take as long as their passes: these take 45 to 70 % of the time of the plain forms. Under
`torch.compile`, which does as much by itself, the plain forms are used.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by


def squared_relu(states: Tensor) -> Tensor:
    """max(x, 0)²; its gradient is 2 max(x, 0)."""
    if torch.compiler.is_compiling():
        return F.relu(states).square()
    squared: Tensor = _SquaredReLU.apply(states)  # type: ignore[no-untyped-call]
    return squared


def gelu_tanh(states: Tensor) -> Tensor:
    """GELU by its approximation, Hendrycks and Gimpel 2016 (arXiv 1606.08415, section 2).

    x (1 + tanh z) / 2 = x σ(2z) with z = sqrt(2 / π) (x + 0.044715 x³): a σ takes a sixth of the time of a tanh. The
    slope σ + x σ (1 - σ) (2z)' is taken on the way forward, where all of it is in the cache.
    """
    if torch.compiler.is_compiling() or states.device.type != "cpu":
        return F.gelu(states, approximate="tanh")
    activated: Tensor = _GeluTanh.apply(states)  # type: ignore[no-untyped-call]
    return activated


def unit_rms(states: Tensor, *, epsilon: float | None = None) -> Tensor:
    """y = x r, r = 1 / sqrt(mean of x² over the last axis + epsilon); its gradient by x is r (g - y mean of g y)."""
    epsilon = torch.finfo(states.dtype).eps if epsilon is None else epsilon
    if torch.compiler.is_compiling():
        return F.rms_norm(states, states.shape[-1:], eps=epsilon)
    normalised: Tensor = _UnitRMS.apply(states, epsilon)  # type: ignore[no-untyped-call]
    return normalised


def turned(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Pairs of channels (i, i + half) turned by angles [..., half]; the gradient is turned back."""
    if torch.compiler.is_compiling():
        first, second = states.chunk(2, dim=-1)
        return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
    return _Turned.apply(states, torch.cat((cos, cos), dim=-1), torch.cat((-sin, sin), dim=-1))  # type: ignore[no-any-return, no-untyped-call]


class RMSNorm(nn.Module):
    """`unit_rms` times a learned gain per channel, Zhang and Sennrich 2019 (arXiv 1910.07467)."""

    def __init__(self, width: int, *, epsilon: float | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, states: Tensor) -> Tensor:
        """States [..., width]."""
        return unit_rms(states, epsilon=self.epsilon) * self.weight


class _SquaredReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor) -> Tensor:
        positive = states.relu()
        ctx.save_for_backward(positive)
        return positive * positive

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        positive: Tensor = ctx.saved_tensors[0]
        return (gradient * positive).mul_(2)


_PIECE = 1 << 16
"""Numbers at a time: a few such pieces in float32 stay in the cache of a core."""
_SCALE, _CUBE = 2 * math.sqrt(2 / math.pi), 0.044715


class _GeluTanh(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor) -> Tensor:
        states = states.contiguous()
        activated = torch.empty_like(states)
        full = torch.promote_types(states.dtype, torch.float32)
        slope = torch.empty_like(states, dtype=full) if ctx.needs_input_grad[0] else None
        outputs = (activated, *([] if slope is None else [slope]))
        for x, *parts in zip(*(torch.split(part.view(-1), _PIECE) for part in (states, *outputs)), strict=True):
            _gelu(x.to(full), *parts)
        ctx.save_for_backward(slope)
        return activated

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return torch.mul(gradient, ctx.saved_tensors[0], out=torch.empty_like(gradient))


def _gelu(x: Tensor, activated: Tensor, slope: Tensor | None = None) -> None:
    """Write σ(u) x and its slope, u = 2z."""
    square = x * x
    u = torch.add(x.new_tensor(_SCALE), square, alpha=_SCALE * _CUBE).mul_(x)
    share = u.sigmoid()
    torch.mul(x, share, out=activated)
    if slope is not None:
        third = torch.sub(u, x, alpha=2 * _SCALE / 3, out=u)  # x u' / 3, as x u' = 3 u - 2 _SCALE x
        fall = torch.addcmul(share, share, share, value=-1, out=square)
        torch.addcmul(share, fall, third, value=3, out=slope)


class _UnitRMS(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, epsilon: float) -> Tensor:
        full = torch.promote_types(states.dtype, torch.float32)
        length = torch.linalg.vector_norm(states, dim=-1, keepdim=True, dtype=full)
        scale = length.square_().div_(states.shape[-1]).add_(epsilon).rsqrt_().to(states.dtype)
        normalised: Tensor = states * scale
        ctx.save_for_backward(normalised, scale)
        return normalised

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        normalised, scale = ctx.saved_tensors
        along = (gradient * normalised).mean(dim=-1, keepdim=True)
        change: Tensor = torch.addcmul(gradient, normalised, along, value=-1).mul_(scale)
        return change, None


class _Turned(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _turn(states, cos, sin)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return _turn(gradient, cos, -sin), None, None


def _turn(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    return torch.addcmul(states * cos, states.roll(states.shape[-1] // 2, -1), sin)
