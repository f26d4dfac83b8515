"""Build one version of a dataset, part by part, so that a killed run goes on where it stopped.

A part is a Parquet file and a note of what it holds; the note is written after the file, so its presence is
the commit of the part. When all parts are there, the manifest takes over from the notes and the folder is renamed
into place. A part whose key an earlier version of the same contract has already is linked, not computed.
In an object store the version is built where it will be; the name of a part holds its hash there, so that two writers
never replace what the other wrote, and the manifest, put by the first of them, is the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from data import files
from data.contracts.base import Contract
from data.hashing import fingerprint
from data.lake import FORMAT, MANIFEST, Lake
from data.parts import DIGITS, NUMBER, Part, add_counts, check_counts, check_rejects
from data.sealing import seal
from data.storage import leftovers
from data.writing import REJECTS, PartWriter, write_parquet

__all__ = ["DIGITS", "NOTES", "NUMBER", "REJECTS", "Build", "Part", "add_counts", "check_counts", "write_parquet"]

NOTES = "_parts"


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
        if self.lake.is_remote:
            return self._target
        return self.lake.staging(self.pipeline, self.contract.name, self.version)

    @property
    def _target(self) -> Path:
        return self.lake.version(self.pipeline, self.contract.name, self.version)

    @property
    def published(self) -> dict[str, Any] | None:
        """The manifest if the version is finished."""
        return self.lake.manifest(self.pipeline, self.contract.name, self.version)

    def find(self, index: int, key: str) -> Part | None:
        """The finished part with this key, of this build or linked from an earlier version; None if there is none."""
        note = _read(self._note_file(index, key)) or self._staged_manifest.get((index, key))
        if note and _is_whole(self.folder, part := Part(**note)):
            return part
        return self._reuse(index, key)

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
        drafted = self.draft(index, key, table, counts=counts, rejects=rejects, metadata=metadata)
        return self.note(replace(drafted, facts=facts or {}))

    def draft(
        self,
        index: int,
        key: str,
        table: pa.Table,
        *,
        counts: dict[str, Any],
        rejects: pa.Table | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Part:
        """Write the files of a part, which count for nothing before `note` says so."""
        check_counts(self.contract.name, counts, table.num_rows)
        check_rejects(self.contract.name, counts, rejects.num_rows if rejects is not None else 0)
        with self.opened(index, key) as (part, finish):
            part.add(table, metadata=metadata)
            if rejects is not None:
                part.reject(rejects)
            return finish(counts)

    @contextmanager
    def opened(self, index: int, key: str) -> Iterator[tuple[PartWriter, Callable[[dict[str, Any]], Part]]]:
        """What takes a part batch by batch, and what ends it; left before that, nothing of it is there."""
        with ExitStack() as stack:
            part = PartWriter(self.folder, self.contract, stack, partial(self._put_file, index, key))
            yield part, partial(part.finish, index, key)

    def _put_file(self, index: int, key: str, staged: Path, sha256: str, folder: str) -> str:
        """Give a finished file its name, which may hold its hash."""
        name = f"{folder}/{self._name(index, key, sha256)}".lstrip("/")
        self._announce(name)
        files.publish(staged, self.folder / name)
        return name

    def _name(self, index: int, key: str, sha256: str) -> str:
        """File name of a part. In an object store one writer cannot put other bytes where another put his."""
        return f"part-{index:05d}-{key}{f'-{sha256[:12]}' if self.lake.is_remote else ''}.parquet"

    def adopt(self, index: int, key: str, source: Path, *, rows: int, sha256: str) -> Part:
        """Take a finished Parquet file of another dataset of the same schema as a part, by a hard link."""
        name = self._name(index, key, sha256)
        files.link(source, self.folder / name)
        counts = {"in": rows, "kept": rows, "filtered": {}, "failed": {}}
        size = source.stat().st_size
        return self._linked(Part(index=index, key=key, file=name, rows=rows, bytes=size, sha256=sha256, counts=counts))

    def commit(self, parts: list[Part], manifest: dict[str, Any]) -> dict[str, Any]:
        """Write the manifest and rename the finished folder into place; returns the manifest.

        A version that is published already, by this process or another, stays as it is.
        """
        if (published := self.published) is not None:
            self._leave()
            return published
        complete = seal(
            {
                "format": FORMAT,
                "dataset": self.contract.name,
                "pipeline": self.pipeline,
                "version": self.version,
                "contract": self.contract.describe(),
                "rows": sum(part.rows for part in parts),
                "bytes": sum(part.bytes for part in parts),
                "counts": add_counts([part.counts for part in parts]),
                "parts": [dict(vars(part)) for part in parts],
                **manifest,
            }
        )
        return self._put(complete) if self.lake.is_remote else self._rename(complete, parts)

    def _put(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Put the manifest beside its parts, unless another process was faster."""
        mine = files.create(self._target / MANIFEST, files.json_bytes(manifest))
        for part in manifest["parts"]:
            self._note_file(part["index"], part["key"]).unlink(missing_ok=True)
        return manifest if mine else self.published or manifest

    def _rename(self, manifest: dict[str, Any], parts: list[Part]) -> dict[str, Any]:
        """Rename the folder with all that belongs to the version into place."""
        with files.writable(self.folder / MANIFEST):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._drop_strays(parts)
            if (rejects := self.folder / REJECTS).is_dir():
                files.sync(rejects)  # links are flushed here, all at once; those beside the manifest with it
            files.write_json(self.folder / MANIFEST, manifest)
            files.remove_tree(self.folder / NOTES)
            return self._publish(manifest)

    def _publish(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Rename the folder into place, unless another process was faster."""
        target = self._target
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.folder.rename(target)
        except OSError:
            if (published := self.published) is not None:
                self._leave()
                return published
            # A folder without a manifest is what a removal left half-way: no version.
            files.remove_tree(target)
            self.folder.rename(target)
        files.sync(target.parent)
        return manifest

    def _leave(self) -> None:
        """Remove what was built here of a version that is published."""
        if not self.lake.is_remote:
            files.remove_tree(self.folder)

    def note(self, part: Part) -> Part:
        """Commit a part whose files are written."""
        path = self._note_file(part.index, part.key)
        self._announce(path.relative_to(self.folder).as_posix())
        files.write_json(path, asdict(part))
        return part

    def _announce(self, name: str) -> None:
        """Let this machine know that it puts an object, which is a leftover if the version is published without it."""
        leftovers.note(self.lake.pipeline(self.pipeline), f"{self.contract.name}/{self.version}/{name}")

    def _note_file(self, index: int, key: str) -> Path:
        return self.folder / NOTES / f"{index:05d}-{key}.json"

    @cached_property
    def _staged_manifest(self) -> dict[tuple[int, str], dict[str, Any]]:
        """Parts of a build that was killed between its manifest and its rename, whose notes may be gone."""
        manifest = _read(self.folder / MANIFEST) or {"parts": []}
        return {(part["index"], part["key"]): part for part in manifest["parts"]}

    def find_by(self, index: int, fact: str, wanted: Callable[[Any], bool]) -> Part | None:
        """A part of an earlier version, linked, of which a fact is as wanted; None if there is none."""
        for folder, part in self._earlier.values():
            if fact in part.facts and wanted(part.facts[fact]) and _is_whole(folder, part):
                return self._link(folder, part, index)
        return None

    @cached_property
    def _earlier(self) -> dict[str, tuple[Path, Part]]:
        """Parts of the published versions that keep the same contract, by key; read once per build."""
        contract = fingerprint(self.contract.describe())
        found: dict[str, tuple[Path, Part]] = {}
        for manifest in self.lake.manifests(self.pipeline, self.contract.name):
            if fingerprint(manifest["contract"]) == contract:
                folder = self.lake.version(self.pipeline, self.contract.name, manifest["version"])
                found |= {part["key"]: (folder, Part(**part)) for part in manifest["parts"]}
        return found

    def _reuse(self, index: int, key: str) -> Part | None:
        folder, part = self._earlier.get(key, (None, None))
        if folder is None or part is None or not _is_whole(folder, part):
            return None
        return self._link(folder, part, index)

    def _link(self, folder: Path, part: Part, index: int) -> Part:
        name, rejects_file = self._name(index, part.key, part.sha256), None
        files.link(folder / part.file, self.folder / name)
        if part.rejects_file and part.rejects_sha256:
            rejects_file = f"{REJECTS}/{self._name(index, part.key, part.rejects_sha256)}"
            files.link(folder / part.rejects_file, self.folder / rejects_file)
        return self._linked(replace(part, index=index, file=name, rejects_file=rejects_file))

    def _linked(self, part: Part) -> Part:
        """A part whose files stand elsewhere, too: after a kill linking it anew costs less than its note costs now."""
        return self.note(part) if self.lake.is_remote else part

    def _drop_strays(self, parts: list[Part]) -> None:
        wanted = {MANIFEST} | {part.file for part in parts} | {part.rejects_file for part in parts}
        for path in [*self.folder.glob("*"), *(self.folder / REJECTS).glob("*")]:
            if path.is_file() and str(path.relative_to(self.folder)) not in wanted:
                path.unlink()


def _read(path: Path) -> dict[str, Any] | None:
    """A JSON file of the build; a damaged one is as good as none."""
    try:
        found: dict[str, Any] | None = files.read_json(path)
    except files.DamagedFileError:
        return None
    return found


def _is_whole(folder: Path, part: Part) -> bool:
    """Whether the files of a part are there in the recorded size."""
    try:
        size = (folder / part.file).stat().st_size
    except OSError:
        return False
    return size == part.bytes and (part.rejects_file is None or (folder / part.rejects_file).is_file())
