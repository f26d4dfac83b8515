"""What a training did, kept from step to step and over restarts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class TrainingRecord:
    """Losses are means in nats per unit; steps count from 1.

    `train_loss` has one value per step (of a GAN's last turn). `train_parts` are the further means of each step.
    `validation_loss` belongs to `validation_steps`, as do the lists in `validation`. `kept_step` is the step whose
    weights were kept, the last or the best. `samples` is the rows seen, `units` what they predicted; `ended` is why the
    training ended: steps, patience or max_minutes. `seconds` and `costs` depend on the machine and take no part in
    comparisons.
    """

    train_loss: list[float] = field(default_factory=list)
    train_parts: dict[str, list[float]] = field(default_factory=dict)
    validation_steps: list[int] = field(default_factory=list)
    validation: dict[str, list[float]] = field(default_factory=dict)
    best_step: int = 0
    kept_step: int = 0
    samples: int = 0
    units: int = 0
    unit: str = "tokens"
    ended: str = "steps"
    seconds: float = field(compare=False, default=0.0)
    costs: dict[str, Any] = field(compare=False, default_factory=dict)

    @property
    def validation_loss(self) -> list[float]:
        """Loss at each validation."""
        return self.validation.get("loss", [])

    @property
    def best_loss(self) -> float:
        """The lowest validation loss, infinity before there is one."""
        return min(self.validation_loss, default=float("inf"))

    def learned(self, loss: float, parts: Mapping[str, float], *, rows: int, units: int) -> None:
        """Note a step."""
        self.train_loss.append(loss)
        for name, value in parts.items():
            self.train_parts.setdefault(name, []).append(value)
        self.samples += rows
        self.units += units

    def validated(self, step: int, scores: Mapping[str, float]) -> bool:
        """Note a validation after `step` steps; tells whether it is the best so far."""
        better = scores["loss"] < self.best_loss
        self.validation_steps.append(step)
        for name, value in scores.items():
            self.validation.setdefault(name, []).append(value)
        if better:
            self.best_step = step
        return better

    @property
    def since_best(self) -> int:
        """Validations after the best one."""
        return sum(step > self.best_step for step in self.validation_steps)

    def as_state(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        return asdict(self)

    def as_json(self) -> dict[str, Any]:
        """Plain data for reports and manifests; the part that depends on the machine stands under `timing`."""
        found = asdict(self)
        timing = {"seconds": found.pop("seconds"), **found.pop("costs")}
        return {**found, "validation_loss": self.validation_loss, "timing": timing}
