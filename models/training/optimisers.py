"""Optimisers and learning rates.

AdamW: Loshchilov and Hutter 2019 (arXiv 1711.05101); Muon is scaled so that one learning rate suits its matrices and
the AdamW of all else. Cosine decay: Loshchilov and Hutter 2017 (arXiv 1608.03983). Inverse square root: Vaswani et al.
2017 (arXiv 1706.03762, section 5.3); its peak is that of the paper where the rate is 1 / sqrt(width x warmup_steps)
and `final_rate` 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn, optim

from models.training.config import TrainingConfig
from models.training.muon import Muon

_RATES: dict[str, Callable[[float], float]] = {
    "cosine": lambda progress: 0.5 * (1 + math.cos(math.pi * progress)),
    "linear": lambda progress: 1 - progress,
    "constant": lambda _progress: 1.0,
}


def learning_rate(step: int, config: TrainingConfig) -> float:
    """The rate of step `step` (from 0): a linear rise to the peak, then down to the final share of it by schedule."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    if config.schedule == "inverse_sqrt":
        shape = math.sqrt(max(1, config.warmup_steps) / (step + 1))
    else:
        shape = _RATES[config.schedule](progress)
    return config.learning_rate * (config.final_rate + (1 - config.final_rate) * shape)


def optimisers(model: nn.Module, config: TrainingConfig) -> list[optim.Optimizer]:
    """The optimisers of a player, each weight in one of them; groups carry the `factor` of their learning rate."""
    groups = grouped(model, config)
    if config.optimiser == "sgd":
        return [optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum, nesterov=config.momentum > 0)]
    if config.optimiser == "adamw":
        return [_adamw(groups, config)]
    matrices = [group for group in groups if group["kind"] == "matrices"]
    rest = [group for group in groups if group["kind"] != "matrices"]
    muon = [Muon(matrices, lr=config.learning_rate, momentum=config.momentum)] if matrices else []
    return [*muon, *([_adamw(rest, config)] if rest else [])]


def grouped(model: nn.Module, config: TrainingConfig) -> list[dict[str, Any]]:
    """Weights in three groups: embedding tables learn faster, and only the other matrices decay.

    A row of a table gets a gradient in the few steps that see its token, and gains have nothing to shrink.
    """
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    kinds: dict[str, list[Tensor]] = {"tables": [], "matrices": [], "others": []}
    for weight in weights:
        kinds["tables" if id(weight) in tables else "matrices" if weight.ndim == 2 else "others"].append(weight)
    return [
        {
            "params": found,
            "kind": kind,
            "weight_decay": config.weight_decay if kind == "matrices" else 0.0,
            "factor": config.embedding_rate if kind == "tables" else 1.0,
        }
        for kind, found in kinds.items()
        if found
    ]


def set_rate(found: list[optim.Optimizer], rate: float) -> None:
    """Give every group its learning rate of a step."""
    for optimiser in found:
        for group in optimiser.param_groups:
            group["lr"] = rate * group["factor"]


def tensors_of(optimiser: optim.Optimizer) -> dict[str, Tensor]:
    """The state of an optimiser as named tensors: `<number of the weight>.<name>`."""
    return {
        f"{number}.{name}": value if isinstance(value, Tensor) else torch.tensor(value)
        for number, entries in optimiser.state_dict()["state"].items()
        for name, value in entries.items()
        if value is not None
    }


def restore(optimiser: optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give an optimiser the state that `tensors_of` told."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _adamw(groups: list[dict[str, Any]], config: TrainingConfig) -> optim.Optimizer:
    return optim.AdamW(groups, lr=config.learning_rate, betas=(config.beta1, config.beta2), fused=True)
