"""The moving average of the weights over the steps of a training, which is validated and kept in their place.

Polyak and Juditsky 1992 for averages, Tarvainen and Valpola 2017 (arXiv 1703.01780) for moving ones:

    average ← d average + (1 - d) weights,    d = min(decay, (1 + t) / (10 + t)) after step t (from 0)

The first steps count less than the decay says, so that the weights before the training are soon forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """The average of the weights of a model that learn; weights that nobody learns are not in it."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self.tensors = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self.decay = decay

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Take in the weights as they are after step `step` (from 0)."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.tensors.values()), list(self.weights.values()), share)

    @torch.no_grad()
    def take_place(self) -> None:
        """Give the model the average for its weights."""
        for name, weight in self.weights.items():
            weight.copy_(self.tensors[name])

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model has the average for its weights; after that its own again, to the bit."""
        own = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self.take_place()
        try:
            yield
        finally:
            with torch.no_grad():
                for name, weight in self.weights.items():
                    weight.copy_(own[name])

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        for name, tensor in self.tensors.items():
            tensor.copy_(tensors[name])
