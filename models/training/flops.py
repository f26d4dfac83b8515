"""How many floating-point operations a step takes, and how many a machine can do.

Operations are those of matrix products, as PyTorch counts them, forward and backward; the kernels that it does not know
on processors (attention, LSTM) are added here. What a machine can do is measured: the best of some large products.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils import flop_counter

from models.learner import Batch, Learner, on
from models.training.devices import autocast, numbers

PEAK_SECONDS = 0.3
_SIDES = {"cpu": 512, "cuda": 8192, "mps": 2048}
"""Of a processor small: 3 ms, which on a busy machine may pass undisturbed."""


def flops_of(
    learner: Learner, batch: Batch, step: int, *, device: torch.device, precision: str, compiled: bool = False
) -> int:
    """Operations to learn from a batch in step `step`: every turn, forward and backward.

    Nothing is learned: weights, buffers, the mode and random numbers are as they were, and no gradient is left.
    """
    buffers = {name: buffer.clone() for name, buffer in learner.model.named_buffers()}
    held = on(device, batch)
    with (
        torch.random.fork_rng(devices=[device] if device.type == "cuda" else []),
        torch.compiler.set_stance("force_eager") if compiled else nullcontext(),  # it cannot be looked into
        flop_counter.FlopCounterMode(display=False, custom_mapping=_formulas()) as counter,
    ):
        for player in learner.turns(step):
            with autocast(device, precision):
                loss = learner.loss(held, step=step, player=player)
            loss.mean.backward()  # type: ignore[no-untyped-call]
    learner.model.zero_grad(set_to_none=True)
    with torch.no_grad():
        for name, buffer in learner.model.named_buffers():
            buffer.copy_(buffers[name])
    return int(counter.get_total_flops())


def matrix_peak(device: torch.device, precision: str) -> float:
    """Operations per second of large matrix products on the device, in the precision and threads of the training."""
    return _measured(str(device), numbers(device, precision), torch.get_num_threads())


@cache
def _measured(name: str, kind: torch.dtype, threads: int) -> float:  # noqa: ARG001 - another number, another peak
    """The best rate of PEAK_SECONDS of processor time, three times that by the clock, once per process."""
    device = torch.device(name)
    side = _SIDES.get(device.type, 1024)
    matrix = torch.linspace(-1, 1, side * side, device=device).reshape(side, side).to(kind)
    best = min(_seconds(matrix, device), _seconds(matrix, device))
    spent, end = time.process_time() + PEAK_SECONDS, time.perf_counter() + 3 * PEAK_SECONDS
    while time.process_time() < spent and time.perf_counter() < end:
        best = min(best, _seconds(matrix, device))
    return 2 * side**3 / best


def _seconds(matrix: Tensor, device: torch.device) -> float:
    """How long a product of the matrix with itself takes."""
    started = time.perf_counter()
    product = matrix @ matrix
    if device.type == "cpu":
        return time.perf_counter() - started
    float(product[0, 0])  # waits for the device
    return time.perf_counter() - started


def _formulas() -> dict[Any, Any]:
    """Operations of the kernels that FlopCounterMode does not know, from the shapes of their arguments."""
    aten = torch.ops.aten
    return {
        aten._scaled_dot_product_flash_attention_for_cpu: _attention_forward,
        aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
        aten.mkldnn_rnn_layer: _rnn_forward,
        aten.mkldnn_rnn_layer_backward: _rnn_backward,
    }


def _attention_forward(queries: Any, keys: Any, values: Any, *_: Any, **__: Any) -> int:
    """Scores and mixed values, both with [batch, heads, time, head_width]; a causal mask is not taken off."""
    return int(flop_counter.sdpa_flop_count(queries, keys, values))  # type: ignore[no-untyped-call]


def _attention_backward(gradient: Any, queries: Any, keys: Any, values: Any, *_: Any, **__: Any) -> int:
    """The scores again, and the gradients of both products."""
    return int(flop_counter.sdpa_backward_flop_count(gradient, queries, keys, values))  # type: ignore[no-untyped-call]


def _rnn_forward(states: Any, inner: Any, outer: Any, *_: Any, **__: Any) -> int:
    """Two products in each time step: of the input [time, batch, width] and of the state with their weights."""
    return 2 * int(states[0]) * int(states[1]) * (int(inner[0]) * int(inner[1]) + int(outer[0]) * int(outer[1]))


def _rnn_backward(states: Any, inner: Any, outer: Any, *_: Any, **__: Any) -> int:
    """Each product of the forward pass has two gradients."""
    return 2 * _rnn_forward(states, inner, outer)
