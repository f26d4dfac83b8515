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
CHUNK = 1 << 20  # logits at a time: 4 MiB


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
        wanted = any(ctx.needs_input_grad[:3])
        with torch.autocast(hidden.device.type, enabled=False):
            nats, *gradients = _summed(hidden, weight, bias, targets, shape, dtypes if wanted else None)
        share = targets.ne(IGNORED).sum().clamp_min(1).double().reciprocal()
        ctx.save_for_backward(*gradients, share)
        return (nats * share).to(nats.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Times the gradient of what was made of the loss, and the share of a row in the mean."""
        *parts, share = ctx.saved_tensors
        factor = gradient * share
        return (*(part if part is None else part * factor for part in parts), None, None)


def _summed(  # noqa: PLR0917 - as `forward`
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    shape: Shape,
    dtypes: tuple[torch.dtype, torch.dtype] | None,
) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    """The sum of the nats, and where `dtypes` are given, its gradients by `hidden`, `weight` and `bias`."""
    to_hidden = torch.empty_like(hidden, dtype=dtypes[0]) if dtypes else hidden
    to_weight = torch.zeros_like(weight, dtype=dtypes[1]) if dtypes else weight
    to_bias = None if bias is None else torch.zeros_like(bias)
    nats = []
    real = targets.ne(IGNORED).to(torch.promote_types(hidden.dtype, torch.float32)).unsqueeze(1)  # [rows, 1]
    rows = max(1, CHUNK // len(weight))
    parts = (torch.split(part, rows) for part in (hidden, targets, real, to_hidden))
    for now, aims, some, place in zip(*parts, strict=True):
        logits = _full(F.linear(now, weight, None if bias is None else bias.to(weight.dtype)))
        loss, change = _rows(logits, aims, shape)
        nats.append(loss @ some.squeeze(1))
        if not dtypes:
            continue
        if to_bias is not None:
            to_bias += some.squeeze(1) @ change
        change = change.to(weight.dtype)
        place.copy_(change @ weight).mul_(some)
        _add_product(to_weight, change.T, now * some.to(now.dtype))
    total = torch.stack(nats).sum()
    return (total, to_hidden, to_weight, to_bias) if dtypes else (total, None, None, None)


def _rows(logits: Tensor, targets: Tensor, shape: Shape) -> tuple[Tensor, Tensor]:
    """Nats of some rows and their gradient by the logits [rows, vocab_size], which are used up.

    Exponentials are what takes time, so there is one for each logit: the log of their sum is the largest logit minus
    the log of the share that the softmax gives it.
    """
    places = targets.clamp_min(0).unsqueeze(1)
    if shape.cap:
        logits = logits.div_(shape.cap).tanh_()
        slope = 1 - logits.square()
        logits = logits * shape.cap
    aimed = logits.gather(1, places).squeeze(1)
    if shape.smoothing:
        aimed = aimed * (1 - shape.smoothing) + logits.mean(dim=-1) * shape.smoothing
    change = logits.softmax(dim=-1)
    nats = logits.amax(dim=-1) - change.amax(dim=-1).log() - aimed
    if shape.smoothing:
        change -= shape.smoothing / logits.shape[-1]
    change.scatter_add_(1, places, change.new_full(places.shape, shape.smoothing - 1))
    return nats, change * slope if shape.cap else change


def _full(logits: Tensor) -> Tensor:
    """In full precision, which a softmax over many needs."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """total += left @ right; a lower precision of the factors does not reach the sum."""
    if total.dtype == left.dtype:
        total.addmm_(left, right)
    else:
        total += left @ right
