"""Versions and releases that a person keeps from garbage collection, each with a note that says why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data import files
from data.lake import Lake, LakeError
from data.sealing import is_intact, seal

PINS = "_pins.json"
RELEASE = "release"
"""Stands for the dataset of a pin that keeps a whole release; its version is then r1, r2, …"""


@dataclass(frozen=True, slots=True)
class Pin:
    """A dataset version, or a release, that stays. `when` is a UTC time in ISO 8601."""

    dataset: str
    version: str
    note: str
    when: str


def pins(lake: Lake, pipeline: str) -> list[Pin]:
    """The pins of a pipeline, oldest first. Raises LakeError where their file was changed by hand or is damaged."""
    path = _path(lake, pipeline)
    try:
        found = files.read_json(path) or {"pins": []}
        if is_intact(found):
            return [Pin(**one) for one in found["pins"]]
    except (files.DamagedFileError, KeyError, TypeError) as error:
        raise _damaged(path) from error
    raise _damaged(path)


def _damaged(path: Path) -> LakeError:
    return LakeError(
        f"{path} is damaged: what is pinned is not known. Restore it from a copy, or remove it and pin again"
    )


def pin(lake: Lake, pipeline: str, dataset: str, version: str, *, note: str, when: str) -> Pin:
    """Keep a version from gc; pinning again replaces the note."""
    made = Pin(dataset, version, note, when)
    with lake.lock(f"{pipeline}.pins"):
        others = [one for one in pins(lake, pipeline) if (one.dataset, one.version) != (dataset, version)]
        _write(lake, pipeline, [*others, made])
    return made


def unpin(lake: Lake, pipeline: str, dataset: str, version: str) -> None:
    """Let gc have a version again. Raises LakeError where it is not pinned."""
    with lake.lock(f"{pipeline}.pins"):
        before = pins(lake, pipeline)
        after = [one for one in before if (one.dataset, one.version) != (dataset, version)]
        if before == after:
            listed = ", ".join(f"{one.dataset} {one.version}" for one in before) or "nothing"
            raise LakeError(f"{pipeline}: {dataset} {version} is not pinned; pinned is {listed}")
        _write(lake, pipeline, after)


def _write(lake: Lake, pipeline: str, found: list[Pin]) -> None:
    content: dict[str, Any] = {"pins": [asdict(one) for one in found]}
    files.write_json(_path(lake, pipeline), seal(content))


def _path(lake: Lake, pipeline: str) -> Path:
    return lake.pipeline(pipeline) / PINS
