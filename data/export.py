"""A release as few large files, for readers that suffer from many small ones, such as Spark or a bucket.

The parts of a lake are small because each is what one worker holds in memory and what a change redoes. An export joins
neighbouring parts, a row group at a time, into files of a size of your choice. A file is named by the parts in it, so
a second export to the same folder writes the files alone that changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data import files, layout
from data.hashing import fingerprint
from data.release import Release
from data.storage import place
from data.tables import whole

if TYPE_CHECKING:
    import pyarrow as pa

LIST = "_export.json"
_ROW_GROUP_BYTES = 16 << 20


@dataclass(frozen=True)
class Exported:
    """A file of an export: where it is, its rows and bytes, and whether this export had to write it."""

    path: Path
    rows: int
    bytes: int
    written: bool


def export(release: Release, dataset: str, folder: Path | str, *, megabytes: int = 128) -> list[Exported]:
    """Write a dataset to `folder/<dataset>/` as files of about so many megabytes, in the order of the parts.

    `folder` may be in an object store. A dataset that is smaller is one file; the last file may be half as large again.
    Memory is that of two row groups. Files of an earlier export that this one does not need are removed in the end.
    """
    target = place(Path(folder)) / dataset
    groups = grouped(release.manifest(dataset)["parts"], megabytes * 1_000_000)
    made = [_file(release, dataset, group, target, number) for number, group in enumerate(groups)]
    listed = [{"file": one.path.name, "rows": one.rows, "bytes": one.bytes} for one in made]
    about = {"pipeline": release.pipeline, "dataset": dataset, "version": release.versions[dataset], "files": listed}
    files.write_json(target / LIST, about)
    name = re.compile(rf"{dataset}-\d{{5,}}-[0-9a-f]{{16}}\.parquet")
    for path in set(target.glob(f"{dataset}-*.parquet")) - {one.path for one in made}:
        if name.fullmatch(path.name):  # of an earlier export, also of one that was killed
            path.unlink(missing_ok=True)
    return made


def grouped(parts: list[dict[str, Any]], size: int) -> list[list[dict[str, Any]]]:
    """Neighbouring parts in groups of at least `size` bytes; less than half of it in the end joins the last group.

    The first groups stay as they are when parts are added behind them.
    """
    groups: list[list[dict[str, Any]]] = [[]]
    for part in parts:
        if _bytes(groups[-1]) >= size:
            groups.append([])
        groups[-1].append(part)
    if len(groups) > 1 and _bytes(groups[-1]) < size / 2:
        rest = groups.pop()
        groups[-1] += rest
    return groups if groups[0] else []


def _bytes(parts: Iterable[dict[str, Any]]) -> int:
    return sum(part["bytes"] for part in parts)


def _file(release: Release, dataset: str, group: list[dict[str, Any]], target: Path, number: int) -> Exported:
    """Write the file of a group unless it is there."""
    key = fingerprint([part["sha256"] for part in group])
    path = target / f"{dataset}-{number:05d}-{key}.parquet"
    rows = sum(part["rows"] for part in group)
    if path.is_file():
        return Exported(path, rows, path.stat().st_size, written=False)
    folder = release.lake.version(release.pipeline, dataset, release.versions[dataset])
    with files.staging(path) as staged:
        _join([folder / part["file"] for part in group], staged)
        size = staged.stat().st_size
    return Exported(path, rows, size, written=True)


def _join(sources: list[Path], staged: Path) -> None:
    """Write the rows of several files of one schema to one, in row groups of about 16 MB."""
    import pyarrow.parquet as pq

    with whole(sources[0]), sources[0].open("rb") as opened:
        schema = pq.read_schema(opened)
    tables = _gathered(_row_groups(sources))
    first = next(tables, schema.empty_table())
    with pq.ParquetWriter(staged, schema, **layout.options(first)) as writer:
        for table in chain([first] if first.num_rows else [], tables):
            writer.write_table(table.combine_chunks(), row_group_size=max(1, table.num_rows))


def _row_groups(sources: list[Path]) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    for source in sources:
        with whole(source), source.open("rb") as opened, pq.ParquetFile(opened, pre_buffer=False) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, use_threads=False)


def _gathered(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The tables joined until they hold the bytes of a row group."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(each.nbytes for each in waiting) >= _ROW_GROUP_BYTES:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
