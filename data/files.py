"""Files that are there whole or not at all: temporary name, fsync, rename."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Any


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


def publish(staged: Path, path: Path) -> None:
    """Make a finished temporary file appear under its name, durably."""
    sync(staged)
    staged.replace(path)
    sync(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file atomically, making its directory if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = temporary(path)
    staged.write_bytes(content)
    publish(staged, path)


def write_json(path: Path, value: Any) -> None:
    """Replace a file by the value as readable JSON, atomically."""
    write_bytes(path, (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8"))


def read_json(path: Path) -> Any:
    """The value of a JSON file, or None where there is no such file."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None


def link(source: Path, target: Path) -> None:
    """Give a file that never changes a second name; a copy where the file system has no hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        staged = temporary(target)
        shutil.copyfile(source, staged)
        publish(staged, target)
