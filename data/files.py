"""Files that are there whole or not at all: temporary name, fsync, rename."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.errors import TextmillError


class DamagedFileError(TextmillError, ValueError):
    """A JSON file of the lake holds no JSON."""


def sync(path: Path) -> None:
    """Flush a file or directory to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def temporary(path: Path) -> Path:
    """A name beside `path` that no reader looks at."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")


def sweep(*folders: Path) -> None:
    """Remove the temporary files of writers that were killed; nobody else may be writing there."""
    for folder in folders:
        for path in folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)


def publish(staged: Path, path: Path) -> None:
    """Make a finished temporary file appear under its name, durably."""
    sync(staged)
    staged.replace(path)
    sync(path.parent)


@contextmanager
def staging(path: Path) -> Iterator[Path]:
    """A temporary name to write to: published as `path` at the end, removed on an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = temporary(path)
    try:
        yield staged
        publish(staged, path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file atomically, making its directory if need be."""
    with staging(path) as staged:
        staged.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Replace a file by the value as readable JSON, atomically."""
    write_bytes(path, (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8"))


def read_json(path: Path) -> Any:
    """The value of a JSON file, or None where there is no such file. Raises DamagedFileError if it is no JSON."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise DamagedFileError(f"{path} is damaged ({error}); remove it and run again") from error


def link(source: Path, target: Path) -> None:
    """Give a file that never changes a second name; a copy where the file system has no hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
        sync(target.parent)
    except OSError:
        with staging(target) as staged:
            shutil.copyfile(source, staged)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait until no other process holds `path`, then hold it; the kernel releases it if this one dies."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # closing alone would leave it with a forked child
