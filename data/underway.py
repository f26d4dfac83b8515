"""Trainings and searches that are under way, or were when something killed them: what each of them reads.

The folder of each says it, so that whoever takes a document out learns of a model that is still being made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data import files
from data.abandoned import SEARCH, lock_of
from data.lake import BusyError, Lake

ABOUT = "reads.json"
_REGISTERING = "_registering"
_FOLDERS = ("data", "checkpoints", "trial-*", "artefact-*")
"""What of a search holds tokens, or weights that learnt them; what its trials found stays."""


@dataclass(frozen=True)
class Underway:
    """A training in its folder; `model` is the name it will have, empty where the folder does not tell."""

    folder: Path
    model: str
    lineage: Mapping[str, Any]

    @property
    def is_search(self) -> bool:
        """Whether it is a search, which registers nothing, and of which what its trials found stays."""
        return self.folder.name.startswith(SEARCH)

    @property
    def lock(self) -> str:
        """The lock of whoever is at work on it."""
        return self.folder.name if self.is_search else lock_of(self.folder.name)

    def at_work(self, lake: Lake) -> bool:
        """Whether a process of this machine is at it."""
        try:
            with lake.lock(self.lock, wait=False):
                return False
        except BusyError:
            return True

    def erase(self, lake: Lake) -> bool:
        """Remove its tokens and weights, of a search what its trials found stays; False where a process is at it."""
        try:
            with lake.lock(self.lock, wait=False):
                for path in self._held():
                    files.remove_tree(path)
                return True
        except BusyError:
            return False

    def _held(self) -> list[Path]:
        if not self.is_search:
            return [self.folder]
        return [path for name in _FOLDERS for path in self.folder.glob(name)]


def tell(folder: Path, model: str, lineage: Mapping[str, Any]) -> None:
    """Say in the folder of a training what it reads."""
    files.write_json(folder / ABOUT, {"model": model, "lineage": dict(lineage)})


def underway(lake: Lake) -> list[Underway]:
    """All of them, by the names of their folders."""
    folders = sorted(lake.trainings.iterdir()) if lake.trainings.is_dir() else []
    told = ((folder, files.read_json(folder / ABOUT) or {}) for folder in folders)
    return [Underway(folder, found.get("model", ""), found.get("lineage", {})) for folder, found in told]


@contextmanager
def registering(lake: Lake) -> Iterator[None]:
    """Alone among those who register a model or take documents out: no model is put between the search for models
    that learnt a document and its tombstone."""
    with lake.lock(_REGISTERING):
        yield
