"""What the readers of rows have in common: files of a folder one after another, a name, a limit, no empty source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from data.progress import Progress
from pipelines.sources.fields import RecordMaker, Row, RowOptions, records
from pipelines.sources.folders import Entry, Overall, Place, entries, is_many, label
from pipelines.sources.records import Record, SourceError, filtered

RowsOf = Callable[[Entry, Progress], Iterator[Row]]
_HIDDEN = (".", "_")  # so are the marks that Spark and Hive leave beside their parts


def rows(place: Place, rows_of: RowsOf, *, endings: tuple[str, ...], progress: Progress) -> Iterator[Row]:
    """Rows of a file, or of the files of several that have one of these endings; the others are rejected."""
    overall = Overall(place, progress, hidden=_HIDDEN)
    for entry in entries(place, hidden=_HIDDEN):
        if is_many(place) and not entry.name.lower().endswith(endings):
            overall.within(entry)
            yield Row(entry.name, filtered("other_format", f"not {', '.join(endings)}"))
        else:
            yield from rows_of(entry, overall.within(entry))


def read_rows(
    place: Place,
    found: Iterable[Row],
    *,
    source: str | None,
    options: RowOptions,
    max_chars: int,
    limit: int | None,
) -> Iterator[Record]:
    """One record per row. Raises SourceError without a source name or without a single row."""
    if not source:
        raise SourceError(f"{label(place)}: its rows name no source. Name it yourself.", reason="no_source_name")
    empty = True
    for record in records(found, RecordMaker(options, source=source, max_chars=max_chars), limit=limit):
        empty = False
        yield record
    if empty and limit != 0:
        raise SourceError(f"{label(place)} holds no row (empty file). Give another file.", reason="empty_dump")
