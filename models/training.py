"""The training loop: AdamW, warm-up and cosine decay, gradient clipping, a record of what happened.

It knows no architecture: a model is a module with `loss(batch)`, data is anything that gives the batch
of a step. The number of steps is fixed, never the time, so equal seeds give equal weights on
one type of machine. Papers: AdamW, Loshchilov and Hutter 2019 (arXiv 1711.05101); cosine decay, the
same authors 2017 (arXiv 1608.03983).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy.typing as npt
import torch
from torch import Tensor, nn, optim

from data.errors import ConfigError, TextmillError
from data.progress import Progress, ignore

VERSION = 1


class TrainingConfigError(ConfigError):
    """A field of `TrainingConfig` cannot be used; the message names it."""


class DivergedError(TextmillError, RuntimeError):
    """The loss is not a number any more."""


class Batches(Protocol):
    """Training data addressed by step, see `models.language.batches.Blocks`."""

    def batch(self, step: int, *, batch_size: int) -> npt.NDArray[Any]:
        """What the step trains on."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How long and how fast to learn.

    `learning_rate` is the peak, reached after `warmup_steps` and lowered along a cosine to
    `final_rate` times it; embedding tables learn `embedding_rate` times as fast. `clip` is the largest
    norm of the gradient.
    """

    steps: int = 400
    batch_size: int = 4
    learning_rate: float = 2e-3
    warmup_steps: int = 40
    final_rate: float = 0.05
    embedding_rate: float = 5.0
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    clip: float = 1.0
    validate_every: int = 100
    validation_batches: int = 16

    def __post_init__(self) -> None:
        """Refuse values with which no training can work."""
        for name in ("steps", "batch_size", "validate_every", "validation_batches"):
            _demand(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("learning_rate", "embedding_rate", "clip"):
            _demand(getattr(self, name) > 0, name, getattr(self, name), "above 0")
        for name in ("beta1", "beta2"):
            _demand(0 <= getattr(self, name) < 1, name, getattr(self, name), "at least 0 and below 1")
        _demand(0 <= self.final_rate <= 1, "final_rate", self.final_rate, "between 0 and 1")
        _demand(self.weight_decay >= 0, "weight_decay", self.weight_decay, "at least 0")
        _demand(0 <= self.warmup_steps <= self.steps, "warmup_steps", self.warmup_steps, f"0 to steps ({self.steps})")


@dataclass(frozen=True)
class TrainingRecord:
    """What a training did. Losses are means in nats; steps count from 1.

    `train_loss` has one value per step; `validation_loss` belongs to `validation_steps`. `samples` is
    the number of training samples (blocks) seen. `seconds` depends on the machine and takes no
    part in comparisons.
    """

    train_loss: tuple[float, ...]
    validation_steps: tuple[int, ...]
    validation_loss: tuple[float, ...]
    samples: int
    seconds: float = field(compare=False, default=0.0)

    def as_json(self) -> dict[str, Any]:
        """Plain data for reports and manifests; the part that depends on the machine stands under `timing`."""
        return {
            "train_loss": list(self.train_loss),
            "validation_steps": list(self.validation_steps),
            "validation_loss": list(self.validation_loss),
            "samples": self.samples,
            "timing": {"seconds": self.seconds},
        }


def train(
    model: nn.Module,
    training: Batches,
    *,
    config: TrainingConfig,
    validation: Batches | None = None,
    progress: Progress = ignore,
    clock: Callable[[], float] = time.perf_counter,
) -> TrainingRecord:
    """Train `model` in place and leave it ready for inference.

    Step s learns from `training.batch(s)`; the validation loss is the mean over the first batches of
    `validation`, the same each time, after every `validate_every` steps and after the last. Raises
    DivergedError as soon as the loss is not finite.
    """
    started = clock()
    optimiser = adamw(model, config)
    train_loss: list[float] = []
    validated: dict[int, float] = {}
    model.train()
    for step in range(config.steps):
        train_loss.append(_learn(model, training.batch(step, batch_size=config.batch_size), optimiser, config, step))
        done = step + 1
        if validation is not None and (done % config.validate_every == 0 or done == config.steps):
            validated[done] = validate(model, validation, config=config)
        progress(done, config.steps)
    model.eval()
    return TrainingRecord(
        train_loss=tuple(train_loss),
        validation_steps=tuple(validated),
        validation_loss=tuple(validated.values()),
        samples=config.steps * config.batch_size,
        seconds=clock() - started,
    )


def validate(model: nn.Module, validation: Batches, *, config: TrainingConfig) -> float:
    """Mean loss over the first `validation_batches` batches; the model goes back to training afterwards."""
    model.eval()
    with torch.no_grad():
        batches = (validation.batch(i, batch_size=config.batch_size) for i in range(config.validation_batches))
        total = sum(float(_loss(model, batch)) for batch in batches)
    model.train()
    return total / config.validation_batches


def learning_rate(step: int, config: TrainingConfig) -> float:
    """The rate of step `step` (from 0): a linear rise to the peak, then a cosine down to the final share of it."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    share = config.final_rate + (1 - config.final_rate) * 0.5 * (1 + math.cos(math.pi * progress))
    return config.learning_rate * share


def adamw(model: nn.Module, config: TrainingConfig) -> optim.AdamW:
    """AdamW in three groups: embedding tables learn faster, and only the other matrices decay.

    A row of a table gets a gradient in the few steps that see its token, and gains have nothing to shrink.
    """
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    embeddings = [weight for weight in weights if id(weight) in tables]
    matrices = [weight for weight in weights if id(weight) not in tables and weight.ndim >= 2]
    others = [weight for weight in weights if id(weight) not in tables and weight.ndim < 2]
    groups: list[dict[str, Any]] = [
        {"params": embeddings, "weight_decay": 0.0, "factor": config.embedding_rate},
        {"params": matrices, "weight_decay": config.weight_decay, "factor": 1.0},
        {"params": others, "weight_decay": 0.0, "factor": 1.0},
    ]
    return optim.AdamW([group for group in groups if group["params"]], betas=(config.beta1, config.beta2), fused=True)


def _learn(
    model: nn.Module, batch: npt.NDArray[Any], optimiser: optim.Optimizer, config: TrainingConfig, step: int
) -> float:
    """One step of learning; returns the loss before it."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(step, config) * group["factor"]
    loss = _loss(model, batch)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise DivergedError(
            f"the loss is {value} at step {step + 1}; lower learning_rate (now {config.learning_rate}) or clip"
        )
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), config.clip)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return value


def _loss(model: nn.Module, batch: npt.NDArray[Any]) -> Tensor:
    loss: Tensor = model.loss(torch.from_numpy(batch))  # type: ignore[operator]
    return loss


def _demand(condition: bool, name: str, found: object, wanted: str) -> None:
    if not condition:
        raise TrainingConfigError(f"{name} is {found}; it must be {wanted}")
