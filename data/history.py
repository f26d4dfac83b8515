"""What a lake holds of each dataset: every version, in which releases it is, how large and how old it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from data.contracts import CONTRACTS
from data.errors import TextmillError
from data.lake import MANIFEST, Lake, LakeError


@dataclass(frozen=True, kw_only=True)
class Version:
    """A published version of a dataset.

    `bytes` are those of its Parquet files, shared ones included. `releases` are numbers, newest first. `made` is when
    its manifest was written, `replaced` when a release was published that no longer names it; None where none was.
    """

    pipeline: str
    dataset: str
    version: str
    rows: int
    bytes: int
    parts: int
    made: datetime
    releases: tuple[int, ...]
    current: bool
    replaced: datetime | None
    internal: bool

    @property
    def key(self) -> tuple[str, str, str]:
        """Pipeline, dataset and version."""
        return self.pipeline, self.dataset, self.version


def folders(lake: Lake) -> list[str]:
    """Names of all pipelines that hold datasets, those without a release, too."""
    home = lake.root / "datasets"
    return sorted(path.name for path in home.iterdir() if path.is_dir()) if home.is_dir() else []


def datasets(lake: Lake, pipeline: str) -> list[str]:
    """Names of the datasets of a pipeline, in the order of the work."""
    return [name for name in CONTRACTS if (lake.pipeline(pipeline) / name).is_dir()]


def versions(lake: Lake, pipeline: str, dataset: str | None = None) -> list[Version]:
    """Every whole version of a pipeline's datasets, newest first for each dataset."""
    releases = list(lake.releases(pipeline))
    found: list[Version] = []
    for name in datasets(lake, pipeline) if dataset is None else [dataset]:
        each = [_version(lake, pipeline, manifest, releases) for manifest in lake.manifests(pipeline, name)]
        found += sorted(each, key=lambda one: (one.current, one.made, one.version), reverse=True)
    return found


def _version(lake: Lake, pipeline: str, manifest: Mapping[str, Any], releases: list[dict[str, Any]]) -> Version:
    dataset, version = manifest["dataset"], manifest["version"]
    named = [number for number, one in enumerate(releases) if one["datasets"].get(dataset) == version]
    path = lake.version(pipeline, dataset, version) / MANIFEST
    return Version(
        pipeline=pipeline,
        dataset=dataset,
        version=version,
        rows=manifest["rows"],
        bytes=manifest["bytes"],
        parts=len(manifest["parts"]),
        made=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        releases=tuple(releases[number].get("number", 0) for number in named),
        current=0 in named,
        replaced=published_at(releases[named[0] - 1]) if named and named[0] else None,
        internal=name.internal if (name := CONTRACTS.get(dataset)) else False,
    )


def published_at(release: Mapping[str, Any]) -> datetime | None:
    """When a release was published; None where it does not tell."""
    try:
        start = datetime.fromisoformat(release["published"])
    except (KeyError, TypeError, ValueError):
        return None
    return start + timedelta(seconds=float(release.get("seconds") or 0))


def release_of(lake: Lake, pipeline: str, number: int) -> dict[str, Any]:
    """A release by its number. Raises LakeError with the numbers that there are."""
    found = list(lake.releases(pipeline))
    for one in found:
        if one.get("number") == number:
            return one
    known = ", ".join(f"r{one.get('number', 0)}" for one in found[:8]) or "none"
    raise LakeError(f"{pipeline} has no release r{number}; there are {known}")


def is_release(word: str) -> bool:
    """Whether a word such as r3 means a release."""
    return word[:1] == "r" and word[1:].isdigit()


def find_version(lake: Lake, pipeline: str, word: str | None, dataset: str | None = None) -> tuple[str, str]:
    """Dataset and version that a word means: the begin of a version, a release as r3, or None for the current one.

    Raises LakeError where it means none or several.
    """
    if word is None or is_release(word):
        if dataset is None:
            raise LakeError(
                f"'{word}' is a release and names many datasets; say which with --dataset, as --dataset corpus"
            )
        return dataset, _released(lake, pipeline, word, dataset)
    known = list(_known(lake, pipeline, dataset))
    found = [pair for pair in known if pair[1].startswith(word)]
    if len(found) == 1:
        return found[0]
    where = f"{pipeline}/{dataset}" if dataset else pipeline
    if found:
        raise LakeError(f"'{word}' begins {len(found)} versions of {where}; give more letters of one of them")
    raise LakeError(f"{where} has no version {word}; see `textmill datasets show {dataset or 'DATASET'}`")


def _released(lake: Lake, pipeline: str, word: str | None, dataset: str) -> str:
    release = lake.release(pipeline) if word is None else release_of(lake, pipeline, int(word[1:]))
    named: dict[str, str] = (release or {"datasets": {}})["datasets"]
    if dataset not in named:
        listed = ", ".join(named) or "nothing"
        raise LakeError(f"{pipeline} publishes no '{dataset}' in {word or 'its release'}; it publishes {listed}")
    return named[dataset]


def _known(lake: Lake, pipeline: str, dataset: str | None) -> Iterator[tuple[str, str]]:
    """Dataset and version of every folder with a manifest; the manifests are not read."""
    for name in datasets(lake, pipeline) if dataset is None else [dataset]:
        for path in sorted((lake.pipeline(pipeline) / name).glob(f"*/{MANIFEST}")):
            yield name, path.parent.name


def manifest_of(lake: Lake, pipeline: str, dataset: str, version: str) -> dict[str, Any]:
    """The manifest of a version. Raises LakeError where there is none."""
    if (found := lake.manifest(pipeline, dataset, version)) is None:
        raise LakeError(f"{pipeline}/{dataset} has no version {version}; see `textmill datasets list`")
    return found


def only_pipeline(lake: Lake, name: str | None) -> str:
    """The pipeline asked for, or the only one there is. Raises TextmillError with those that there are."""
    names = lake.pipelines()
    if not names:
        raise TextmillError(f"nothing is published in {lake.root}; `textmill run` publishes the sample")
    if name is None and len(names) == 1:
        return names[0]
    if name is None:
        raise TextmillError(f"{lake.root} has several pipelines; name one with --pipeline: {', '.join(names)}")
    if name not in names:
        raise TextmillError(f"{lake.root} has no pipeline '{name}'; there are {', '.join(names)}")
    return name
