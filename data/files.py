"""Files that are there whole or not at all: temporary name, fsync, rename; in an object store one put."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from data.errors import LakeError, TextmillError
from data.storage import ObjectPath

_UNWRITABLE = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EROFS: "it is read-only; mount it for writing",
    errno.EIO: "the disk fails; look at the log of the system",
}


class DamagedFileError(TextmillError, ValueError):
    """A JSON file of the lake holds no JSON."""


def sync(path: Path) -> None:
    """Flush a file or directory to the disk; what was put in an object store is there already."""
    if isinstance(path, ObjectPath):
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Errors of a disk that is full, fails or is read-only as LakeError that says so; others pass as they are."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        why = _UNWRITABLE[error.errno]
        raise LakeError(
            f"{path.parent} cannot be written: {why}, or choose another lake with --lake. Published versions are whole"
        ) from error


def local(path: Path) -> Path:
    """The file on the disk: the path itself, or the cached copy of an object. Raises FileNotFoundError."""
    return Path(os.fspath(path)) if isinstance(path, ObjectPath) else path


def all_local(paths: Sequence[Path]) -> list[Path]:
    """The files on the disk, in order; objects are fetched some at a time."""
    if not any(isinstance(path, ObjectPath) for path in paths):
        return list(paths)
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(local, paths))


def temporary(path: Path) -> Path:
    """A name on the disk that no reader looks at: beside `path`, or in the cache for one in an object store."""
    if isinstance(path, ObjectPath):
        from data.storage import cache

        return cache.scratch()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")


def sweep(*folders: Path) -> None:
    """Remove the temporary files of writers that were killed, after waiting for those who `change` files there."""
    for folder in folders:
        if any(folder.glob(".*.tmp")):
            with exclusive(folder):
                _sweep(folder)


def _sweep(folder: Path) -> None:
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def publish(staged: Path, path: Path) -> None:
    """Make a finished temporary file appear under its name, durably; the temporary name is gone after it."""
    if isinstance(path, ObjectPath):
        from data.storage import cache, objects

        objects.put_file(path, staged)
        cache.keep(staged, path)
        return
    sync(staged)
    staged.replace(path)
    sync(path.parent)


@contextmanager
def staging(path: Path) -> Iterator[Path]:
    """A temporary name to write to: published as `path` at the end, removed on an error."""
    with drafting(path) as staged:
        yield staged
        publish(staged, path)


@contextmanager
def drafting(path: Path) -> Iterator[Path]:
    """A temporary name to write to, for a file that is to be published in the folder of `path`; gone at the end."""
    with writable(path):
        staged = temporary(path)
        try:
            yield staged
        finally:
            with suppress(OSError):  # a disk that fails must not hide why
                staged.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file atomically, making its directory if need be."""
    if isinstance(path, ObjectPath):
        path.write_bytes(content)
        return
    with staging(path) as staged:
        staged.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Replace a file by the value as readable JSON, atomically."""
    write_bytes(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """The value as readable JSON; the `parts` of a manifest, of which there may be thousands, with a line each."""
    parts = value.get("parts") if isinstance(value, dict) else None
    text = json.dumps({**value, "parts": []} if parts else value, indent=2, sort_keys=True, ensure_ascii=False)
    if parts:
        lines = (json.dumps(part, sort_keys=True, ensure_ascii=False) for part in parts)
        text = text.replace('\n  "parts": []', '\n  "parts": [\n    ' + ",\n    ".join(lines) + "\n  ]", 1)
    return (text + "\n").encode("utf-8")


def read_json(path: Path) -> Any:
    """The value of a JSON file, or None where there is no such file. Raises DamagedFileError if it is no JSON."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return parsed(path, content)


def parsed(path: Path, content: bytes) -> Any:
    """The value of JSON read from a file. Raises DamagedFileError if it is no JSON."""
    try:
        return json.loads(content.decode("utf-8"))
    except ValueError as error:
        raise DamagedFileError(f"{path} is damaged ({error}); remove it and run again") from error


def link(source: Path, target: Path) -> None:
    """Give a file that never changes a second name; a copy where there are no hard links, as in an object store.

    A hard link is not flushed: many go into one folder, which is to be synced once.
    """
    if isinstance(target, ObjectPath):
        _copy_object(source, target)
        return
    with writable(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        with staging(target) as staged:
            shutil.copyfile(source, staged)


def _copy_object(source: Path, target: ObjectPath) -> None:
    from data.storage import objects

    if isinstance(source, ObjectPath):
        objects.copy(source, target)
    else:
        objects.put_file(target, source)


def create(path: Path, content: bytes) -> bool:
    """Write a file unless there is one; tells whether this content is there now."""
    return change(path, lambda before: content if before is None else None) == content


def change(path: Path, after: Callable[[bytes | None], bytes | None]) -> bytes | None:
    """Replace a small file by what `after` makes of its content (None where there is none), alone among all writers.

    `after` returns None to leave it as it is, and may be asked several times. Returns the content that is there now.
    """
    if isinstance(path, ObjectPath):
        return _change_object(path, after)
    with writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(path.parent):
        before = _content(path)
        wanted = after(before)
        if wanted is None:
            return before
        _sweep(path.parent)
        write_bytes(path, wanted)
        return wanted


def _change_object(path: ObjectPath, after: Callable[[bytes | None], bytes | None]) -> bytes | None:
    from data.storage import objects

    for _ in range(100):
        try:
            before, state = objects.get(path)
        except FileNotFoundError:
            before, state = None, None
        wanted = after(before)
        if wanted is None or wanted == before:
            return before
        if objects.put_if(path, wanted, state):
            return wanted
    raise LakeError(f"{path} is changed by others all the time; run the same command again")


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it; one that is not there does no harm."""
    if isinstance(folder, ObjectPath):
        from data.storage import cache, objects

        held = [folder / name for name, _ in objects.below(folder)]
        objects.remove(held)
        cache.drop(*held)
        return
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait until no other process holds `path`, file or folder, then hold it; the kernel releases it if this one dies.

    For a path in an object store, among the processes of this machine: writers elsewhere are told apart by the puts.
    """
    if isinstance(path, ObjectPath):
        from data.storage import cache

        path = cache.folder_of(path, "locks")
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, flags, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing alone would leave it with a forked child
        os.close(descriptor)
