"""One reader per input format."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from data.errors import ConfigError
from data.progress import Progress, ignore
from pipelines import extensions
from pipelines.sources import delimited, jsonl, parquet, plain, web, wikipedia
from pipelines.sources.folders import Entry, Overall, Place, entries, is_many
from pipelines.sources.records import MAX_CHARS, Reader, Record, Reject, SourceError, digest, filtered

VERSION = 3

_ROWS: dict[str, Reader] = {"jsonl": jsonl.read, "csv": delimited.read, "parquet": parquet.read}
READERS: dict[str, Callable[..., Iterator[Record]]] = {
    "wikipedia": wikipedia.read,
    **_ROWS,
    "text": plain.read,
    "html": web.read,
}
"""Readers by name. Each takes what Reader says, those of rows also `fields`; for its other options see `options_of`."""

_ENDINGS: dict[str, tuple[str, ...]] = {
    "wikipedia": (".xml", ".xml.bz2", ".xml.gz", ".xml.xz", ".xml.zst", ".bz2"),
    "jsonl": jsonl.ENDINGS,
    "csv": delimited.ENDINGS,
    "parquet": parquet.ENDINGS,
    "text": plain.ENDINGS,
    "html": web.ENDINGS,
}
_CONVERT = "Convert it to text or HTML first, for example with pandoc."
_SHEET = "Save the sheet as CSV (UTF-8)."
_UNPACK = "Unpack it and give the folder."
_HINTS = {
    ".7z": "7z cannot be read as a stream. Take the .bz2 file that is published beside it, or unpack it.",
    ".json": "JSON as one value cannot be read as a stream. Make JSON Lines of it: jq -c '.[]' FILE > FILE.jsonl",
    ".pdf": "PDF holds no text in reading order. Convert it first, for example with pdftotext.",
    ".warc": "Take the pages out of the WARC file first, as HTML files or JSON Lines.",
    ".warc.gz": "Take the pages out of the WARC file first, as HTML files or JSON Lines.",
    **dict.fromkeys((".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.zst", ".tar.xz", ".rar"), _UNPACK),
    **dict.fromkeys((".doc", ".docx", ".odt", ".rtf", ".epub"), _CONVERT),
    **dict.fromkeys((".xls", ".xlsx", ".ods"), _SHEET),
}
_INDEX = re.compile(r"-multistream-index[^/]*\.txt[^/]*$", re.IGNORECASE)
_LOOKED_AT = 1000  # files of a folder
_COMMON = {"path", "source", "max_chars", "limit", "progress", "salvage"}  # salvage: on_bad_file of the recipe


def register_reader(name: str, read: Callable[..., Iterator[Record]], endings: Sequence[str] = ()) -> None:
    """Make a reader known, for files with these endings too. Raises ConfigError where a name or ending is taken."""
    if READERS.setdefault(name, read) is not read:
        raise ConfigError(f"there is a reader '{name}' already; give yours another name")
    for ending in endings:
        taken = next((other for other, theirs in _ENDINGS.items() if other != name and ending in theirs), None)
        if taken:
            raise ConfigError(f"files ending in '{ending}' are read by '{taken}' already")
    if endings:
        _ENDINGS[name] = tuple(endings)


def code(names: Iterable[str]) -> dict[str, str]:
    """For each of these readers that a user's module brought the version of that module."""
    versions = {name: extensions.code(READERS[name].__module__) for name in names if name in READERS}
    return {name: version for name, version in versions.items() if version is not None}


def reader_for(place: str | Place) -> str:
    """Name of the reader for a file by the ending of its name, or for several by what most of them are.

    Raises SourceError with the formats known, and with a hint for formats that need a step before.
    """
    place = Path(place) if isinstance(place, str) else place
    names = [entry.name for entry in islice(entries(place), _LOOKED_AT)]
    known = Counter(reader for name in names if (reader := known_reader(name)))
    if known:
        return max(_ENDINGS, key=lambda reader: known[reader])
    if is_many(place):
        return "text"
    raise SourceError(f"{names[0]}: {_hint(names[0])}", reason="unknown_format")


def options_of(reader: str) -> set[str]:
    """Names of the options that a reader takes beyond those common to all."""
    return set(inspect.signature(READERS[reader]).parameters) - _COMMON


def read(
    place: Place,
    *,
    source: str,
    reader: str | None = None,
    options: Mapping[str, Any] | None = None,
    max_chars: int = MAX_CHARS,
    limit: int | None = None,
    progress: Progress = ignore,
) -> Iterator[Record]:
    """Records of a file, a folder or listed files, by the named reader or by the one their names tell.

    `options` go to the reader: fields, meta, split and the like. Raises ConfigError for a reader or an option that
    does not exist.
    """
    name = reader or reader_for(place)
    given = checked(name, options or {})
    common: dict[str, Any] = {"source": source, "max_chars": max_chars}
    if name == "wikipedia":
        return _dumps(place, {**common, **given}, limit, progress)
    return READERS[name](place, limit=limit, progress=progress, **common, **given)


def checked(reader: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are set. Raises ConfigError for a reader or an option that does not exist."""
    if reader not in READERS:
        raise ConfigError(f"reader: there is no reader '{reader}'; there are {', '.join(READERS)}")
    given = {key: value for key, value in options.items() if value is not None}
    if unknown := sorted(set(given) - options_of(reader)):
        known = ", ".join(sorted(options_of(reader))) or "none"
        raise ConfigError(f"{unknown[0]}: the {reader} reader has no such option; it has: {known}")
    return given


def _dumps(place: Place, options: Mapping[str, Any], limit: int | None, progress: Progress) -> Iterator[Record]:
    """Dumps are read file by file: each tells its own wiki."""
    overall = Overall(place, progress)
    done = 0
    for entry in entries(place):
        left = None if limit is None else limit - done
        other = other_than_dump(entry.name, options["source"]) if is_many(place) else None
        listen = overall.within(entry)
        name = wikipedia.source_among(entry.name, options["source"]) if is_many(place) else options["source"]
        given = {**options, "source": name}
        found = [other] if other else READERS["wikipedia"](entry.path, limit=left, progress=listen, **given)
        for record in found:
            done += 1
            yield record
        if limit is not None and done >= limit:
            return


def other_than_dump(name: str, source: str) -> Record | None:
    """The record, with its reject, of a file among dumps that by its name is none, such as an index; else None."""
    if known_reader(name) == "wikipedia":
        return None
    detail = f"not {', '.join(_ENDINGS['wikipedia'])}"
    return Record(doc_id=None, source=source, origin=name, reject=filtered("other_format", detail))


def known_reader(name: str) -> str | None:
    """The reader with the longest ending that fits, so that .jsonl.bz2 goes before .bz2; None where none knows it."""
    name = name.lower()
    if name.endswith(tuple(_HINTS)) or _INDEX.search(name):
        return None
    fits = {reader: max(map(len, filter(name.endswith, endings)), default=0) for reader, endings in _ENDINGS.items()}
    best = max(fits, key=lambda reader: fits[reader])
    return best if fits[best] else None


def _hint(name: str) -> str:
    if _INDEX.search(name):
        return "this is the index of a multistream dump. Give the dump itself (…-multistream.xml.bz2)."
    ending = max((ending for ending in _HINTS if name.lower().endswith(ending)), key=len, default="")
    if ending:
        return f"files of this kind ({ending}) are not read. {_HINTS[ending]}"
    known = "; ".join(f"{reader}: {', '.join(endings)}" for reader, endings in _ENDINGS.items())
    return f"no reader knows this kind of file. Known endings: {known}."


__all__ = [
    "READERS",
    "VERSION",
    "Entry",
    "Place",
    "Reader",
    "Record",
    "Reject",
    "SourceError",
    "checked",
    "code",
    "digest",
    "known_reader",
    "options_of",
    "other_than_dump",
    "read",
    "reader_for",
    "register_reader",
]
