"""The files of a source in an order that never changes, and the progress of reading them one after another."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.progress import Progress
from pipelines.sources.records import SourceError


@dataclass(frozen=True, slots=True)
class Entry:
    """A file and its name: the path relative to the folder, with slashes, valid Unicode on any system."""

    name: str
    path: Path


Place = Path | Sequence[Entry]
"""What a reader reads: a file, a folder, or files already listed, such as those of a source in the lake."""


def is_many(place: Place) -> bool:
    """Whether one bad file among others is to be told from a source that is bad as a whole."""
    return place.is_dir() if isinstance(place, Path) else len(place) != 1


def label(place: Place) -> str:
    """How to name the place in a message."""
    if isinstance(place, Path):
        return str(place)
    paths = [str(entry.path) for entry in place]
    return (
        paths[0]
        if len(paths) == 1
        else f"the source of {len(paths)} files" + (f" in {_common(paths)}" if paths else "")
    )


def _common(paths: list[str]) -> str:
    return os.path.commonpath([os.path.dirname(path) for path in paths])  # noqa: PTH120


def entries(place: Place, *, hidden: tuple[str, ...] = (".",)) -> Iterator[Entry]:
    """The files of a place, those of a folder sorted by name. Raises SourceError for a folder without any.

    In a folder and a list, what has a name or a folder that begins with a prefix of `hidden` is skipped. Symbolic
    links are followed; a folder is visited once, under the first of its names, so that links in circles end.
    """
    if isinstance(place, Path) and not place.is_dir():
        yield Entry(_printable(place.name), place)
        return
    empty = True
    for entry in _walk(place, hidden) if isinstance(place, Path) else _shown(place, hidden):
        empty = False
        yield entry
    if empty:
        raise SourceError(f"{label(place)} holds no files. Give another one.", reason="empty_folder")


def _shown(listed: Sequence[Entry], hidden: tuple[str, ...]) -> Iterator[Entry]:
    yield from (entry for entry in listed if not any(part.startswith(hidden) for part in entry.name.split("/")))


def _walk(folder: Path, hidden: tuple[str, ...]) -> Iterator[Entry]:
    visited: set[tuple[int, int]] = set()
    waiting = [folder]  # last in, first out: the next in order is at the end
    while waiting:
        path = waiting.pop()
        if not path.is_dir():
            yield Entry(_printable(path.relative_to(folder).as_posix()), path)
        elif (identity := _identity(path)) not in visited:
            visited.add(identity)
            waiting += sorted(_children(path, hidden), key=_order, reverse=True)


def _children(folder: Path, hidden: tuple[str, ...]) -> Iterator[Path]:
    try:
        with os.scandir(folder) as found:
            yield from (Path(entry.path) for entry in found if not entry.name.startswith(hidden))
    except OSError as error:
        raise SourceError(
            f"{folder} may not be read: {error.strerror}. Check its permissions.", reason="denied"
        ) from error


def _order(path: Path) -> bytes:
    """Bytes of the name, a folder as if it ended with a slash: the order of whole relative paths."""
    return os.fsencode(path.name) + (b"/" if path.is_dir() else b"")


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _printable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


class Overall:
    """Progress in bytes over all files of a folder, or over the one file."""

    def __init__(self, place: Place, progress: Progress, *, hidden: tuple[str, ...] = (".",)) -> None:
        self._progress = progress
        self._total = sum(_size(entry.path) for entry in entries(place, hidden=hidden))
        self._done = 0

    def within(self, entry: Entry) -> Progress:
        """What to call while this file is read; it counts as read from now on for the files after it."""
        before, size = self._done, _size(entry.path)
        self._done += size

        def progress(done: int, total: int) -> None:
            self._progress(before + (done * size // total if total else size), self._total)

        return progress


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a link to nowhere: reading it says so
        return 0
