"""Several processes that learn together (`torchrun`): each takes its rows of every batch, gradients are summed.

Every process computes the batch of a step by itself, so that nothing but gradients and sums is sent. Losses are scaled
by the units of the whole batch, so that the sum over processes is the gradient of one process with the same batch.
"""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class World:
    """How many processes there are, and which one this is."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes, tells and decides."""
        return self.rank == 0

    def sum(self, weights: Iterable[Tensor]) -> None:
        """Sum the gradients of all processes as one message; a weight that nobody learned from has none."""
        if self.size == 1:
            return
        weights = list(weights)
        there = [float(weight.grad is not None) for weight in weights]
        parts = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
        flat = torch.cat([*(part.flatten().float() for part in parts), torch.tensor(there, device=_device())])
        distributed.all_reduce(flat)
        *sums, learned = torch.split(flat, [*(weight.numel() for weight in weights), len(weights)])
        for weight, total, some in zip(weights, sums, learned.tolist(), strict=True):
            weight.grad = total.view_as(weight).to(weight.dtype) if some else None

    def totals(self, values: Mapping[str, float]) -> dict[str, float]:
        """The sums of numbers over all processes by name; a process may have nothing to add to some of them."""
        if self.size == 1:
            return dict(values)
        found: list[dict[str, float]] = [{} for _ in range(self.size)]
        distributed.all_gather_object(found, dict(values))
        names = dict.fromkeys(name for one in found for name in one)
        return {name: math.fsum(one.get(name, 0.0) for one in found) for name in names}

    def agree(self, decided: bool) -> bool:
        """What the first process decided: clocks differ."""
        if self.size == 1:
            return decided
        told = torch.tensor([float(decided)], device=_device())
        distributed.broadcast(told, src=0)
        return bool(told)

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """The processes that `torchrun` started, by gloo on processors and NCCL on GPUs; one alone where it did not.

    Those that joined before, in code around the training, stay so after it.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World()
        return
    if distributed.is_initialized():
        yield World(distributed.get_rank(), size)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)  # NCCL sends from the device of the process
    _import_before_group()
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()


def _import_before_group() -> None:
    """Import what optimisers would import later: defaults of its functions are the group there is at the import.

    They would keep the group and its threads beyond its end, and a thread that then drops a tensor while Python ends
    aborts the process, and with it the first one, which may still be writing.
    """
    importlib.import_module("torch.distributed.nn")


def _device() -> torch.device:
    return torch.device("cuda" if distributed.get_backend() == "nccl" else "cpu")
