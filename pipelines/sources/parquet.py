"""Parquet as a stream of records, one per row, read in batches of bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data.progress import Progress, ignore
from pipelines.sources.fields import ALIASES, Row, RowOptions
from pipelines.sources.folders import Entry, Place
from pipelines.sources.records import MAX_CHARS, Record, Reject, SourceError, failed
from pipelines.sources.streams import size_of
from pipelines.sources.tables import read_rows, rows

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ENDINGS = (".parquet", ".parq", ".pq")
_BATCH_BYTES = 16 * 1024 * 1024
_BATCH_ROWS = 1024


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
) -> Iterator[Record]:
    """Yield one record per row of a file or folder of files; a bad row is a record with a reject.

    `fields`, `meta` and `markup` as in RowOptions. Raises SourceError where a file is damaged or lacks a column
    that is named.
    """
    options = RowOptions(fields=fields or {}, meta=meta, markup=markup)

    def rows_of(entry: Entry, listen: Progress) -> Iterator[Row]:
        try:
            yield from _file_rows(entry, options, listen)
        except OSError as error:
            raise _damaged(entry.path, error) from error

    found = rows(path, rows_of, endings=ENDINGS, progress=progress)
    yield from read_rows(path, found, source=source, options=options, max_chars=max_chars, limit=limit)


def _file_rows(entry: Entry, options: RowOptions, progress: Progress) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    size = size_of(entry.path)
    try:
        # No pre-buffering: it would hold the wanted columns of a whole row group.
        with pq.ParquetFile(entry.path, pre_buffer=False, buffer_size=1 << 20, page_checksum_verification=True) as file:
            _check_columns(file.schema_arrow, options, entry.path)
            done = 0
            for batch in file.iter_batches(_batch_rows(file), columns=_columns(file.schema_arrow, options)):
                yield from _batch_rows_of(_plain_times(batch), entry, done)
                done += batch.num_rows
                progress(size * done // max(file.metadata.num_rows, 1), size)
    except pa.ArrowException as error:
        raise _damaged(entry.path, error) from error


def _damaged(path: Path, error: Exception) -> SourceError:
    message = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return SourceError(
        f"{path} is no Parquet file, or a damaged one: {message}. Download it again and compare its checksum.",
        reason="corrupt_parquet",
    )


def _check_columns(schema: pa.Schema, options: RowOptions, path: Path) -> None:
    if twice := next((name for name, count in Counter(schema.names).items() if count > 1), None):
        raise SourceError(f"{path} has two columns named '{twice}'. Rename one.", reason="duplicate_column")
    nested = [name for field in schema for name in _paths(field)]
    options.check([*schema.names, *nested], str(path))


def _paths(field: pa.Field) -> Iterator[str]:
    """Dotted paths of all that a struct holds."""
    import pyarrow as pa

    if pa.types.is_struct(field.type):
        for inner in field.type:
            yield f"{field.name}.{inner.name}"
            yield from (f"{field.name}.{path}" for path in _paths(inner))


def _columns(schema: pa.Schema, options: RowOptions) -> list[str] | None:
    """The columns to read: all where the rest of a row is kept, else what the options and aliases name."""
    if options.meta == "all":
        return None
    named = {*options.wanted, *(column for name in ALIASES for column in options.columns(name))}
    heads = {column.partition(".")[0] for column in named}
    return [name for name in schema.names if name in named or name in heads]


def _batch_rows(file: pq.ParquetFile) -> int:
    """Rows of a batch: by their mean size, so that few large texts do not come at once."""
    metadata = file.metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    largest = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=1)
    return min(max(_BATCH_BYTES // max(largest, 1), 1), _BATCH_ROWS)


def _plain_times(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Nanoseconds cut to microseconds, the finest that Python's own times hold."""
    import pyarrow as pa

    columns = [
        column.cast(pa.timestamp("us", column.type.tz), safe=False)
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns"
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _batch_rows_of(batch: pa.RecordBatch, entry: Entry, done: int) -> Iterator[Row]:
    try:
        values: list[dict[str, Any] | Reject] = list(batch.to_pylist())
    except (ValueError, OverflowError):  # one bad value: find whose it is
        values = [_row_values(batch.slice(index, 1)) for index in range(batch.num_rows)]
    for index, row in enumerate(values):
        yield Row(f"{entry.name}#row={done + index + 1}", row)


def _row_values(row: pa.RecordBatch) -> dict[str, Any] | Reject:
    values: dict[str, Any] = {}
    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            values[name] = column[0].as_py()
        except UnicodeDecodeError as error:
            return failed("invalid_utf8", f"column `{name}`, byte {error.start}: {error.reason}")
        except (ValueError, OverflowError) as error:
            return failed("invalid_value", f"column `{name}`: {error}"[:200])
    return values
