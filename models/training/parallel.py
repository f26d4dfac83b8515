"""Several processes that learn together (`torchrun`): each takes its rows of every batch, gradients are summed.

Every process computes the batch of a step by itself, so that nothing but gradients and sums is sent. Losses are scaled
by the units of the whole batch, so that the sum over processes is the gradient of one process with the same batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
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

    def share(self, parts: list[list[int]]) -> list[tuple[int, list[int]]]:
        """The micro-batches of this process out of all of a step, each with its number among them."""
        each = len(parts) // self.size
        return list(enumerate(parts))[self.rank * each : (self.rank + 1) * each]

    def sum(self, weights: Iterable[Tensor]) -> None:
        """Sum the gradients of all processes, in place, as one message."""
        if self.size == 1:
            return
        weights = list(weights)
        for weight in weights:
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        flat = torch.cat([weight.grad.flatten().float() for weight in weights if weight.grad is not None])
        distributed.all_reduce(flat)
        start = 0
        for weight in weights:
            if weight.grad is not None:
                weight.grad.copy_(flat[start : start + weight.numel()].view_as(weight))
            start += weight.numel()

    def total(self, value: float) -> float:
        """The sum of a number over all processes."""
        if self.size == 1:
            return value
        summed = torch.tensor([value], dtype=torch.float64, device=_device())
        distributed.all_reduce(summed)
        return float(summed)

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
    """The processes that `torchrun` started, by gloo on processors and NCCL on GPUs; one alone where it did not."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World()
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()


def _device() -> torch.device:
    return torch.device("cuda" if distributed.get_backend() == "nccl" else "cpu")
