"""JSON Lines (https://jsonlines.org) as a stream of records, one per line that is not blank.

Each line is an object. Its keys may differ from line to line: each line is looked at for itself.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from data.progress import Progress, ignore
from pipelines.sources.encoding import to_utf8
from pipelines.sources.fields import Row, RowOptions, get, no_column
from pipelines.sources.folders import Entry, Place, label
from pipelines.sources.lines import lines
from pipelines.sources.records import MAX_CHARS, Record, Reject, failed
from pipelines.sources.streams import chunks
from pipelines.sources.tables import read_rows, rows

ENDINGS = tuple(f".{name}{packed}" for name in ("jsonl", "ndjson") for packed in ("", ".gz", ".zst", ".bz2"))
_LINE_OVERHEAD = 64 * 1024  # bytes of a line beyond its text: other fields
_BYTES_PER_CHAR = 12  # "\ud83d\ude00" is the longest JSON spelling of a code point


def read(
    path: Place,
    *,
    source: str | None = None,
    max_chars: int = MAX_CHARS,
    limit: int | None = None,
    progress: Progress = ignore,
    fields: Mapping[str, str] | None = None,
    meta: Literal["all", "none"] | Sequence[str] = "all",
    markup: Literal["plain", "html"] = "plain",
    encoding: str | None = None,
) -> Iterator[Record]:
    """Yield one record per non-blank line of a file or folder of files; a bad line is a record with a reject.

    `source` must be given: a line names none. A line without id is named by the hash of its text and the
    occurrence of that text. `fields`, `meta` and `markup` as in RowOptions. Raises SourceError where the file as a
    whole cannot be read, and at its end if a column that is named was in no line.
    """
    options = RowOptions(fields=fields or {}, meta=meta, markup=markup)
    longest = max_chars * _BYTES_PER_CHAR + _LINE_OVERHEAD

    def rows_of(entry: Entry, listen: Progress) -> Iterator[Row]:
        for number, line in lines(to_utf8(chunks(entry.path, progress=listen), encoding=encoding), longest=longest):
            if line is None or (not line.isspace() and line):
                yield Row(f"{entry.name}#line={number}", _parse(line))

    found = _checked(rows(path, rows_of, endings=ENDINGS, progress=progress), options, path)
    yield from read_rows(path, found, source=source, options=options, max_chars=max_chars, limit=limit)


def _parse(line: bytes | None) -> dict[str, Any] | Reject:
    if line is None:
        return failed("page_too_large", "the line is too long to hold")
    try:
        row = json.loads(line.removeprefix(codecs.BOM_UTF8).decode("utf-8"))  # a mark in the middle: joined files
    except UnicodeDecodeError as error:
        return failed("invalid_utf8", f"byte {error.start} of the line: {error.reason}")
    except (ValueError, RecursionError) as error:
        return failed("invalid_json", str(error)[:200])
    return row if isinstance(row, dict) else failed("invalid_json", f"a {type(row).__name__}, expected an object")


def _checked(found: Iterator[Row], options: RowOptions, place: Place) -> Iterator[Row]:
    """The rows; SourceError after the last one if a column that the options name was in none of them."""
    unseen = set(options.wanted)
    known: dict[str, None] = {}
    for row in found:
        if not isinstance(row.values, Reject) and (unseen or not known):
            unseen = {column for column in unseen if not get(row.values, column)[0]}
            known.update(dict.fromkeys(row.values) if len(known) < 40 else {})
        yield row
    if unseen and known:
        raise no_column(min(unseen), known, label(place))
