"""One reader per input format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data.errors import ConfigError
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


def reader_for(path: str | Path) -> str:
    """Name of the reader for a file, by the ending of its name; SourceError lists the formats known."""
    name = Path(path).name.lower()
    for reader, endings in _ENDINGS.items():
        if name.endswith(endings):
            return reader
    known = "; ".join(f"{reader}: {', '.join(endings)}" for reader, endings in _ENDINGS.items())
    raise SourceError(f"{path}: no reader knows this kind of file. Known endings: {known}.", reason="unknown_format")


__all__ = ["READERS", "Reader", "Record", "Reject", "SourceError", "reader_for", "register_reader"]
