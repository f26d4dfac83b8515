"""Read parts of a lake as frames; of one in an object store no more than the columns that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from data.storage import ObjectPath, cache

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


def read(path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """A part, or some of its columns in their order. Raises FileNotFoundError where it is gone."""
    import polars as pl

    if columns is None or not isinstance(path, ObjectPath) or cache.is_kept(path):
        return pl.read_parquet(path, columns=None if columns is None else list(columns))
    from data.storage.reading import Reader

    with Reader(path) as file:
        return pl.DataFrame(pl.from_arrow(from_file(file, columns))).select(columns)


def from_file(file: IO[Any], columns: Sequence[str] | None = None) -> pa.Table:
    """What an open Parquet file holds, or some of its columns, in the order of the file.

    In one thread, with nothing buffered ahead: the threads of Arrow may hold a file of Python's when the process ends,
    which aborts it.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(file, pre_buffer=False) as opened:
        return opened.read(columns=None if columns is None else list(columns), use_threads=False)


def read_all(paths: Sequence[Path], columns: Sequence[str] | None = None) -> pl.DataFrame:
    """The parts of a version as one frame, an empty one without columns where there are none."""
    import polars as pl

    if not any(isinstance(path, ObjectPath) for path in paths):
        return (
            pl.read_parquet(list(paths), columns=None if columns is None else list(columns))
            if paths
            else pl.DataFrame()
        )
    return pl.concat([read(path, columns) for path in paths])
