"""Which documents came, went and changed between two versions of a dataset, and why those that went are gone.

Parts with the same key and bytes are not read; of the others the ids and the hash of what they hold, in as many passes
as keep the rows in memory under a limit.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data.errors import TextmillError
from data.lake import Lake
from data.rows import ancestors, key_column, rejected
from data.tables import read

if TYPE_CHECKING:
    import polars as pl

ROWS = 2_000_000  # ids of both versions held at a time: about 200 MB
NOT_IN_SOURCE = "not_in_source"
_CONTENT = {"corpus": "text_sha256", "documents": "text", "candidates": "text_sha256"}
"""The column that decides whether a document changed; for other datasets it is the whole row."""
_GONE, _CAME, _CHANGED = "gone", "came", "changed"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """What became of a document. `reason` says why it is not in the version that lacks it."""

    order: tuple[str, int, str]
    doc_id: str
    kind: str
    stage: str | None = None
    reason: str | None = None
    detail: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The change as plain data."""
        return {name: getattr(self, name) for name in ("doc_id", "kind", "stage", "reason", "detail")}


@dataclass(frozen=True)
class Difference:
    """Two versions compared. `counts` are of documents, `reasons` of those that only one version has."""

    dataset: str
    before: str
    after: str
    counts: dict[str, int]
    reasons: dict[str, dict[str, int]]
    changes: dict[str, list[Change]]
    parts: dict[str, int]

    @property
    def same(self) -> bool:
        """Whether the versions hold the same documents."""
        return not any(self.counts[kind] for kind in (_CAME, _GONE, _CHANGED))

    def as_json(self) -> dict[str, Any]:
        """The difference as plain data."""
        changes = {kind: [one.as_json() for one in found] for kind, found in self.changes.items()}
        return {**vars(self), "changes": changes, "same": self.same}


def difference(
    lake: Lake, before: Mapping[str, Any], after: Mapping[str, Any], *, limit: int | None = 20, rows: int = ROWS
) -> Difference:
    """Compare two versions by their manifests; `limit` is how many documents of each kind are listed, None for all.

    Raises TextmillError where the versions are of different datasets, or of one whose rows are no documents.
    """
    dataset = before["dataset"]
    if dataset != after["dataset"]:
        raise TextmillError(
            f"{before['version']} is of {dataset}, {after['version']} of {after['dataset']}; give two of one"
        )
    if key_column(dataset) is None or dataset in {"rejects", "metrics"}:
        raise TextmillError(f"the rows of {dataset} are no documents; compare documents, corpus or predictions")
    shared = _keys(before) & _keys(after)
    sides = [_Side(lake, one, shared) for one in (before, after)]
    found = _Found(lake, (before, after), limit)
    passes = max(1, -(-sum(side.rows for side in sides) // rows))
    for number in range(passes):
        found.add(*(side.rows_of(number, passes) for side in sides))
    counts = {**found.counts, "same": found.counts["same"] + sides[0].same_documents}
    parts = {"same": sides[0].same, "read": sum(len(side.parts) for side in sides)}
    return Difference(dataset, before["version"], after["version"], counts, found.reasons, found.listed(), parts)


def _keys(manifest: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(part["key"], part["sha256"]) for part in manifest["parts"]}


def _documents(dataset: str, part: Mapping[str, Any]) -> int:
    """Documents of a part; of predictions a document may have several rows, or none."""
    found: int = part["rows"] if dataset == "duplicates" else part["counts"]["kept"]
    return found


class _Side:
    """The parts of one version that the other does not have."""

    def __init__(self, lake: Lake, manifest: Mapping[str, Any], shared: set[tuple[str, str]]) -> None:
        self._folder = lake.version(manifest["pipeline"], manifest["dataset"], manifest["version"])
        self._column = str(key_column(manifest["dataset"]))
        self._content = _CONTENT.get(manifest["dataset"])
        self.parts = [part for part in manifest["parts"] if (part["key"], part["sha256"]) not in shared]
        mine = [part for part in manifest["parts"] if (part["key"], part["sha256"]) in shared]
        self.same = len(mine)
        self.same_documents = sum(_documents(manifest["dataset"], part) for part in mine)
        self.rows = sum(part["rows"] for part in self.parts)

    def rows_of(self, number: int, passes: int) -> pl.DataFrame:
        """Id and hash of the content of every document that this pass looks at."""
        import polars as pl

        frames = [self._read(part) for part in self.parts if part["rows"]]
        if passes > 1:
            frames = [frame.filter(pl.col("id").hash(0) % passes == number) for frame in frames]
        return pl.concat(frames) if frames else pl.DataFrame(schema={"id": pl.String, "content": pl.UInt64})

    def _read(self, part: Mapping[str, Any]) -> pl.DataFrame:
        import polars as pl

        frame = read(self._folder / part["file"], [self._column, self._content] if self._content else None)
        names = [name for name in frame.columns if name != self._column]
        plain = frame.select(pl.col(self._column).alias("id"), *(_comparable(frame, name) for name in names))
        hashed = plain.select("id", content=pl.struct(names).hash(0))
        return hashed.group_by("id", maintain_order=True).agg(pl.col("content").sum().cast(pl.UInt64))


def _comparable(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A column as what can be hashed: nested values as their JSON."""
    import polars as pl

    if not frame.schema[name].is_nested():
        return pl.col(name)
    return pl.struct(name).struct.json_encode().alias(name)


class _Found:
    """What was found so far: counts of all, and the first of each kind in the order of the ids."""

    def __init__(self, lake: Lake, manifests: Sequence[Mapping[str, Any]], limit: int | None) -> None:
        self._lake = lake
        self._lines = [ancestors(lake, manifest) for manifest in manifests]
        self._limit = limit
        self.counts = dict.fromkeys((_CAME, _GONE, _CHANGED, "same"), 0)
        self._reasons: dict[str, Counter[str]] = {_CAME: Counter(), _GONE: Counter()}
        self._changes: dict[str, list[Change]] = {_CAME: [], _GONE: [], _CHANGED: []}

    @property
    def reasons(self) -> dict[str, dict[str, int]]:
        """Documents by the reason why one of the versions lacks them, most frequent first."""
        return {kind: dict(found.most_common()) for kind, found in self._reasons.items()}

    def listed(self) -> dict[str, list[Change]]:
        """The changes to be shown."""
        return {kind: sorted(found) for kind, found in self._changes.items()}

    def add(self, before: pl.DataFrame, after: pl.DataFrame) -> None:
        """Compare rows whose ids are in these frames alone."""
        import polars as pl

        both = before.join(after, on="id", suffix="_after")
        changed = both.filter(pl.col("content") != pl.col("content_after"))["id"].to_list()
        self.counts["same"] += both.height - len(changed)
        self._take(_CHANGED, [_change(doc_id, _CHANGED) for doc_id in changed])
        self._explain(_GONE, before.join(after, on="id", how="anti")["id"].to_list(), self._lines[1])
        self._explain(_CAME, after.join(before, on="id", how="anti")["id"].to_list(), self._lines[0])

    def _explain(self, kind: str, ids: list[str], line: list[dict[str, Any]]) -> None:
        """Tell of each id why the versions in this line do not have it."""
        why: dict[str, tuple[str, str, str | None]] = {}
        for manifest in line if ids else ():
            why = {**rejected(self._lake, manifest, ids), **why}
        self._reasons[kind].update(why[doc_id][1] if doc_id in why else NOT_IN_SOURCE for doc_id in ids)
        self._take(kind, [_change(doc_id, kind, *why.get(doc_id, (None, NOT_IN_SOURCE, None))) for doc_id in ids])

    def _take(self, kind: str, found: list[Change]) -> None:
        self.counts[kind] += len(found)
        both = self._changes[kind] + found
        self._changes[kind] = both if self._limit is None else heapq.nsmallest(self._limit, both)


def _change(doc_id: str, kind: str, *why: str | None) -> Change:
    source, _, native = doc_id.partition(":")
    return Change((source, int(native) if native.isdigit() and native.isascii() else -1, native), doc_id, kind, *why)


def previous(lake: Lake, pipeline: str, dataset: str) -> tuple[str, str] | None:
    """The last two different versions of a dataset that were released, older first; None where there is one or none."""
    seen: list[str] = []
    for version in _released(lake, pipeline, dataset):
        if version not in seen:
            seen.append(version)
        if len(seen) == 2:
            return seen[1], seen[0]
    return None


def _released(lake: Lake, pipeline: str, dataset: str) -> Iterator[str]:
    for release in lake.releases(pipeline):
        if (version := release["datasets"].get(dataset)) is not None:
            yield version
