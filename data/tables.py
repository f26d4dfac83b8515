"""Read parts of a lake as frames; of one in an object store no more than the columns that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import RawIOBase
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from data import files
from data.errors import LakeError
from data.storage import ObjectPath, cache

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

_BATCH_BYTES = 8 << 20
"""Row groups are read together up to so many bytes, so that no batch is larger than those that were written."""

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

    if not paths:
        return pl.DataFrame()
    if not any(isinstance(path, ObjectPath) for path in paths):
        with suppress(FileNotFoundError, pl.exceptions.PolarsError):  # told of the one file below
            return pl.read_parquet(list(paths), columns=None if columns is None else list(columns))
    return pl.concat([read(path, columns) for path in paths])


def column_names(path: Path) -> list[str]:
    """The columns of a part."""
    with _opened(path, []) as file:
        return list(file.schema_arrow.names)


def batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """A part a few row groups at a time, so that memory is that of a batch; at least one frame, which may be empty."""
    with _opened(path, columns) as file:
        for groups in _groups(file):
            yield _frame(file, groups, columns)


def groups_of(path: Path) -> list[range]:
    """The row groups that make a batch each: neighbours, up to the size of a batch before compression."""
    with _opened(path, []) as file:
        return _groups(file)


def read_groups(path: Path, groups: range, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Some row groups of a part, or some of their columns in the order given."""
    with _opened(path, columns) as file:
        return _frame(file, groups, columns)


def _groups(file: pq.ParquetFile) -> list[range]:
    sizes = [file.metadata.row_group(number).total_byte_size for number in range(file.num_row_groups)]
    starts, held = [0], sum(sizes[:1])
    for number, size in enumerate(sizes[1:], 1):
        held += size
        if held > _BATCH_BYTES:
            starts.append(number)
            held = size
    return [range(start, stop) for start, stop in zip(starts, [*starts[1:], len(sizes)], strict=True)]


def arrow_batches(path: Path) -> Iterator[pa.Table]:
    """The batches of a part as they stand in the file, its metadata included."""
    with _opened(path, None) as file:
        for groups in _groups(file):
            yield file.read_row_groups(list(groups), use_threads=False)


def _frame(file: pq.ParquetFile, groups: range, columns: Sequence[str] | None) -> pl.DataFrame:
    import polars as pl

    table = file.read_row_groups(list(groups), None if columns is None else list(columns), use_threads=False)
    return pl.DataFrame(pl.from_arrow(table)).select(pl.all() if columns is None else list(columns))


@contextmanager
def _opened(path: Path, columns: Sequence[str] | None) -> Iterator[pq.ParquetFile]:
    """A Parquet file; of an object that is not kept here, no more than the columns that are asked for."""
    import pyarrow.parquet as pq

    from data.storage.reading import Reader

    is_apart = columns is not None and isinstance(path, ObjectPath) and not cache.is_kept(path)
    # As `from_file` does: in one thread, with nothing buffered ahead.
    with (
        whole(path),
        Reader(path) if is_apart and isinstance(path, ObjectPath) else files.local(path).open("rb") as opened,
        pq.ParquetFile(opened, pre_buffer=False) as file,
    ):
        yield file
