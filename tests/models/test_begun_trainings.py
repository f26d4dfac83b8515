"""A training that begins with another model, and is killed, goes on from that model and from no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from test_bert_families import DATA, OPTIONS

from models.families.bert import FAMILY
from models.fitting import checked, fit
from models.training import Moment
from models.training.checkpoints import CheckpointError

FEW: dict[str, Any] = {**OPTIONS, "steps": 4, "checkpoint_every": 1}


class KilledError(Exception):
    pass


def killed(moment: Moment) -> None:
    if moment.step == 2:
        raise KilledError


def model(folder: Path, seed: int) -> Path:
    folder.mkdir()
    fit(FAMILY, checked(FAMILY, FEW), DATA, folder, seed=seed)
    return folder


def begun(folder: Path, start: Path | None, **how: Any) -> dict[str, torch.Tensor]:
    folder.mkdir(exist_ok=True)
    fit(FAMILY, checked(FAMILY, FEW), DATA, folder, seed=3, start=start, **how)
    found: dict[str, torch.Tensor] = load_file(folder / "model.safetensors")
    return found


def test_a_killed_training_goes_on_from_its_own_start_alone(tmp_path: Path) -> None:
    one, other, kept = model(tmp_path / "one", 1), model(tmp_path / "other", 2), tmp_path / "checkpoints"
    whole = begun(tmp_path / "whole", one)
    with pytest.raises(KilledError):
        begun(tmp_path / "killed", one, checkpoints=kept, watch=killed)
    for start in (other, None):
        with pytest.raises(CheckpointError, match=r"of another training: its start is [0-9a-f]{16}, here it is"):
            begun(tmp_path / "wrong", start, checkpoints=kept)
    resumed = begun(tmp_path / "resumed", one, checkpoints=kept)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
