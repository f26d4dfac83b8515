"""Begin a training with the weights of another: all of them learn, or some, or adapters beside them (LoRA).

Continued pre-training is a training of the same family on other data; fine-tuning gives an encoder a head.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from data.errors import ConfigError
from models import weights
from models.checks import demand_one_of
from models.layers import lora
from models.layers.lora import LoRAConfig

KINDS = ("full", "frozen", "lora")


@dataclass(frozen=True, kw_only=True)
class AdaptConfig:
    """What learns of a model that begins with the weights of another.

    `adapt`: `full` all weights; `frozen` those alone whose names match the patterns of `learn` (`*` for anything);
    `lora` thin layers of rank `lora_rank` beside those that match `lora_targets`, merged into them in the end. A head
    that the other model does not have learns in any case.
    """

    adapt: str = "full"
    learn: tuple[str, ...] = ("head.*", "pooler.*", "norm.*")
    lora_rank: int = 8
    lora_alpha: float = 16.0
    lora_targets: tuple[str, ...] = ("*attention*",)

    def __post_init__(self) -> None:
        """Refuse a way to adapt that there is not."""
        demand_one_of("adapt", self.adapt, KINDS)

    @property
    def lora(self) -> LoRAConfig:
        """The adapters."""
        return LoRAConfig(rank=self.lora_rank, alpha=self.lora_alpha, targets=self.lora_targets)


def begin(model: nn.Module, start: Path | None, config: AdaptConfig, *, seed: int) -> None:
    """Give a new model the weights of the artefact `start`, and say what of it learns.

    The artefact is of the same family, or has an encoder for the heads of this one. Raises WeightsError for one of
    another architecture, ConfigError where nothing is left to learn, or where there is nothing to adapt.
    """
    if start is None:
        if config.adapt != "full":
            raise ConfigError(f"adapt is {config.adapt}, which needs a trained model; name one with --start")
        return
    same = set(weights.read(start / weights.WEIGHTS)) == set(model.state_dict())
    prefix = "" if same else "encoder."
    weights.load(model, start, prefix=prefix)
    head = {name: weight for name, weight in model.named_parameters() if not name.startswith(prefix)}
    if config.adapt == "frozen":
        lora.freeze(model, except_for=(*config.learn, *head))
    if config.adapt == "lora":
        lora.adapt(model, config.lora, seed=seed)
        for weight in head.values():
            weight.requires_grad_()


def end(model: nn.Module, config: AdaptConfig, folder: Path) -> None:
    """Keep the adapters apart, and merge them into the model, so that it is saved as any other."""
    if config.adapt == "lora":
        lora.save_adapters(model, config.lora, folder)
        lora.merge(model)
    model.requires_grad_()


def sizes_of(start: Path | None, kind: type) -> Mapping[str, Any]:
    """The sizes of the model that a training begins with, as far as another family has such fields."""
    if start is None:
        return {}
    known = {field.name for field in dataclasses.fields(kind)}
    found: dict[str, Any] = json.loads((start / weights.CONFIG).read_text("utf-8"))
    return {name: value for name, value in found.items() if name in known and name != "labels"}
