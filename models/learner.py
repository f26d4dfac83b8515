"""What a family of models gives to the training loop: a module, a loss, and how many units each row predicts.

Everything that a step does follows from the weights, the state of the optimisers, the number of the step and the
seed; that is why a training that was killed goes on exactly. Random numbers inside a loss (dropout, sampling) come from
torch's global generator, which the loop seeds for each step and micro-batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from data.errors import TextmillError


class NothingToMeasureError(TextmillError, ValueError):
    """The validation data predict nothing."""


Batch = Mapping[str, Tensor]
"""Tensors by name; the first axis of each is the rows, so that a batch can be cut into micro-batches."""


@dataclass(frozen=True)
class Loss:
    """`mean` is what is minimised, in nats per unit; `parts` are further means to be recorded (no gradient needed)."""

    mean: Tensor
    parts: Mapping[str, Tensor] = field(default_factory=dict)


class Batches(Protocol):
    """Data addressed by step: a step's batch can be had without those before it."""

    @property
    def fingerprint(self) -> str:
        """Of the data and of their order; a checkpoint is refused where it differs."""

    def __len__(self) -> int:
        """Rows of an epoch."""

    def batch(self, step: int, *, batch_size: int) -> Batch:
        """What step `step` (from 0) learns from: `batch_size` rows."""


class Learner:
    """A model and how it learns. One with a single optimiser writes `loss` and `weights`; a GAN has two players."""

    model: nn.Module
    unit = "tokens"

    compiled: Sequence[str] = ("forward",)
    """Methods of the model that the loss runs, for `torch.compile`, as `encoder.forward`; none where it cannot be."""

    def players(self) -> Mapping[str, nn.Module]:
        """Modules that are learned apart, each by an optimiser of its own, by name."""
        return {"model": self.model}

    def turns(self, step: int) -> Sequence[str]:  # noqa: ARG002 - a GAN looks at it
        """Who learns in a step, in order; a player may have several turns."""
        return ("model",)

    def rate(self, step: int, player: str) -> float:  # noqa: ARG002 - a GAN looks at them
        """What the learning rate of a step is multiplied by for a player."""
        return 1.0

    def weights(self, batch: Batch) -> Tensor:
        """Units (tokens, words, rows) that each row predicts, float [rows]."""
        raise NotImplementedError

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:
        """Mean loss over the units of the rows of a batch."""
        raise NotImplementedError

    headline = "loss"
    """The figure that a card begins with, and that promotion compares."""

    def measure(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Scores on held-out batches, `loss` among them. The model is in evaluation mode and no gradient is kept."""
        return self.figures(self.means(batches))

    def means(self, batches: Iterable[Batch]) -> dict[str, float]:
        """The mean loss over all units of some batches, `loss`, and that of every part of the loss."""
        units = 0.0
        sums: dict[str, float] = {}
        for batch in batches:
            if not (share := float(self.weights(batch).sum())):
                continue  # a mean over nothing is no number
            found = self.loss(batch, step=self.measured_as)
            units += share
            for name, value in {"loss": found.mean, **found.parts}.items():
                sums[name] = sums.get(name, 0.0) + share * float(value)
        if not units:
            raise NothingToMeasureError(f"no {self.unit} to measure on; give more validation data")
        return {name: total / units for name, total in sums.items()}

    def figures(self, means: Mapping[str, float]) -> dict[str, float]:
        """The scores that follow from means over all units: these themselves, and functions of them."""
        return dict(means)

    measured_as = 1 << 62
    """The step that a validation loss stands for: schedules inside a loss (of KL, say) have come to their end."""


def perplexity(nats: float) -> float:
    """exp of a mean in nats; beyond 700 nats it would be no float."""
    return math.exp(min(nats, 700.0))


def on(device: torch.device, batch: Batch) -> dict[str, Tensor]:
    """The batch on a device."""
    return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
