"""Is every file as it was published? Each is hashed once, and each problem says which file of what it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data import files
from data.hashing import sha256_file
from data.history import datasets
from data.lake import MANIFEST, RELEASE, RELEASES, Lake, LakeError, known_format
from data.pins import PINS
from data.progress import Progress, ignore
from data.sealing import is_intact

DAMAGED, MISSING, UNREADABLE = "damaged", "missing", "unreadable"
"""Unreadable is what the disk gives an error for; all other files are checked all the same."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A file that is not as it was published. `of` says what it belongs to, such as a dataset."""

    path: str
    of: str
    name: str
    version: str | None = None
    pipeline: str | None = None
    state: str = DAMAGED

    def __str__(self) -> str:
        """The problem in one line."""
        where = " ".join(part for part in (self.pipeline, self.name, self.version) if part)
        return f"{self.state}: {self.path} ({self.of} {where})"


@dataclass
class Checked:
    """What was hashed so far. A file under several names is read once."""

    progress: Progress = ignore
    files: int = 0
    bytes: int = 0
    problems: list[Problem] = field(default_factory=list)
    _known: dict[tuple[int, int], str] = field(default_factory=dict)

    def file(self, path: Path, sha256: str, about: Mapping[str, Any]) -> None:
        """Hash a file."""
        self.files += 1
        if (state := self._state(path, sha256)) is not None:
            self.problems.append(Problem(path=str(path), state=state, **about))

    def _state(self, path: Path, sha256: str) -> str | None:
        """What is wrong with a file, None where it is as it was."""
        try:
            if not path.is_file():
                return MISSING
            return None if self._sha256(path) == sha256 else DAMAGED
        except OSError:
            return UNREADABLE

    def json(self, path: Path, about: Mapping[str, Any]) -> dict[str, Any] | None:
        """Read a sealed JSON file; None where it is not there or not intact, which is then a problem.

        Raises LakeError for one of a format that is not known.
        """
        self.files += 1
        try:
            found: Any = files.read_json(path)
        except (files.DamagedFileError, OSError):
            found = {"digest": None}
        if isinstance(found, dict) and is_intact(found):
            return known_format(path, found)
        self.problems.append(Problem(path=str(path), state=MISSING if found is None else DAMAGED, **about))
        return None

    def _sha256(self, path: Path) -> str:
        status = path.stat()
        inode = (status.st_dev, status.st_ino)
        if getattr(status, "st_nlink", 0) <= 1:
            return self._hash(path, status.st_size)
        if inode not in self._known:
            self._known[inode] = self._hash(path, status.st_size)
        return self._known[inode]

    def _hash(self, path: Path, size: int) -> str:
        found = sha256_file(path)
        self.bytes += size
        self.progress(self.bytes, 0)
        return found


def verify_pipeline(lake: Lake, pipeline: str, checked: Checked) -> list[dict[str, Any]]:
    """Check releases, pins and every version of a pipeline; returns the manifests that could be read."""
    home = lake.pipeline(pipeline)
    numbered = sorted((home / RELEASES).glob("*.json"))
    releases = [home / RELEASE, *numbered] if numbered or (home / RELEASE).is_file() else []
    for path in releases:
        checked.json(path, {"of": "release", "name": path.stem, "pipeline": pipeline})
    if (home / PINS).is_file():
        checked.json(home / PINS, {"of": "pins", "name": PINS, "pipeline": pipeline})
    return [found for folder in _versions(lake, pipeline) if (found := _version(folder, pipeline, checked))]


def _versions(lake: Lake, pipeline: str) -> Iterator[Path]:
    """Folders of versions: those with a manifest, and those that a release names."""
    home = lake.pipeline(pipeline)
    named = {home / name / version for name, version in (lake_release(lake, pipeline) or {}).items()}
    for dataset in datasets(lake, pipeline):
        found = {path.parent for path in (home / dataset).glob(f"*/{MANIFEST}")}
        yield from sorted(found | {path for path in named if path.parent.name == dataset})


def lake_release(lake: Lake, pipeline: str) -> dict[str, str] | None:
    """The versions that the release names; None where it is gone or cannot be read."""
    try:
        found: dict[str, str] = (lake.release(pipeline) or {"datasets": {}})["datasets"]
    except (files.DamagedFileError, KeyError, TypeError):
        return None
    return found


def _version(folder: Path, pipeline: str, checked: Checked) -> dict[str, Any] | None:
    about = {"of": "dataset", "name": folder.parent.name, "version": folder.name, "pipeline": pipeline}
    manifest = checked.json(folder / MANIFEST, about)
    for part in manifest["parts"] if manifest else ():
        checked.file(folder / part["file"], part["sha256"], about)
        if part["rejects_file"]:
            checked.file(folder / part["rejects_file"], part["rejects_sha256"], about)
    return manifest


def check_release(lake: Lake, pipeline: str) -> None:
    """Raise LakeError where a manifest of the published release was changed, or a part cut off or removed.

    Looks at digests of manifests and sizes of files, not at their bytes; at nothing in an object store, where it would
    cost a request for each part.
    """
    release = None if lake.is_remote else lake.release(pipeline)
    for dataset, version in release["datasets"].items() if release else ():
        folder = lake.version(pipeline, dataset, version)
        manifest = lake.manifest(pipeline, dataset, version)
        if manifest is None:
            continue  # the next run makes it again
        wrong = _wrong_parts(folder, manifest) if is_intact(manifest) else [folder / MANIFEST]
        if wrong:
            raise LakeError(
                f"{wrong[0]} is not as it was published; restore it from a copy, or remove {folder} and run the "
                "same command again. `textmill datasets verify` finds all such files"
            )


def _wrong_parts(folder: Path, manifest: Mapping[str, Any]) -> list[Path]:
    return [folder / part["file"] for part in manifest["parts"] if _size(folder / part["file"]) != part["bytes"]]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def verify_raw(lake: Lake, checked: Checked, sources: set[str] | None = None) -> None:
    """Check the raw files of some sources, of all for None, against their sidecars and listings."""
    folders = sorted(path for path in lake.raw.iterdir() if path.is_dir()) if lake.raw.is_dir() else []
    for folder in folders:
        if sources is None or folder.name in sources:
            for name, sha256 in sorted(_recorded(folder, checked).items()):
                checked.file(folder / name, sha256, {"of": "raw", "name": folder.name})


def _recorded(folder: Path, checked: Checked) -> dict[str, str]:
    """SHA-256 of every file of a source, from listings and sidecars."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.json")):
        try:
            content = files.read_json(path)
        except (files.DamagedFileError, OSError) as error:
            if path.with_suffix("").is_file():  # a sidecar, not a file that somebody gave us as a source
                state = UNREADABLE if isinstance(error, OSError) else DAMAGED
                checked.problems.append(Problem(path=str(path), of="raw", name=folder.name, state=state))
            continue
        listed = content.get("files", [content]) if isinstance(content, dict) else []
        found |= {
            one["path"]: one["sha256"] for one in listed if isinstance(one, dict) and {"path", "sha256"} <= one.keys()
        }
    return found
