"""Local copies of objects, for libraries that read from the disk.

A copy is named by the address and the tag of its content, so one that was replaced is fetched again; it appears whole,
by a rename. The oldest copies go when all of them are larger than `TEXTMILL_CACHE_GB` (50). The cache may be removed
at any time: all of it is in the store.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from data.storage import objects
from data.storage.address import StorageError
from data.storage.stores import whereabouts

if TYPE_CHECKING:
    from data.storage.path import ObjectPath

_FRESH = 3600  # seconds in which a copy is not removed: somebody may be about to open it
_FILLED = 0.9  # of the limit: how full a cache is that was too large
_SHARE = 0.1  # of what is free: what a process adds before it looks again at what all of them did
_TRIES = 5
_free: dict[str, float] = {}
"""Bytes that this process may still add to a cache, by its folder."""


def home() -> Path:
    """Folder of the cache: `TEXTMILL_CACHE`, or `textmill` in the user's cache folder."""
    if named := os.environ.get("TEXTMILL_CACHE"):
        return Path(named).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "textmill"


def folder_of(path: ObjectPath, kind: str) -> Path:
    """A local folder that belongs to an address, such as that of scratch files or locks."""
    found = home() / kind / _name(path)
    found.mkdir(parents=True, exist_ok=True)
    return found


def scratch() -> Path:
    """A new name for a local file on its way into the store."""
    folder = home() / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{os.getpid()}-{uuid.uuid4().hex}"


def fetched(path: ObjectPath) -> Path:
    """The local copy of an object, fetched if need be. Raises FileNotFoundError."""
    known = objects.facts(path)
    kept = _kept(path, known.etag)
    if _is_whole(kept, known.size):
        with suppress(FileNotFoundError):  # another process made room just now
            os.utime(kept)
            return kept
    staged = scratch()
    try:
        found = objects.fetch(path, staged)
        return _keep(staged, _kept(path, found.etag), found.size)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise full(error) from error
    finally:
        staged.unlink(missing_ok=True)


def is_kept(path: ObjectPath) -> bool:
    """Whether there is a local copy of an object, as it was when somebody last asked for it."""
    return any((home() / "objects" / _name(path)).glob("*/*"))


def clear() -> None:
    """Remove all copies: what was taken out of the store shall not be here either."""
    for folder in (home() / "objects").glob("*"):
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove the scratch files of processes of this machine that are gone."""
    for path in (home() / "scratch").glob("*-*"):
        process = path.name.partition("-")[0]
        if process.isdigit() and not _lives(int(process)):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def keep(staged: Path, path: ObjectPath) -> None:
    """Take a local file that was just written to the store as its copy, in the place of all earlier ones."""
    known = objects.facts(path)
    drop(path)
    if known.size == staged.stat().st_size:
        _keep(staged, _kept(path, known.etag), known.size)


def drop(*paths: ObjectPath) -> None:
    """Remove the copies of objects that were removed or replaced: they may hold what nobody shall keep."""
    for path in paths:
        shutil.rmtree(home() / "objects" / _name(path), ignore_errors=True)


def full(error: OSError) -> StorageError:
    """The error of a cache that cannot be written."""
    return StorageError(f"the cache {home()} cannot be written ({error.strerror}); name another with TEXTMILL_CACHE")


def _keep(staged: Path, kept: Path, size: int) -> Path:
    _make_room(size)
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):  # another writer of the same object dropped the folder just now
            kept.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(kept)
            return kept
    return staged.replace(kept)


def _kept(path: ObjectPath, etag: str) -> Path:
    tag = hashlib.sha256(etag.encode()).hexdigest()[:16]
    return home() / "objects" / _name(path) / tag / path.name


def _name(path: ObjectPath) -> str:
    """A name for an address; the same bucket of another endpoint or account is another."""
    return hashlib.sha256("\n".join([str(path), *whereabouts()]).encode()).hexdigest()[:32]


def _is_whole(kept: Path, size: int) -> bool:
    try:
        return kept.stat().st_size == size
    except OSError:
        return False


def _make_room(size: int) -> None:
    """Remove the copies that were used longest ago, where the cache would grow too large.

    Looking at all copies costs more than adding one, so it is done again when a part of what was free then is used up.
    """
    place = str(home())
    _free[place] = _free.get(place, 0.0) - size
    if _free[place] >= 0:
        return
    limit = float(os.environ.get("TEXTMILL_CACHE_GB", "50")) * 1e9
    found = sorted((state.st_mtime, state.st_size, path) for path in _copies() if (state := _state(path)))
    used = size + sum(held for _, held, _ in found)
    for modified, held, path in found if used > limit else ():
        if used <= limit * _FILLED or modified > time.time() - _FRESH:
            break
        shutil.rmtree(path.parent, ignore_errors=True)
        used -= held
    _free[place] = (limit - used) * _SHARE


def _copies() -> list[Path]:
    return list((home() / "objects").glob("*/*/*"))


def _state(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
