"""CSV and TSV (RFC 4180) as a stream of records, one per row under the header.

Rows are parsed strictly: stray quotes and rows of the wrong length are rejected, never repaired by guessing.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from data.errors import ConfigError
from data.progress import Progress, ignore
from pipelines.sources.encoding import to_utf8
from pipelines.sources.fields import Row, RowOptions
from pipelines.sources.folders import Entry, Place
from pipelines.sources.lines import Pieces
from pipelines.sources.records import MAX_CHARS, Record, Reject, SourceError, failed
from pipelines.sources.streams import chunks
from pipelines.sources.tables import read_rows, rows
from pipelines.sources.values import is_encodable

ENDINGS = tuple(f".{name}{packed}" for name in ("csv", "tsv", "tab") for packed in ("", ".gz", ".zst", ".bz2"))
_ROW_OVERHEAD = 64 * 1024  # characters of a row beyond its text: other columns, quotes
_DELIMITERS = ",;\t|"
_REREAD = 64 * 1024 * 1024  # characters of a file that may be read again after broken rows

Quoting = Literal["standard", "none"]


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
    delimiter: str | None = None,
    quoting: Quoting = "standard",
) -> Iterator[Record]:
    """Yield one record per row of a file or folder of files; a bad row is a record with a reject.

    `delimiter` is told by the header where it is not given; `quoting` "none" takes quotes as characters of the text.
    `fields`, `meta` and `markup` as in RowOptions. An empty cell holds no value. Raises SourceError where a file has
    no usable header, lacks a column that is named, or ends inside a quoted cell too long to hold.
    """
    options = RowOptions(fields=fields or {}, meta=meta, markup=markup)
    _check_options(delimiter, quoting)
    longest = 2 * max_chars + _ROW_OVERHEAD  # a quote inside quotes is written twice

    def rows_of(entry: Entry, listen: Progress) -> Iterator[Row]:
        pieces = to_utf8(chunks(entry.path, progress=listen), encoding=encoding)
        feed = _Feed(_text(pieces), entry.path, longest, quoting)
        table = _Table(feed, entry, _dialect(feed, delimiter, quoting))
        options.check(table.header, str(entry.path))
        yield from table

    found = rows(path, rows_of, endings=ENDINGS, progress=progress)
    yield from read_rows(path, found, source=source, options=options, max_chars=max_chars, limit=limit)


def _check_options(delimiter: str | None, quoting: str) -> None:
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise ConfigError(f"delimiter: one character is wanted, no quote or line break, not {delimiter!r}")
    if quoting not in {"standard", "none"}:
        raise ConfigError(f"quoting: '{quoting}' is neither standard nor none")


def _text(pieces: Iterator[bytes]) -> io.TextIOWrapper:
    """Characters; a byte that is not UTF-8 becomes a lone surrogate, which the row that holds it is rejected for."""
    buffered = io.BufferedReader(Pieces(pieces), 64 * 1024)
    return io.TextIOWrapper(buffered, "utf-8", errors="surrogateescape", newline="")


class _TooLongError(Exception):
    """A row is longer than what may be held."""


class _Feed:
    """Hands physical lines to the parser and remembers those of the row it is at."""

    def __init__(self, stream: io.TextIOWrapper, path: Path, longest: int, quoting: Quoting) -> None:
        self._stream = stream
        self._path = path
        self._longest = longest
        self._quotes = quoting == "standard"
        self._again: deque[str] = deque()
        self._reread = 0
        self._length = 0
        self._next = 1
        self.held: list[str] = []
        self.first = 1
        """Number of the line in which the row begins."""

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._stream.readline(self._longest + 1)
        if not line:
            raise StopIteration
        self.held.append(line)
        self._length += len(line)
        self._next += line.endswith(("\n", "\r"))
        if self._length > self._longest:
            raise _TooLongError
        return line

    def peek(self) -> str:
        """The next line, still to be read."""
        if not self._again and (line := self._stream.readline(self._longest + 1)):
            self._again.append(line)
        return self._again[0] if self._again else ""

    def begin(self) -> None:
        """A new row begins with the next line."""
        self.held.clear()
        self._length, self.first = 0, self._next

    def give_back(self) -> None:
        """Read the lines of a broken row again but for its first, unless too much was read again already."""
        self._reread += self._length
        if len(self.held) > 1 and self._reread <= _REREAD:
            self._again.extendleft(reversed(self.held[1:]))
            self._next = self.first + 1

    def skip(self) -> None:
        """Drop the rest of a row too long to hold: up to a line break that no quotes enclose."""
        last = self.held[-1]
        inside = self._quotes and sum(line.count('"') for line in self.held) % 2 == 1
        while inside or not last.endswith(("\n", "\r")):
            if not (last := self._again.popleft() if self._again else self._stream.readline(self._longest)):
                break
            inside ^= self._quotes and last.count('"') % 2 == 1
            self._next += last.endswith(("\n", "\r"))
        if inside:
            raise SourceError(
                f"{self._path}: a quote that opens in the row at line {self.first} is never closed. Mend that line, or "
                "set `quoting: none` if quotes have no meaning in this file.",
                reason="unclosed_quote",
            )


def _dialect(feed: _Feed, delimiter: str | None, quoting: Quoting) -> dict[str, Any]:
    """Options of the parser; the delimiter is the candidate that the header has most of, a comma if none."""
    counts = Counter(feed.peek())
    found = delimiter or max(_DELIMITERS, key=lambda candidate: counts[candidate])
    return {"delimiter": found, "quoting": csv.QUOTE_MINIMAL if quoting == "standard" else csv.QUOTE_NONE}


class _Table:
    """The rows of one file, and its header."""

    def __init__(self, feed: _Feed, entry: Entry, dialect: Mapping[str, Any]) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), feed._longest))  # the process has one limit for all readers
        self._feed = feed
        self._entry = entry
        self._reader = csv.reader(feed, strict=True, **dialect)
        self.header = self._header()

    def __iter__(self) -> Iterator[Row]:
        while (cells := self._cells()) is not None:
            if cells:
                yield Row(f"{self._entry.name}#line={self._feed.first}", self._values(cells))

    def _cells(self) -> list[str] | Reject | None:
        """Cells of the next row, none for a blank line; None at the end."""
        self._feed.begin()
        try:
            return next(self._reader)
        except StopIteration:
            return None
        except _TooLongError:
            self._feed.skip()
            return failed("page_too_large", "the row is too long to hold")
        except csv.Error as error:
            self._feed.give_back()
            return failed("invalid_csv", str(error))

    def _values(self, cells: list[str] | Reject) -> dict[str, Any] | Reject:
        if isinstance(cells, Reject):
            return cells
        if len(cells) != len(self.header):
            self._feed.give_back()
            return failed("wrong_number_of_cells", f"{len(cells)} cells under a header of {len(self.header)}")
        if bad := next((name for name, cell in zip(self.header, cells, strict=True) if not is_encodable(cell)), None):
            return failed("invalid_utf8", f"column `{bad}`")
        return {name: cell or None for name, cell in zip(self.header, cells, strict=True)}

    def _header(self) -> list[str]:
        while (cells := self._cells()) == []:
            pass
        if cells is None or isinstance(cells, Reject) or not is_encodable("".join(cells)):
            what = "no rows" if cells is None else cells.detail if isinstance(cells, Reject) else "invalid UTF-8"
            raise SourceError(f"{self._entry.path} has no header that can be read: {what}.", reason="no_header")
        names = [cell.strip() or f"column_{number}" for number, cell in enumerate(cells, 1)]
        if twice := next((name for name, count in Counter(names).items() if count > 1), None):
            raise SourceError(
                f"{self._entry.path} has two columns named '{twice}'. Rename one.", reason="duplicate_column"
            )
        return names
