"""One reader per input format."""

from __future__ import annotations

from pathlib import Path

from pipelines.sources import jsonl, wikipedia
from pipelines.sources.records import Reader, Record, Reject, SourceError

READERS: dict[str, Reader] = {"wikipedia": wikipedia.read, "jsonl": jsonl.read}

_ENDINGS = {
    "wikipedia": (".xml", ".xml.bz2", ".xml.gz", ".bz2"),
    "jsonl": (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"),
}


def reader_for(path: str | Path) -> str:
    """Name of the reader for a file, by the ending of its name; SourceError lists the formats known."""
    name = Path(path).name.lower()
    for reader, endings in _ENDINGS.items():
        if name.endswith(endings):
            return reader
    known = "; ".join(f"{reader}: {', '.join(endings)}" for reader, endings in _ENDINGS.items())
    raise SourceError(f"{path}: no reader knows this kind of file. Known endings: {known}.", reason="unknown_format")


__all__ = ["READERS", "Reader", "Record", "Reject", "SourceError", "reader_for"]
