"""The options of the training loop, the same for every family."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from data.errors import ConfigError

OPTIMISERS = ("adamw", "muon", "sgd")
SCHEDULES = ("cosine", "linear", "constant", "inverse_sqrt")
PRECISIONS = ("float32", "bfloat16", "auto")
ABOUT_THE_MACHINE = (
    *("accumulate", "compile", "device", "checkpoint_every", "max_minutes"),
    *("costs", "watts", "carbon_intensity", "profile"),
)
"""Options that say how a training is carried out, not what is learned: a checkpoint goes on under others."""

WATTS = 12.0
"""Of a busy core: what Green Algorithms takes for an unknown processor (Lannelongue et al. 2021, arXiv 2007.07610)."""
CARBON_INTENSITY = 473.0
"""Grams of CO2 per kWh: the world's electricity in 2024 (Ember, Global Electricity Review 2025)."""


class TrainingConfigError(ConfigError):
    """A field of `TrainingConfig` cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How long and how fast to learn.

    `batch_size` is the rows that one step learns from, over all processes; each takes `accumulate` micro-batches for
    its share. `learning_rate` is the peak, reached after `warmup_steps` and lowered by `schedule` to `final_rate` times
    it; embedding tables learn `embedding_rate` times as fast. `clip` is the largest norm of the gradient of a player.
    `patience` is how many validations without a better score end the training (0: never); the weights kept are those of
    the best validation where `keep_best`, otherwise the last. `max_minutes` ends it by the clock (0: never). With
    `ema` (0.999, say) the moving average of the weights is validated and kept in their place (0: the weights are).

    `costs` keeps account of operations, memory and energy; where no counter can be read, energy is `watts` times the
    seconds of cores. `carbon_intensity` is grams of CO2 per kWh. `profile` is how many steps to trace.
    """

    steps: int = 400
    batch_size: int = 4
    accumulate: int = 1
    optimiser: str = "adamw"
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    warmup_steps: int = 40
    final_rate: float = 0.05
    embedding_rate: float = 5.0
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    momentum: float = 0.95
    clip: float = 1.0
    ema: float = 0.0
    precision: str = "float32"
    compile: bool = False
    device: str = "cpu"
    validate_every: int = 100
    validation_batches: int = 16
    keep_best: bool = False
    patience: int = 0
    checkpoint_every: int = 100
    max_minutes: float = 0.0
    costs: bool = True
    watts: float = WATTS
    carbon_intensity: float = CARBON_INTENSITY
    profile: int = 0

    def __post_init__(self) -> None:
        """Refuse values with which no training can work."""
        for name in ("steps", "batch_size", "accumulate", "validate_every", "validation_batches", "checkpoint_every"):
            _demand(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("learning_rate", "embedding_rate", "clip"):
            _demand(getattr(self, name) > 0, name, getattr(self, name), "above 0")
        for name in ("beta1", "beta2", "momentum", "ema"):
            _demand(0 <= getattr(self, name) < 1, name, getattr(self, name), "at least 0 and below 1")
        for name in ("weight_decay", "patience", "max_minutes", "watts", "carbon_intensity", "profile"):
            _demand(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")
        for name, known in (("optimiser", OPTIMISERS), ("schedule", SCHEDULES), ("precision", PRECISIONS)):
            _demand(getattr(self, name) in known, name, getattr(self, name), f"one of {', '.join(known)}")
        _demand(0 <= self.final_rate <= 1, "final_rate", self.final_rate, "between 0 and 1")
        _demand(0 <= self.warmup_steps <= self.steps, "warmup_steps", self.warmup_steps, f"0 to steps ({self.steps})")
        _demand(
            self.batch_size % self.accumulate == 0, "accumulate", self.accumulate, f"a divisor of {self.batch_size}"
        )

    def learned(self) -> dict[str, Any]:
        """The options on which the weights depend, for a checkpoint to be compared by.

        `ema` is one of them where it is used: what was trained before there was one keeps its key.
        """
        found = dataclasses.asdict(self)
        left_out = ABOUT_THE_MACHINE if self.ema else (*ABOUT_THE_MACHINE, "ema")
        return {name: value for name, value in found.items() if name not in left_out}


def _demand(condition: bool, name: str, found: object, wanted: str) -> None:
    if not condition:
        raise TrainingConfigError(f"{name} is {found}; it must be {wanted}")
