"""Write Parquet batch by batch: the memory is that of a batch, whatever the file grows to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data import files, layout
from data.contracts.base import Contract
from data.hashing import sha256_file
from data.parts import Part, add_bounds, bounds_of, check_counts, check_rejects

Publish = Callable[[Path, str, str], str]
"""Gives a finished file, by its hash and the folder it belongs to in the version, its name there."""
REJECTS = "_rejects"
_ROW_GROUP_BYTES = 16 << 20
_LEAST_BYTES = 4 << 20
"""Batches of less wait for the next one: a row group of some kilobytes costs its readers more than it holds."""


def write_parquet(path: Path, table: pa.Table, *, metadata: Mapping[str, str] | None = None) -> None:
    """Write plain Parquet atomically: zstd level 3, statistics, page index, row groups of about 16 MB.

    The bytes depend on the values alone.
    """
    with files.staging(path) as staged, closing(Rows(staged)) as rows:
        rows.add(_with(table, metadata))
        rows.finish()


def _with(table: pa.Table, metadata: Mapping[str, str] | None) -> pa.Table:
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **metadata}) if metadata else table


class Rows:
    """A Parquet file that nobody reads yet, in the making. A batch ends a row group, but for small ones."""

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._path = path
        self._waiting: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, table: pa.Table) -> None:
        """Take a batch; all are of one schema."""
        self.rows += table.num_rows
        self._waiting.append(table.combine_chunks())
        if sum(map(_size, self._waiting)) >= _LEAST_BYTES:
            self._flush()

    def finish(self) -> None:
        """Write what waits and the end of the file."""
        if self._waiting:
            self._flush()
        self.close()

    def close(self) -> None:
        """Let go of the file, finished or not."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _flush(self) -> None:
        """Write what waits in row groups of about 16 MB. Pages end where chunks do, so these are made one."""
        table = pa.concat_tables(self._waiting).combine_chunks()
        self._waiting = []
        rows = max(1, table.num_rows * _ROW_GROUP_BYTES // max(_size(table), 1))
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, **layout.options(table))
        self._writer.write_table(table, row_group_size=rows)


def _size(table: pa.Table) -> int:
    """Bytes as a message of Arrow, which leaves out a bitmap that says of no value that it is null."""
    return sum(map(pa.ipc.get_record_batch_size, table.to_batches()))


@contextmanager
def closing(rows: Rows) -> Iterator[Rows]:
    """Close the file in the end; where the work failed, that it cannot be closed must not hide why."""
    try:
        yield rows
    except BaseException:
        with suppress(Exception):
            rows.close()
        raise
    rows.close()


@dataclass(frozen=True)
class _File:
    """A file of a version: its name in the folder, its bytes and their hash."""

    file: str
    bytes: int
    sha256: str


class PartWriter:
    """A part in the making: `add` batches, `reject` what was not kept, then `finish`.

    Before that nothing of it has its name.
    """

    def __init__(self, folder: Path, contract: Contract, stack: ExitStack, publish: Publish) -> None:
        """What is open is closed with the `stack`."""
        self._folder, self._contract, self._stack, self._publish = folder, contract, stack, publish
        self._kept: tuple[Path, Rows] | None = None
        self._rejected: tuple[Path, Rows] | None = None
        self._bounds: list[dict[str, Any]] = []

    def add(self, table: pa.Table, *, metadata: Mapping[str, str] | None = None) -> None:
        """Write a batch."""
        self._bounds.append(bounds_of(table, self._contract))
        self._kept = self._kept or self._open(self._folder)
        self._kept[1].add(_with(table, metadata))

    def reject(self, rejects: pa.Table) -> None:
        """Write records that were not kept."""
        if rejects.num_rows:
            self._rejected = self._rejected or self._open(self._folder / REJECTS)
            self._rejected[1].add(rejects)

    def finish(self, index: int, key: str, counts: dict[str, Any]) -> Part:
        """Give the files their names. Raises AccountingError unless the counts are those of the rows."""
        if self._kept is None:
            raise RuntimeError("a part has at least one batch, which may be empty")
        check_counts(self._contract.name, counts, self._kept[1].rows)
        check_rejects(self._contract.name, counts, self._rejected[1].rows if self._rejected else 0)
        made = self._named(*self._kept)
        refused = self._named(*self._rejected, folder=REJECTS) if self._rejected else None
        return Part(
            index=index,
            key=key,
            file=made.file,
            rows=self._kept[1].rows,
            bytes=made.bytes,
            sha256=made.sha256,
            counts=counts,
            rejects_file=refused.file if refused else None,
            rejects_sha256=refused.sha256 if refused else None,
            bounds=add_bounds(self._bounds),
        )

    def _open(self, folder: Path) -> tuple[Path, Rows]:
        staged = self._stack.enter_context(files.drafting(folder / "part"))
        return staged, self._stack.enter_context(closing(Rows(staged)))

    def _named(self, staged: Path, rows: Rows, folder: str = "") -> _File:
        rows.finish()
        size, sha256 = staged.stat().st_size, sha256_file(staged)
        return _File(self._publish(staged, sha256, folder), size, sha256)
