"""The files of a tar or zip archive, one after another, as they stand in it: no name in it becomes a path."""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError)
"""What reading a damaged or encrypted archive raises."""
MAX_BYTES = 16 * 1024 * 1024
"""Largest file that is read whole; a longer one is no example but a mistake, or an attack."""


def members(path: Path, wanted: re.Pattern[str]) -> Iterator[tuple[re.Match[str], IO[bytes]]]:
    """The regular files of an archive whose whole name matches, each to be read before the next is asked for.

    Links, devices and folders are passed over. Raises one of DAMAGE for a damaged archive, also while a file is read.
    """
    yield from _zipped(path, wanted) if path.suffix.lower() == ".zip" else _tarred(path, wanted)


def bounded(file: IO[bytes]) -> bytes | None:
    """The bytes of a file, None where there are more than MAX_BYTES, whatever size its header claims."""
    data = file.read(MAX_BYTES + 1)
    return data if len(data) <= MAX_BYTES else None


def _tarred(path: Path, wanted: re.Pattern[str]) -> Iterator[tuple[re.Match[str], IO[bytes]]]:
    with tarfile.open(path, mode="r|*") as archive:
        while (member := archive.next()) is not None:
            found = wanted.fullmatch(member.name.removeprefix("./"))
            if found and member.isreg() and (file := archive.extractfile(member)):
                yield found, file
            archive.members = []  # type: ignore[attr-defined]  # else it remembers all of 100,000 files


def _zipped(path: Path, wanted: re.Pattern[str]) -> Iterator[tuple[re.Match[str], IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if (found := wanted.fullmatch(member.filename)) and not member.is_dir():
                with archive.open(member) as file:
                    yield found, file
