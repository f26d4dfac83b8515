"""Trainings that were killed and that nobody went on with: their tokens and checkpoints, and when they may go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from data import files
from data.lake import BusyError, Lake

SEARCH = "search-"
"""With this begin the folders of searches, which hold what their trials found and stay."""


def abandoned(lake: Lake, *, grace: timedelta, now: datetime) -> list[Path]:
    """Folders of trainings in which nothing was written for `grace`; one of them may be at work all the same."""
    folder = lake.trainings
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in found if not path.name.startswith(SEARCH) and _is_old(path, grace, now)]


def sweep(lake: Lake, *, grace: timedelta, now: datetime) -> list[Path]:
    """Remove them, but for those at which a process is, and tell which they were."""
    gone = []
    for path in abandoned(lake, grace=grace, now=now):
        with suppress(BusyError), lake.lock(lock_of(path.name), wait=False):
            if _is_old(path, grace, now):  # nobody has come and gone meanwhile
                files.remove_tree(path)
                gone.append(path)
    return gone


def lock_of(key: str) -> str:
    """The lock that a training with this key holds."""
    return f"training-{key}"


def _is_old(folder: Path, grace: timedelta, now: datetime) -> bool:
    newest = max((path.stat().st_mtime for path in _all(folder)), default=now.timestamp())
    return now.timestamp() - newest >= grace.total_seconds()


def _all(folder: Path) -> Iterator[Path]:
    """A folder and what is in it; what goes meanwhile is not told."""
    for path in (folder, *folder.rglob("*")):
        if path.exists():
            yield path
