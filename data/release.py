"""For those who read a lake: a release held open, so that everything read belongs together.

    release = open_release("lake", "simplewiki")
    release.scan("corpus").join(release.scan("sentiment"), on="doc_id")

A release names one version of each dataset. Versions never change, so what was opened stays as it is while later
releases are published; `docs/consume.md` tells how long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from data import reading
from data.contracts import CONTRACTS
from data.errors import TextmillError
from data.lake import Lake, LakeError
from data.parts import may_hold
from data.tables import whole

if TYPE_CHECKING:
    import polars as pl
    import pyarrow.parquet as pq

ID = "doc_id"
_BUFFER = 16 << 10  # what is fetched at least when a little is read


class NotFoundError(TextmillError):
    """No document of the release has this id; the message says so, and why where it was rejected."""


@dataclass(frozen=True)
class Changes:
    """Files of a dataset that another version does not have (`added`), and files of that version gone since."""

    added: list[str]
    removed: list[str]


@dataclass(frozen=True)
class Release:
    """One version of each dataset of a pipeline, mutually consistent. `content` is what `_release.json` says."""

    lake: Lake
    pipeline: str
    content: dict[str, Any]

    @property
    def versions(self) -> dict[str, str]:
        """The version of each dataset."""
        found: dict[str, str] = self.content["datasets"]
        return found

    def manifest(self, dataset: str) -> dict[str, Any]:
        """Manifest of a dataset. Raises LakeError where the release names none, or its version is gone."""
        if (kept := self._manifests.get(dataset)) is None:
            kept = self._manifests[dataset] = self._read_manifest(dataset)
        return kept

    def files(self, dataset: str, *, doc_id: str | None = None) -> list[Path]:
        """Parquet files of a dataset in order; with a `doc_id` only those whose ranges of ids hold it.

        `os.fspath` of one in an object store is a copy on this machine, fetched if need be.
        """
        parts, folder = self.manifest(dataset)["parts"], self._folder(dataset)
        return [folder / part["file"] for part in parts if doc_id is None or may_hold(part, ID, doc_id)]

    def paths(self, dataset: str, *, doc_id: str | None = None) -> list[str]:
        """The same files as text: paths, or addresses in an object store."""
        return [str(file) for file in self.files(dataset, doc_id=doc_id)]

    def scan(self, dataset: str, *, doc_id: str | None = None) -> pl.LazyFrame:
        """A dataset as a Polars lazy frame; with a `doc_id` its rows alone, from the files that may hold them.

        Columns that joined the contract in a later minor version are null.
        """
        import polars as pl

        written = self.manifest(dataset).get("contract", {}).get("version")
        frame = reading.scan(self.paths(dataset, doc_id=doc_id), CONTRACTS[dataset], written=written)
        return frame if doc_id is None else frame.filter(pl.col(ID) == doc_id)

    def find(self, doc_id: str, dataset: str = "corpus") -> list[dict[str, Any]]:
        """Rows of a document, none where the dataset has none.

        Reads the ranges in the manifest, the ids of the row groups that may hold this one, and the row groups
        that do; of a corpus of 500 MB about a hundredth.
        """
        if all(column[0] != ID for column in self.manifest(dataset)["contract"]["columns"]):
            raise LakeError(f"rows of {dataset} have no doc_id; read it with scan")
        found: list[dict[str, Any]] = []
        for file in self.files(dataset, doc_id=doc_id):
            with whole(file):
                found += find_in(partial(_opened, file), doc_id)
        return found

    def get(self, doc_id: str, dataset: str = "corpus") -> list[dict[str, Any]]:
        """Rows of a document. Raises NotFoundError where there is none, with the reason if it was rejected."""
        if found := self.find(doc_id, dataset):
            return found
        rejected = self.find(doc_id, "rejects") if dataset != "rejects" and "rejects" in self.versions else []
        if rejected:
            why = "; ".join(f"{row['stage']}: {row['reason']} ({row['kind']})" for row in rejected)
            raise NotFoundError(f"{self.pipeline}/{dataset} has no '{doc_id}'; it was rejected by {why}")
        raise NotFoundError(
            f"{self.pipeline}/{dataset} has no '{doc_id}'; an id is <source>:<native id>{_looked_up(doc_id)}"
        )

    def changes(self, dataset: str, since: Release | str) -> Changes:
        """What changed since an earlier release, or since a version, by files: equal files hold equal rows.

        Raises LakeError where the earlier version is gone; `textmill datasets pin` keeps one.
        """
        version = since if isinstance(since, str) else since.versions[dataset]
        earlier = self.lake.manifest(self.pipeline, dataset, version)
        if earlier is None:
            raise LakeError(f"{self.pipeline}/{dataset} {version} is gone; read the whole of {self.versions[dataset]}")
        now, before = (_by_hash(manifest) for manifest in (self.manifest(dataset), earlier))
        there, was = self._folder(dataset), self.lake.version(self.pipeline, dataset, version)
        return Changes(
            added=[str(there / file) for sha256, file in now.items() if sha256 not in before],
            removed=[str(was / file) for sha256, file in before.items() if sha256 not in now],
        )

    @cached_property
    def _manifests(self) -> dict[str, dict[str, Any]]:
        return {}

    def _folder(self, dataset: str) -> Path:
        return self.lake.version(self.pipeline, dataset, self.versions[dataset])

    def _read_manifest(self, dataset: str) -> dict[str, Any]:
        if dataset not in self.versions:
            raise LakeError(f"{self.pipeline} publishes no '{dataset}'; it publishes {', '.join(self.versions)}")
        found = self.lake.manifest(self.pipeline, dataset, self.versions[dataset])
        if found is None:
            raise LakeError(
                f"{self.pipeline}/{dataset} {self.versions[dataset]} is gone from the lake; open the release again"
            )
        return found


def open_release(lake: Lake | Path | str, pipeline: str) -> Release:
    """The current release of a pipeline. Raises LakeError where nothing is published."""
    place = lake if isinstance(lake, Lake) else Lake(Path(lake))
    content = place.release(pipeline)
    if content is None:
        there = ", ".join(place.pipelines()) or "nothing; `textmill run` publishes the sample"
        raise LakeError(f"{pipeline} has no release in {place.root}; published there: {there}")
    return Release(place, pipeline, content)


def find_in(opened: Callable[[], BinaryIO], doc_id: str) -> Iterator[dict[str, Any]]:
    """Rows of a document in one Parquet file: statistics first, then the ids, then the row groups that hold it."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    # Neither buffering ahead nor threads: they may hold the file when the process ends, which aborts it.
    with closing(opened()) as raw, pq.ParquetFile(raw, pre_buffer=False) as file:
        for group in _row_groups(file, doc_id):
            found = pc.equal(file.read_row_group(group, columns=[ID], use_threads=False)[ID], doc_id)
            if pc.any(found).as_py():
                yield from file.read_row_group(group, use_threads=False).filter(found).to_pylist()


def _looked_up(doc_id: str) -> str:
    """Where to look further, for what looks like an id."""
    return f"; `textmill datasets lineage {doc_id} --all` looks in every version" if ":" in doc_id else ""


def _opened(file: Path) -> BinaryIO:
    return file.open("rb", buffering=_BUFFER)


def _row_groups(file: pq.ParquetFile, doc_id: str) -> Iterator[int]:
    """Row groups whose statistics allow the id."""
    place = file.schema.names.index(ID)
    for group in range(file.metadata.num_row_groups):
        known = file.metadata.row_group(group).column(place).statistics
        if known is None or not known.has_min_max or known.min <= doc_id <= known.max:
            yield group


def _by_hash(manifest: dict[str, Any]) -> dict[str, str]:
    return {part["sha256"]: part["file"] for part in manifest["parts"]}
