"""What every reader yields: one record per page, line or row, and the reason where it goes no further."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from data.errors import TextmillError
from data.progress import Progress, ignore

MAX_CHARS = 10_000_000
"""Longest text of one record, in code points; a longer one is rejected, never held in memory."""


class SourceError(TextmillError):
    """A whole file cannot be read; `reason` is its machine-readable name."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a record leaves the stream. `filtered`: working as intended; `failed`: could not be handled."""

    stage: str
    kind: Literal["filtered", "failed"]
    reason: str
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One page, line or row of a source, before extraction.

    `namespaces` maps MediaWiki's namespace numbers to the names this wiki uses; empty elsewhere.
    `n_chars` counts the code points of the raw text, also where `text` was not kept. `markup` "html" is a web page
    whose main text is still to be found; `headings` are found with it: level, words, and where in the text they begin.
    `meta` is a JSON object of what the source tells beyond these fields.
    """

    doc_id: str | None
    source: str
    origin: str
    title: str | None = None
    url: str | None = None
    lang_declared: str | None = None
    published_at: datetime | None = None
    text: str = ""
    markup: Literal["wikitext", "plain", "html"] = "plain"
    namespaces: Mapping[int, str] = field(default_factory=dict)
    n_chars: int | None = None
    meta: str | None = None
    reject: Reject | None = None
    headings: tuple[tuple[int, str, int], ...] = field(default=(), repr=False)


class Reader(Protocol):
    """Reads a file, a folder or listed files as a stream of records; SourceError where it is unusable as a whole.

    Readers of rows take `fields`, which maps a field of ours (text, id, title, url, lang, published_at) to the name
    it has in the file.
    """

    def __call__(
        self,
        path: Path,
        *,
        source: str | None = None,
        max_chars: int = MAX_CHARS,
        limit: int | None = None,
        progress: Progress = ignore,
        fields: Mapping[str, str] | None = None,
    ) -> Iterator[Record]:
        """Yield one record per page, line or row."""
        ...


def digest(records: Iterable[Record]) -> str:
    """SHA-256 of all that the records hold: what decides the documents made of them, whatever file they stood in."""
    found = hashlib.sha256()
    for record in records:
        found.update(repr(record).encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def filtered(reason: str, detail: str | None = None) -> Reject:
    """A record left out on purpose while reading."""
    return Reject("extract", "filtered", reason, detail)


def failed(reason: str, detail: str | None = None) -> Reject:
    """A record that could not be read."""
    return Reject("extract", "failed", reason, detail)


def unreadable(error: SourceError, path: Path) -> Reject:
    """The reject for a file that could not be read; its message names the file but not where this machine has it."""
    return failed(error.reason, str(error).replace(str(path), path.name))
