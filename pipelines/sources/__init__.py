"""One reader per input format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from data.errors import ConfigError
from pipelines import extensions
from pipelines.sources import jsonl, wikipedia
from pipelines.sources.records import Reader, Record, Reject, SourceError

READERS: dict[str, Reader] = {"wikipedia": wikipedia.read, "jsonl": jsonl.read}

_ENDINGS: dict[str, tuple[str, ...]] = {
    "wikipedia": (".xml", ".xml.bz2", ".xml.gz", ".bz2"),
    "jsonl": (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"),
}


def register_reader(name: str, read: Reader, endings: Sequence[str] = ()) -> None:
    """Make a reader known, for files with these endings too. Raises ConfigError where a name or ending is taken."""
    if READERS.setdefault(name, read) is not read:
        raise ConfigError(f"there is a reader '{name}' already; give yours another name")
    for ending in endings:
        taken = next((other for other, theirs in _ENDINGS.items() if other != name and ending in theirs), None)
        if taken:
            raise ConfigError(f"files ending in '{ending}' are read by '{taken}' already")
    if endings:
        _ENDINGS[name] = tuple(endings)


def known_reader(path: str | Path) -> str | None:
    """Name of the reader for a file, by the ending of its name; None where none knows it."""
    name = Path(path).name.lower()
    return next((reader for reader, endings in _ENDINGS.items() if name.endswith(endings)), None)


def code(names: Iterable[str]) -> dict[str, str]:
    """For each of these readers that a user's module brought the version of that module."""
    versions = {name: extensions.code(READERS[name].__module__) for name in names if name in READERS}
    return {name: version for name, version in versions.items() if version is not None}


def reader_for(path: str | Path) -> str:
    """Name of the reader for a file, by the ending of its name; SourceError lists the formats known."""
    if (found := known_reader(path)) is not None:
        return found
    known = "; ".join(f"{reader}: {', '.join(endings)}" for reader, endings in _ENDINGS.items())
    raise SourceError(f"{path}: no reader knows this kind of file. Known endings: {known}.", reason="unknown_format")


__all__ = [
    "READERS",
    "Reader",
    "Record",
    "Reject",
    "SourceError",
    "code",
    "known_reader",
    "reader_for",
    "register_reader",
]
