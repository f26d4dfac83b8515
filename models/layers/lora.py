"""Low-rank adaptation (LoRA), Hu et al. 2021 (arXiv 2106.09685): W x + (alpha / rank) B A x.

W stays as it was; A [rank, inputs] begins as noise and B [outputs, rank] at zero, so that an adapted model begins
as the model that it adapts. Adapters are a few thousand numbers, saved alone, and can be merged into W.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from data.errors import ConfigError
from models import weights
from models.checks import demand

ADAPTERS = "adapters.safetensors"
CONFIG = "adapters.json"


@dataclass(frozen=True, kw_only=True)
class LoRAConfig:
    """What is adapted, and how much of it.

    `targets` are patterns (`*`) of names of linear layers, such as `blocks.*.attention.query_key_value`.
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ("*query_key_value", "*attention.query", "*attention.key_value")

    def __post_init__(self) -> None:
        """Refuse what adapts nothing."""
        object.__setattr__(self, "targets", tuple(self.targets))  # a list where it comes from JSON
        demand(self.rank >= 1, "rank", self.rank, "at least 1")
        demand(self.alpha > 0, "alpha", self.alpha, "above 0")
        demand(0 <= self.dropout < 1, "dropout", self.dropout, "at least 0 and below 1")
        demand(bool(self.targets), "targets", "empty", "at least one pattern of names of layers")


class LoRA(nn.Module):
    """A linear layer [..., inputs] → [..., outputs] that does not learn, and beside it two thin ones that do."""

    def __init__(self, base: nn.Linear, config: LoRAConfig) -> None:
        super().__init__()
        self.base = base.requires_grad_(requires_grad=False)
        self.scale = config.alpha / config.rank
        self.dropout = config.dropout
        like = base.weight
        self.down = nn.Parameter(like.new_zeros(config.rank, base.in_features))
        self.up = nn.Parameter(like.new_zeros(base.out_features, config.rank))

    def forward(self, inputs: Tensor) -> Tensor:
        """What the layer says, and the correction."""
        thin = F.linear(F.dropout(inputs, self.dropout, self.training), self.down)
        output: Tensor = self.base(inputs) + F.linear(thin, self.up) * self.scale
        return output

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """One linear layer that says the same; it learns."""
        self.base.weight += self.up @ self.down * self.scale
        return self.base.requires_grad_()


def adapt(model: nn.Module, config: LoRAConfig, *, seed: int = 0) -> list[str]:
    """Put adapters into `model`, and let nothing else learn; returns the names of the adapted layers.

    Raises ConfigError when the patterns name no linear layer, with the names that there are.
    """
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    chosen = [name for name in linear if any(fnmatchcase(name, pattern) for pattern in config.targets)]
    if not chosen:
        raise ConfigError(f"targets are {', '.join(config.targets)}; they name none of {', '.join(linear)}")
    freeze(model)
    generator = torch.Generator().manual_seed(seed)
    for name in chosen:
        base = model.get_submodule(name)
        if isinstance(base, nn.Linear):
            adapter = LoRA(base, config)
            noise = torch.empty(adapter.down.shape).normal_(std=base.in_features**-0.5, generator=generator)
            adapter.down.data.copy_(noise)
            _replace(model, name, adapter)
    return chosen


def merge(model: nn.Module) -> None:
    """Add the adapters to the layers beside which they stand; the model is of its old shape, and learns again."""
    for name, adapter in adapters(model).items():
        _replace(model, name, adapter.merged())
    model.requires_grad_()


def adapters(model: nn.Module) -> dict[str, LoRA]:
    """The adapters of `model` by the name of their layer."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoRA)}


def save_adapters(model: nn.Module, config: LoRAConfig, directory: Path) -> None:
    """Write the adapters alone, as `adapters.safetensors` and `adapters.json`, into an existing directory."""
    parts = {f"{name}.{part}": getattr(layer, part) for name, layer in adapters(model).items() for part in PARTS}
    weights.write(parts, directory / ADAPTERS)
    (directory / CONFIG).write_text(json.dumps(dataclasses.asdict(config), indent=2) + "\n", "utf-8")


def load_adapters(model: nn.Module, directory: Path) -> LoRAConfig:
    """Adapt `model` (a plain one) with what `save_adapters` wrote.

    Raises WeightsError if the adapters are of another model.
    """
    config = LoRAConfig(**json.loads((directory / CONFIG).read_text("utf-8")))
    saved = weights.read(directory / ADAPTERS)
    adapt(model, config)
    wanted = {f"{name}.{part}": getattr(layer, part) for name, layer in adapters(model).items() for part in PARTS}
    weights.fill(wanted, saved, directory / ADAPTERS)
    return config


def freeze(model: nn.Module, *, except_for: Sequence[str] = ()) -> list[str]:
    """Let weights learn only if a pattern of `except_for` names them (`head.*`); returns the names of those."""
    learning = []
    for name, weight in model.named_parameters():
        weight.requires_grad_(any(fnmatchcase(name, pattern) for pattern in except_for))
        if weight.requires_grad:
            learning.append(name)
    if except_for and not learning:
        raise ConfigError(f"patterns are {', '.join(except_for)}; they name no weight of the model")
    return learning


PARTS = ("down", "up")


def _replace(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)
