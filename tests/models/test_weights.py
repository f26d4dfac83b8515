from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn

from data.errors import ConfigError
from models import weights
from models.weights import WeightsError


@dataclasses.dataclass(frozen=True)
class Sizes:
    width: int = 3


class Pair(nn.Module):
    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.body = nn.Linear(width, 2)
        self.head = nn.Linear(2, 1)


def test_weights_and_config_come_back(tmp_path: Path) -> None:
    saved, loaded = Pair(), Pair()
    weights.save(saved, Sizes(), tmp_path)
    weights.load(loaded, tmp_path)
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in saved.state_dict().items())
    assert weights.read_config(Sizes, tmp_path) == Sizes()


def test_one_part_can_be_loaded(tmp_path: Path) -> None:
    saved, loaded = Pair(), Pair()
    before = loaded.head.weight.clone()
    weights.save(saved, Sizes(), tmp_path)
    weights.load(loaded, tmp_path, prefix="body.")
    assert torch.equal(loaded.body.weight, saved.body.weight)
    assert torch.equal(loaded.head.weight, before)


def test_other_shapes_are_named(tmp_path: Path) -> None:
    weights.save(Pair(), Sizes(), tmp_path)
    with pytest.raises(WeightsError, match=r"body.weight is \[2, 3\] in the file and \[2, 4\] in the model"):
        weights.load(Pair(4), tmp_path)


def test_other_names_are_named(tmp_path: Path) -> None:
    weights.save(nn.Linear(2, 2), Sizes(), tmp_path)
    with pytest.raises(WeightsError, match=r"bias is \[2\] in the file and missing in the model"):
        weights.load(Pair(), tmp_path)


def test_a_part_that_the_file_lacks_is_an_error(tmp_path: Path) -> None:
    weights.save(Pair(), Sizes(), tmp_path)
    with pytest.raises(WeightsError, match="every weight is missing"):
        weights.load(Pair(), tmp_path, prefix="nothing.")


def test_damaged_weights_are_an_error(tmp_path: Path) -> None:
    weights.save(Pair(), Sizes(), tmp_path)
    path = tmp_path / weights.WEIGHTS
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(WeightsError, match="cannot be read as safetensors"):
        weights.load(Pair(), tmp_path)


def test_config_of_another_model_is_an_error(tmp_path: Path) -> None:
    (tmp_path / weights.CONFIG).write_text('{"depth": 3}', "utf-8")
    with pytest.raises(ConfigError, match="no Sizes"):
        weights.read_config(Sizes, tmp_path)


def test_tensors_that_share_memory_are_written(tmp_path: Path) -> None:
    shared = torch.arange(3.0)
    weights.write({"one": shared, "two": shared}, tmp_path / "both.safetensors")
    assert weights.read(tmp_path / "both.safetensors").keys() == {"one", "two"}
