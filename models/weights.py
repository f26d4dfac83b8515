"""A model on disk: `model.safetensors` and `config.json`, nothing that unpickles."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from data.errors import ConfigError, TextmillError

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
Config = TypeVar("Config")


class WeightsError(TextmillError):
    """The weights on disk cannot be used by the model; the message says why."""


def save(model: nn.Module, config: Any, directory: Path) -> None:
    """Write the weights and the config (a dataclass) into an existing directory."""
    write(model.state_dict(), directory / WEIGHTS)
    (directory / CONFIG).write_text(json.dumps(dataclasses.asdict(config), indent=2) + "\n", "utf-8")


def write(tensors: dict[str, Tensor], path: Path) -> None:
    """Write tensors by their name; those that share memory are written once each."""
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, path)


def read(path: Path) -> dict[str, Tensor]:
    """Tensors by their name. Raises WeightsError for a file that is none of ours, or damaged."""
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} cannot be read as safetensors ({error}); restore it, or train again") from error
    return tensors


def read_config(kind: type[Config], directory: Path) -> Config:
    """The config that `save` wrote. Raises ConfigError if it is of another model."""
    path = directory / CONFIG
    try:
        return kind(**json.loads(path.read_text("utf-8")))
    except (TypeError, json.JSONDecodeError) as error:
        raise ConfigError(f"{path} is no {kind.__name__}: {error}") from error


def load(model: nn.Module, directory: Path, *, prefix: str = "") -> None:
    """Fill `model` from what `save` wrote; with a `prefix`, only the weights that begin so, on both sides.

    Raises WeightsError unless names and shapes are the same.
    """
    path = directory / WEIGHTS
    found = {name: tensor for name, tensor in read(path).items() if name.startswith(prefix)}
    fill({name: tensor for name, tensor in model.state_dict().items() if name.startswith(prefix)}, found, path)


@torch.no_grad()
def fill(tensors: Mapping[str, Tensor], found: Mapping[str, Tensor], path: Path) -> None:
    """Write what was `found` at `path` into the tensors of the same names.

    Raises WeightsError unless names and shapes are the same.
    """
    names = sorted(found.keys() | tensors.keys())
    wrong = [name for name in names if _shape(found.get(name)) != _shape(tensors.get(name))]
    if wrong or not names:
        name = wrong[0] if wrong else "every weight"
        raise WeightsError(
            f"{path} is of another architecture: {name} is {_shape(found.get(name))} in the file and "
            f"{_shape(tensors.get(name))} in the model ({len(wrong)} such weights)"
        )
    for name, tensor in tensors.items():
        tensor.copy_(found[name])


def _shape(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else str(list(tensor.shape))
