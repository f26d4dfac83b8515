"""Versions and releases that a person keeps from garbage collection, each with a note that says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from data import files
from data.history import manifest_of, release_of
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
    path = lake.pipeline(pipeline) / PINS
    try:
        return _parsed(path, path.read_bytes())
    except FileNotFoundError:
        return []


def _parsed(path: Path, content: bytes | None) -> list[Pin]:
    if content is None:
        return []
    try:
        found = files.parsed(path, content)
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
    """Keep a version from gc; pinning again replaces the note. Raises LakeError for what is not there, or no more."""
    made = Pin(dataset, version, note, when)
    with held(lake, pipeline):
        if dataset == RELEASE:
            release_of(lake, pipeline, int(version[1:]))
        else:
            manifest_of(lake, pipeline, dataset, version)
        _change(lake, pipeline, lambda before: [*_without(before, dataset, version), made])
    return made


def unpin(lake: Lake, pipeline: str, dataset: str, version: str) -> None:
    """Let gc have a version again. Raises LakeError where it is not pinned."""

    def unpinned(before: list[Pin]) -> list[Pin]:
        after = _without(before, dataset, version)
        if before == after:
            listed = ", ".join(f"{one.dataset} {one.version}" for one in before) or "nothing"
            raise LakeError(f"{pipeline}: {dataset} {version} is not pinned; pinned is {listed}")
        return after

    _change(lake, pipeline, unpinned)


@contextmanager
def held(lake: Lake, pipeline: str) -> Iterator[None]:
    """Nothing is pinned meanwhile: for who decides by the pins what goes."""
    with lake.lock(f"_pins.{pipeline}"):
        yield


def _without(found: list[Pin], dataset: str, version: str) -> list[Pin]:
    return [one for one in found if (one.dataset, one.version) != (dataset, version)]


def _change(lake: Lake, pipeline: str, after: Callable[[list[Pin]], list[Pin]]) -> None:
    """Replace the pins by what `after` makes of them, alone among all writers."""
    path = lake.pipeline(pipeline) / PINS

    def changed(before: bytes | None) -> bytes:
        return files.json_bytes(seal({"pins": [asdict(one) for one in after(_parsed(path, before))]}))

    files.change(path, changed)
