"""Which versions stay and which may go: the newest releases, what is pinned or young, and all that these came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from data import files
from data.history import Version, datasets, release_of, versions
from data.lake import MANIFEST, Lake
from data.pins import RELEASE, pins
from data.storage import ObjectPath

Model = tuple[str, str]
"""Name and version of a model."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """`keep`: newest releases whose versions stay. `grace`: how long a version stays after it was made or replaced."""

    keep: int = 3
    grace: timedelta = timedelta(days=1)


@dataclass(frozen=True)
class Decision:
    """Whether a version stays, and why; no reason means that it goes."""

    version: Version
    reasons: tuple[str, ...]

    @property
    def stays(self) -> bool:
        """Whether anything needs the version."""
        return bool(self.reasons)


@dataclass
class _Kept:
    """Versions that stay, with the reasons; what they were made from is kept with them.

    `tokenizers` are the corpora that tokenizers learned from, by fingerprint, where that is known.
    """

    manifests: Mapping[tuple[str, str], Mapping[str, Any]]
    models: Mapping[Model, Mapping[str, Any]]
    tokenizers: Mapping[str, str] = field(default_factory=dict)
    reasons: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    seen: set[Model] = field(default_factory=set)

    def keep(self, dataset: str, version: str, why: str) -> None:
        """Keep a version and its ancestors."""
        key = (dataset, version)
        if key not in self.manifests:
            return
        known = key in self.reasons
        self.reasons.setdefault(key, []).append(why)
        for source in () if known else self.manifests[key].get("inputs", ()):
            if "dataset" in source:
                self.keep(source["dataset"], source["version"], f"{dataset} {version[:8]} was made from it")
            elif "model" in source:
                self.keep_model((source["model"], source["version"]))
            elif (name := source.get("tokenizer")) in self.tokenizers:
                self.keep("corpus", self.tokenizers[name], f"tokenizer {name[:8]} learned from it")

    def keep_model(self, model: Model) -> None:
        """Keep the versions that a model was trained on."""
        card = self.models.get(model)
        if card is None or model in self.seen:
            return
        self.seen.add(model)
        for name, value in versions_of(card).items():
            self.keep(name, value, f"model {model[0]} {model[1]} was trained on it")
        for parent in parents(card, self.models):
            self.keep_model(parent)


def versions_of(card: Mapping[str, Any]) -> dict[str, str]:
    """What the lineage of a model names by a version or a key; files and the like, which are no text, are left out."""
    return {name: value for name, value in card["lineage"].items() if isinstance(value, str)}


def parents(card: Mapping[str, Any], models: Mapping[Model, Mapping[str, Any]]) -> list[Model]:
    """The models that one was made from: lineage has the key of their training, or the one it began with by name."""
    keys = set(versions_of(card).values())
    return [
        model
        for model, other in models.items()
        if other is not card and (other["training_key"] in keys or f"{model[0]}:{model[1]}" in keys)
    ]


def decide(
    lake: Lake,
    pipeline: str,
    policy: Policy,
    *,
    now: datetime,
    models: Mapping[Model, Mapping[str, Any]],
    wanted: Iterable[Model] = (),
) -> list[Decision]:
    """What becomes of every version of a pipeline. `models` are all cards, `wanted` the models that stay anyhow."""
    found = versions(lake, pipeline)
    manifests = {
        (one["dataset"], one["version"]): one
        for name in datasets(lake, pipeline)
        for one in lake.manifests(pipeline, name)
    }
    kept = _Kept(manifests, models, _learned_from(lake, pipeline))
    _keep_releases(kept, list(lake.releases(pipeline))[: max(policy.keep, 1)])
    _keep_pinned(kept, lake, pipeline)
    for model in wanted:
        kept.keep_model(model)
    for version in found:
        if why := _young(version, policy.grace, now):
            kept.keep(version.dataset, version.version, why)
    return [Decision(one, tuple(dict.fromkeys(kept.reasons.get((one.dataset, one.version), ())))) for one in found]


def _learned_from(lake: Lake, pipeline: str) -> dict[str, str]:
    """The corpus that the tokenizer of a pipeline learned from; of those before it, that is not known."""
    pointer = files.read_json(lake.tokenizers / pipeline / "current.json") or {}
    return {pointer["fingerprint"]: pointer["corpus"]} if {"fingerprint", "corpus"} <= pointer.keys() else {}


def _keep_releases(kept: _Kept, releases: Sequence[Mapping[str, Any]]) -> None:
    for release in releases:
        why = f"release r{release.get('number', 0)}"
        for dataset, version in release["datasets"].items():
            kept.keep(dataset, version, why)
        for name, version in release.get("models", {}).values():
            kept.keep_model((name, version))


def _keep_pinned(kept: _Kept, lake: Lake, pipeline: str) -> None:
    for pin in pins(lake, pipeline):
        why = f"pinned: {pin.note}" if pin.note else "pinned"
        if pin.dataset != RELEASE:
            kept.keep(pin.dataset, pin.version, why)
            continue
        release = release_of(lake, pipeline, int(pin.version[1:]))
        for dataset, version in release["datasets"].items():
            kept.keep(dataset, version, f"{pin.version} is {why}")
        for name, version in release.get("models", {}).values():
            kept.keep_model((name, version))


def _young(version: Version, grace: timedelta, now: datetime) -> str | None:
    """Why a version is too young to go: somebody may have opened it while it was published."""
    if now - version.made < grace:
        return "made within the grace period"
    if version.replaced is not None and now - version.replaced < grace:
        return "published within the grace period"
    return None


def remains(lake: Lake, pipeline: str, *, grace: timedelta = timedelta(0), now: datetime | None = None) -> list[Path]:
    """Folders without a manifest: what a removal that was killed left. Young ones may be in the making.

    Without `now`, all of them.
    """
    found = []
    for dataset in datasets(lake, pipeline):
        for folder in sorted((lake.pipeline(pipeline) / dataset).iterdir()):
            if folder.is_dir() and not (folder / MANIFEST).is_file():
                newest = max((path.stat().st_mtime for path in _files(folder)), default=0.0)
                if now is None or now.timestamp() - newest >= grace.total_seconds():
                    found.append(folder)
    return found


def freed(folders: Sequence[Path]) -> int:
    """Bytes that come free when all of these folders go: of a file with several names only with the last of them."""
    names: Counter[tuple[int, int]] = Counter()
    sizes: dict[tuple[int, int], tuple[int, int]] = {}
    total = 0
    for path in (path for folder in folders for path in _files(folder)):
        status = path.stat()
        links = getattr(status, "st_nlink", 0)
        if links <= 1:
            total += status.st_size
            continue
        inode = (status.st_dev, status.st_ino)
        names[inode] += 1
        sizes[inode] = (status.st_size, links)
    return total + sum(size for inode, (size, links) in sizes.items() if names[inode] >= links)


def remove(folder: Path) -> None:
    """Remove a version, its manifest first: what a kill leaves is no version, and the next gc removes it."""
    (folder / MANIFEST).unlink(missing_ok=True)
    if not isinstance(folder, ObjectPath):
        files.sync(folder)
    files.remove_tree(folder)


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir():
            yield from _files(path)
        else:
            yield path
