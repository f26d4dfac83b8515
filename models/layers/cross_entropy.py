"""Cross-entropy of a linear layer over a large vocabulary, without the logits of all rows in memory.

loss = mean of -log softmax(W h + b)[target]. The logits of a few rows at a time stay in the cache of the
processor, and with them their gradient is taken at once: softmax(W h + b) minus 1 at the target. As in
the kernels of Wijmans et al. 2024 (arXiv 2411.09009) and Hsu et al. 2024 (arXiv 2410.10989).
Label smoothing: Szegedy et al. 2016 (arXiv 1512.00567).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

IGNORED = -100
CHUNK = 1 << 21  # logits at a time: 8 MiB


class Shape(NamedTuple):
    """What becomes of logits: `cap` c makes them c tanh(logits / c), `smoothing` is the share of all tokens alike."""

    cap: float = 0.0
    smoothing: float = 0.0


def linear_cross_entropy(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, *, cap: float = 0.0, smoothing: float = 0.0
) -> Tensor:
    """Mean nats over the targets [rows] that are not `IGNORED`; 0 if there are none.

    `hidden` [rows, width], `weight` [vocab_size, width], `bias` [vocab_size]; `cap` and `smoothing` as in `Shape`.
    """
    if torch.compiler.is_compiling():  # the compiler fuses the plain form well
        logits = _full(capped(F.linear(hidden, weight, bias), cap))
        nats = F.cross_entropy(logits, targets, reduction="sum", label_smoothing=smoothing, ignore_index=IGNORED)
        return nats / targets.ne(IGNORED).sum().clamp_min(1)
    loss: Tensor = _LinearCrossEntropy.apply(hidden, weight, bias, targets, Shape(cap, smoothing))  # type: ignore[no-untyped-call]
    return loss


def capped(logits: Tensor, cap: float) -> Tensor:
    """Logits bounded smoothly by `cap`; as they are for 0."""
    return cap * torch.tanh(logits / cap) if cap else logits


class _LinearCrossEntropy(torch.autograd.Function):
    """The gradients are taken on the way forward, and only scaled on the way back."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd knows no names
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, shape: Shape
    ) -> Tensor:
        dtypes = hidden.dtype, weight.dtype
        if torch.is_autocast_enabled(hidden.device.type):
            dtype = torch.get_autocast_dtype(hidden.device.type)
            hidden, weight = hidden.to(dtype), weight.to(dtype)
        to_hidden = torch.empty_like(hidden, dtype=dtypes[0])
        to_weight = torch.zeros_like(weight, dtype=dtypes[1])
        to_bias = None if bias is None else torch.zeros_like(bias)
        nats = []
        share = targets.ne(IGNORED).sum().clamp_min(1).double().reciprocal()
        rows = max(1, CHUNK // len(weight))
        for now, aims, place in zip(*(torch.split(part, rows) for part in (hidden, targets, to_hidden)), strict=True):
            logits = _full(F.linear(now, weight, None if bias is None else bias.to(weight.dtype)))
            loss, change = _rows(logits, aims, share, shape)
            nats.append(loss)
            if not any(ctx.needs_input_grad[:3]):
                continue
            if to_bias is not None:
                to_bias += change.sum(dim=0)
            change = change.to(weight.dtype)
            place.copy_(change @ weight)
            _add_product(to_weight, change.T, now)
        ctx.save_for_backward(to_hidden, to_weight, to_bias)
        return torch.stack(nats).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Times the gradient of what was made of the loss."""
        return (*(part if part is None else part * gradient for part in ctx.saved_tensors), None, None)


def _rows(logits: Tensor, targets: Tensor, share: Tensor, shape: Shape) -> tuple[Tensor, Tensor]:
    """Nats of some rows, times `share`, and their gradient by the logits [rows, vocab_size], which are used up."""
    wanted = targets.ne(IGNORED).to(logits.dtype) * share  # [rows]
    places = targets.clamp_min(0).unsqueeze(1)
    if shape.cap:
        logits = logits.div_(shape.cap).tanh_()
        slope = 1 - logits.square()
        logits = logits * shape.cap
    logs = logits.log_softmax(dim=-1)
    nats = -logs.gather(1, places).squeeze(1) * (1 - shape.smoothing)
    if shape.smoothing:
        nats = nats - logs.mean(dim=-1) * shape.smoothing
    change = logs.exp_()
    if shape.smoothing:
        change -= shape.smoothing / logs.shape[-1]
    change.scatter_add_(1, places, change.new_full(places.shape, shape.smoothing - 1))
    change *= wanted.unsqueeze(1)
    return (nats * wanted).sum(), change * slope if shape.cap else change


def _full(logits: Tensor) -> Tensor:
    """In full precision, which a softmax over many needs."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """total += left @ right; a lower precision of the factors does not reach the sum."""
    if total.dtype == left.dtype:
        total.addmm_(left, right)
    else:
        total += left @ right
