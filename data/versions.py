"""Build one version of a dataset, part by part, so that a killed run goes on where it stopped.

A part is a Parquet file and a note of what it holds; the note is written after the file, so its presence is
the commit of the part. When all parts are there, the manifest is written and the folder is renamed into place.
A part whose key an earlier version has already is linked, not computed.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data import files
from data.contracts.base import Contract
from data.errors import AccountingError
from data.hashing import sha256_file
from data.lake import MANIFEST, Lake

NOTES = "_parts"
REJECTS = "_rejects"
_ROW_GROUP_BYTES = 16 << 20


@dataclass(frozen=True)
class Part:
    """What a part holds. `counts` has in, kept, and filtered and failed by reason."""

    index: int
    key: str
    file: str
    rows: int
    bytes: int
    sha256: str
    counts: dict[str, Any]
    rejects_file: str | None = None
    rejects_sha256: str | None = None
    bounds: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Build:
    """A dataset version in the making."""

    lake: Lake
    pipeline: str
    contract: Contract
    version: str

    @property
    def folder(self) -> Path:
        """Where the version is built."""
        return self.lake.staging(self.pipeline, self.contract.name, self.version)

    @property
    def published(self) -> dict[str, Any] | None:
        """The manifest if the version is finished."""
        return self.lake.manifest(self.pipeline, self.contract.name, self.version)

    def find(self, index: int, key: str) -> Part | None:
        """The finished part with this key, of this build or linked from an earlier version; None if there is none."""
        note = files.read_json(self.folder / NOTES / f"{index:05d}-{key}.json")
        return Part(**note) if note else self._reuse(index, key)

    def write(
        self,
        index: int,
        key: str,
        table: pa.Table,
        *,
        counts: dict[str, Any],
        rejects: pa.Table | None = None,
        metadata: Mapping[str, str] | None = None,
        facts: dict[str, Any] | None = None,
    ) -> Part:
        """Write a part and its rejects, then its note. Raises AccountingError if the counts do not add up."""
        check_counts(self.contract.name, counts, table.num_rows)
        name = f"part-{index:05d}-{key}.parquet"
        write_parquet(self.folder / name, table, metadata=metadata)
        rejects_file = f"{REJECTS}/{name}" if rejects is not None and rejects.num_rows else None
        if rejects is not None and rejects_file:
            write_parquet(self.folder / rejects_file, rejects)
        part = Part(
            index=index,
            key=key,
            file=name,
            rows=table.num_rows,
            bytes=(self.folder / name).stat().st_size,
            sha256=sha256_file(self.folder / name),
            counts=counts,
            rejects_file=rejects_file,
            rejects_sha256=sha256_file(self.folder / rejects_file) if rejects_file else None,
            bounds=_bounds(table, self.contract),
            facts=facts or {},
        )
        return self._note(part)

    def adopt(self, index: int, key: str, source: Path, *, rows: int, sha256: str) -> Part:
        """Take a finished Parquet file of another dataset of the same schema as a part, by a hard link."""
        name = f"part-{index:05d}-{key}.parquet"
        files.link(source, self.folder / name)
        counts = {"in": rows, "kept": rows, "filtered": {}, "failed": {}}
        size = source.stat().st_size
        return self._note(Part(index=index, key=key, file=name, rows=rows, bytes=size, sha256=sha256, counts=counts))

    def commit(self, parts: list[Part], manifest: dict[str, Any]) -> dict[str, Any]:
        """Write the manifest and rename the finished folder into place; returns the manifest."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._drop_strays(parts)
        complete = {
            "dataset": self.contract.name,
            "pipeline": self.pipeline,
            "version": self.version,
            "contract": self.contract.describe(),
            "rows": sum(part.rows for part in parts),
            "bytes": sum(part.bytes for part in parts),
            "counts": add_counts([part.counts for part in parts]),
            "parts": [asdict(part) for part in parts],
            **manifest,
        }
        files.write_json(self.folder / MANIFEST, complete)
        target = self.lake.version(self.pipeline, self.contract.name, self.version)
        target.parent.mkdir(parents=True, exist_ok=True)
        self.folder.rename(target)
        files.sync(target.parent)
        return complete

    def _note(self, part: Part) -> Part:
        files.write_json(self.folder / NOTES / f"{part.index:05d}-{part.key}.json", asdict(part))
        return part

    def _reuse(self, index: int, key: str) -> Part | None:
        for manifest in self.lake.manifests(self.pipeline, self.contract.name):
            for found in manifest["parts"]:
                if found["key"] == key and found["sha256"]:
                    folder = self.lake.version(self.pipeline, self.contract.name, manifest["version"])
                    return self._link(folder, Part(**found), index)
        return None

    def _link(self, folder: Path, part: Part, index: int) -> Part:
        name = f"part-{index:05d}-{part.key}.parquet"
        files.link(folder / part.file, self.folder / name)
        rejects_file = f"{REJECTS}/{name}" if part.rejects_file else None
        if part.rejects_file and rejects_file:
            files.link(folder / part.rejects_file, self.folder / rejects_file)
        return self._note(Part(**{**asdict(part), "index": index, "file": name, "rejects_file": rejects_file}))

    def _drop_strays(self, parts: list[Part]) -> None:
        wanted = {part.file for part in parts} | {part.rejects_file for part in parts}
        for path in [*self.folder.glob("*"), *(self.folder / REJECTS).glob("*")]:
            if path.is_file() and str(path.relative_to(self.folder)) not in wanted:
                path.unlink()
        shutil.rmtree(self.folder / NOTES, ignore_errors=True)


def write_parquet(path: Path, table: pa.Table, *, metadata: Mapping[str, str] | None = None) -> None:
    """Write plain Parquet atomically: zstd level 3, statistics, page index, row groups of about 16 MB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if metadata:
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **metadata})
    rows = max(1, int(table.num_rows * _ROW_GROUP_BYTES / max(table.nbytes, 1)))
    staged = files.temporary(path)
    pq.write_table(table, staged, compression="zstd", compression_level=3, write_page_index=True, row_group_size=rows)
    files.publish(staged, path)


def check_counts(stage: str, counts: Mapping[str, Any], rows: int | None = None) -> None:
    """Raise AccountingError unless in = kept + filtered + failed (and kept = rows, where the step keeps rows)."""
    lost = counts["in"] - counts["kept"] - sum(counts["filtered"].values()) - sum(counts["failed"].values())
    if lost or (rows is not None and counts.get("rows", counts["kept"]) != rows):
        raise AccountingError(f"{stage}: {counts['in']} records came in, {counts} went out; this is a bug of the stage")


def add_counts(counts: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum of several counts."""
    total: dict[str, Any] = {"in": 0, "kept": 0, "filtered": {}, "failed": {}}
    for one in counts:
        total["in"] += one["in"]
        total["kept"] += one["kept"]
        for kind in ("filtered", "failed"):
            for reason, n in one[kind].items():
                total[kind][reason] = total[kind].get(reason, 0) + n
    return total


def _bounds(table: pa.Table, contract: Contract) -> dict[str, Any]:
    """Smallest and largest value of the first key column."""
    if not contract.key or not table.num_rows or contract.key[0] not in table.column_names:
        return {}
    import pyarrow.compute as pc

    column = table[contract.key[0]]
    return {contract.key[0]: [pc.min(column).as_py(), pc.max(column).as_py()]}
