"""Read parts of a lake as frames; of one in an object store no more than the columns that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from data.errors import LakeError
from data.storage import ObjectPath, cache

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_BUFFER = 16 << 10  # what is fetched at least when a little is read
_REPAIR = "`textmill datasets verify` lists every such file and says what to do"


@contextmanager
def whole(path: Path) -> Iterator[None]:
    """Read a published file; raises LakeError where it is gone, or is no Parquet any more."""
    import polars as pl
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError as error:
        raise LakeError(f"{path} is missing; {_REPAIR}") from error
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # what the disk says is told elsewhere
        raise LakeError(f"{path} is damaged; {_REPAIR}") from error


def table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A part as Arrow has it, or some of its columns, in the order of the file."""
    with whole(path), path.open("rb", buffering=_BUFFER) as file:
        return from_file(file, columns)


def read(path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """A part, or some of its columns in their order. Raises LakeError where it is gone or damaged."""
    import polars as pl

    if columns is None or not isinstance(path, ObjectPath) or cache.is_kept(path):
        with whole(path):
            return pl.read_parquet(path, columns=None if columns is None else list(columns))
    return pl.DataFrame(pl.from_arrow(table(path, columns))).select(columns)


def from_file(file: IO[Any] | RawIOBase, columns: Sequence[str] | None = None) -> pa.Table:
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
