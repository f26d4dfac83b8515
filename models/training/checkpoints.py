"""Checkpoints: weights and optimiser state as safetensors, all else as JSON that holds their hashes.

    <folder>/last/   weights.safetensors  optimiser.safetensors  state.json  (average.safetensors)
    <folder>/best/   the same, after the best validation

A checkpoint is written beside the one it follows and takes its place by a rename, so that a training that is killed, or
whose disk is full, has the one before. `state.json` names the architecture, the config and the data; a checkpoint of
another training is refused, and so is one that is damaged.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn, optim

from data import files
from data.errors import TextmillError
from data.hashing import sha256_file
from data.sealing import is_intact, seal
from models import weights
from models.training.averaging import Average
from models.training.optimisers import restore, tensors_of

FORMAT = 1
LAST, BEST = "last", "best"
_WEIGHTS, _OPTIMISER, _STATE = "weights.safetensors", "optimiser.safetensors", "state.json"
_AVERAGE = "average.safetensors"


class CheckpointError(TextmillError):
    """A checkpoint cannot be written, is damaged, or belongs to another training."""


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one training below a folder of the disk; `about` is what the training is made of."""

    folder: Path
    about: Mapping[str, Any]

    def save(
        self,
        name: str,
        model: nn.Module,
        found: Mapping[str, Sequence[optim.Optimizer]],
        state: Mapping[str, Any],
        average: Average | None = None,
    ) -> None:
        """Replace a checkpoint. Raises CheckpointError where the disk refuses; the one before is whole then."""
        staged = self.folder / f".{name}.{uuid.uuid4().hex[:8]}.tmp"
        try:
            staged.mkdir(parents=True)
            weights.write(model.state_dict(), staged / _WEIGHTS)
            save_file(_named(found), staged / _OPTIMISER)
            if average is not None:
                weights.write(average.tensors, staged / _AVERAGE)
            written = (_WEIGHTS, _OPTIMISER, *([_AVERAGE] if average is not None else []))
            hashes = {file: sha256_file(staged / file) for file in written}
            content = {"format": FORMAT, "files": hashes, "about": dict(self.about), "state": dict(state)}
            (staged / _STATE).write_bytes(files.json_bytes(seal(content)))
            for file in (*hashes, _STATE):
                files.sync(staged / file)
            _swap(staged, self.folder / name)
        except OSError as error:
            raise CheckpointError(_unwritten(self.folder, error)) from error
        except Exception as error:
            if "No space left" in str(error) or "os error 28" in str(error):  # what safetensors makes of it
                raise CheckpointError(_unwritten(self.folder, error)) from error
            raise
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def load(
        self,
        name: str,
        model: nn.Module,
        found: Mapping[str, Sequence[optim.Optimizer]] | None = None,
        average: Average | None = None,
    ) -> dict[str, Any] | None:
        """Restore weights, and optimisers and their average where given, and tell the state kept with them; None where
        there is none.

        Raises CheckpointError for one that is damaged or belongs to another training.
        """
        content = self.peek(name)
        if content is None:
            return None
        model.load_state_dict(load_file(self.folder / name / _WEIGHTS))
        if found is not None:
            _restore(found, load_file(self.folder / name / _OPTIMISER))
        if average is not None:
            average.restore(load_file(self.folder / name / _AVERAGE))
        state: dict[str, Any] = content["state"]
        return state

    def peek(self, name: str) -> dict[str, Any] | None:
        """The checked content of `state.json`, or None."""
        folder = self.folder / name
        self._finish_swap(name)
        content = _read(folder / _STATE)
        if content is None:
            return None
        self._check_about(folder, content["about"])
        for file, promised in content["files"].items():
            if not (folder / file).is_file() or sha256_file(folder / file) != promised:
                raise CheckpointError(f"the checkpoint {folder} is damaged ({file}); {_REMEDY.format(self.folder)}")
        return content

    def clear(self) -> None:
        """Remove all of them: the training is registered."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _check_about(self, folder: Path, about: Mapping[str, Any]) -> None:
        wanted = json.loads(json.dumps(dict(self.about)))  # as it is read again: without tuples
        differ = sorted(key for key in {*about, *wanted} if about.get(key) != wanted.get(key))
        if differ:
            key, found, here = _difference(differ[0], about.get(differ[0]), wanted.get(differ[0]))
            raise CheckpointError(
                f"the checkpoint {folder} is of another training: its {key} is {_short(found)}, here it is "
                f"{_short(here)}; {_REMEDY.format(self.folder)}"
            )

    def _finish_swap(self, name: str) -> None:
        """Put back what a kill between two renames left aside, and sweep what was never finished."""
        if (aside := self.folder / f".{name}.old").is_dir() and not (self.folder / name).exists():
            with suppress(FileNotFoundError):  # another process of the training was faster
                aside.rename(self.folder / name)
        for path in self.folder.glob(f".{name}.*"):
            shutil.rmtree(path, ignore_errors=True)


_REMEDY = "remove {} to begin again"


def _named(found: Mapping[str, Sequence[optim.Optimizer]]) -> dict[str, Tensor]:
    return {
        f"{player}/{number}/{name}": tensor.contiguous()
        for player, optimisers in found.items()
        for number, optimiser in enumerate(optimisers)
        for name, tensor in tensors_of(optimiser).items()
    }


def _restore(found: Mapping[str, Sequence[optim.Optimizer]], tensors: Mapping[str, Tensor]) -> None:
    for player, optimisers in found.items():
        for number, optimiser in enumerate(optimisers):
            prefix = f"{player}/{number}/"
            own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
            restore(optimiser, own)


def _swap(staged: Path, target: Path) -> None:
    """Let a finished folder take the place of the one before; at every moment one of the two can be found."""
    files.sync(staged)
    aside = target.with_name(f".{target.name}.old")
    if target.exists():
        shutil.rmtree(aside, ignore_errors=True)
        target.rename(aside)
    staged.rename(target)
    files.sync(target.parent)
    with suppress(OSError):
        shutil.rmtree(aside)


def _read(path: Path) -> dict[str, Any] | None:
    remedy = _REMEDY.format(path.parent.parent)
    try:
        content: dict[str, Any] | None = files.read_json(path)
    except files.DamagedFileError as error:
        raise CheckpointError(f"the checkpoint {path.parent} is damaged ({path.name}); {remedy}") from error
    if content is None:
        return None
    if content.get("format") != FORMAT:
        found = content.get("format")
        why = f"has format {found}, not {FORMAT}; use the textmill that wrote it, or {remedy}"
        raise CheckpointError(f"the checkpoint {path.parent} {why}")
    if not is_intact(content):
        raise CheckpointError(f"the checkpoint {path.parent} is damaged ({path.name}); {remedy}")
    return content


def _unwritten(folder: Path, error: Exception) -> str:
    before = any((folder / name / _STATE).exists() for name in (LAST, f".{LAST}.old"))
    kept = "the checkpoint before it is whole" if before else "there is none before it"
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (
        f"the checkpoint in {folder} cannot be written ({os.fspath(folder)}: {why}); {kept}. "
        "Free some space and run the same command again to go on"
    )


def _difference(key: str, found: Any, here: Any) -> tuple[str, Any, Any]:
    """The first option that differs of two that are made of options."""
    if not (isinstance(found, dict) and isinstance(here, dict)):
        return key, found, here
    name = min(name for name in {*found, *here} if found.get(name) != here.get(name))
    return f"{key}.{name}", found.get(name), here.get(name)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"
