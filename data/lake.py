"""Where the bytes live: the folders of a lake, its locks, and whether it can be written.

`lake/datasets/<pipeline>/<name>/<version>/` holds immutable dataset versions, `_release.json` names the ones
that belong together. Nothing is written there directly: a version is built in `lake/_staging` and renamed.
In an object store, where nothing can be renamed, its parts are put under names that hold their hash, and the manifest
is put last, by whoever is first.
"""

from __future__ import annotations

import fcntl
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data import files
from data.errors import LakeError
from data.sealing import seal
from data.storage import ObjectPath, cache, place

__all__ = ["FORMAT", "MANIFEST", "RELEASE", "Lake", "LakeError"]

RELEASE = "_release.json"
RELEASES = "_releases"
MANIFEST = "_manifest.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")
FORMAT = 1
"""Format of manifests and releases; raised when an older textmill could not read what is written."""


@dataclass(frozen=True)
class Lake:
    """A lake at a local folder, or at `s3://bucket/prefix` and the like."""

    root: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", place(self.root))

    @property
    def is_remote(self) -> bool:
        """Whether the lake is in an object store."""
        return isinstance(self.root, ObjectPath)

    @property
    def raw(self) -> Path:
        """Files as fetched, one folder per source."""
        return self.root / "raw"

    @property
    def models(self) -> Path:
        """Root of the model registry."""
        return self.root / "models"

    @property
    def tokenizers(self) -> Path:
        """Tokenizers, one folder per pipeline."""
        return self.root / "tokenizers"

    @property
    def reports(self) -> Path:
        """Reports, one folder per run."""
        return self.root / "reports"

    def pipeline(self, name: str) -> Path:
        """Folder of a pipeline's datasets. Raises LakeError for a name that is no plain folder name."""
        if not _NAME.fullmatch(name):
            raise LakeError(f"'{name}' cannot name a pipeline; use letters, digits, '-', '_' and '.'")
        return self.root / "datasets" / name

    def version(self, pipeline: str, dataset: str, version: str) -> Path:
        """Folder of a published dataset version."""
        return self.pipeline(pipeline) / dataset / version

    def staging(self, pipeline: str, dataset: str, version: str) -> Path:
        """Folder where a dataset version is built."""
        return self.root / "_staging" / pipeline / dataset / version

    def scratch(self, pipeline: str) -> Path:
        """A folder on the disk for large temporary files; swept with all that is half built."""
        folder = self._here / "_staging" / pipeline
        with files.writable(folder / "any"):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def _here(self) -> Path:
        """What of the lake is on this disk whatever happens: locks and temporary files."""
        return cache.folder_of(self.root, "lakes") if isinstance(self.root, ObjectPath) else self.root

    @property
    def service(self) -> Path:
        """Folder on the disk where the server of this lake keeps its database and logs."""
        return self._here.absolute() / "_prefect"

    def pipelines(self) -> list[str]:
        """Names of the pipelines that have a release."""
        return sorted(path.parent.name for path in (self.root / "datasets").glob(f"*/{RELEASE}"))

    def manifest(self, pipeline: str, dataset: str, version: str) -> dict[str, Any] | None:
        """Manifest of a published version, None if there is none."""
        return _known(self.version(pipeline, dataset, version) / MANIFEST)

    def manifests(self, pipeline: str, dataset: str) -> list[dict[str, Any]]:
        """Manifests of every published version of a dataset."""
        found = sorted((self.pipeline(pipeline) / dataset).glob(f"*/{MANIFEST}"))
        return [manifest for path in found if (manifest := _known(path)) is not None]

    def release(self, pipeline: str) -> dict[str, Any] | None:
        """The published release of a pipeline, None before the first."""
        return _known(self.pipeline(pipeline) / RELEASE)

    def publish(self, pipeline: str, release: dict[str, Any]) -> None:
        """Replace the release, and keep it by its number; every version that it names must have its manifest."""
        for dataset, version in release["datasets"].items():
            if self.manifest(pipeline, dataset, version) is None:
                raise LakeError(f"release of {pipeline} names {dataset} {version}, which is not published")
        before = self.release(pipeline) or {}
        number = before.get("number", 0)
        if before and not number:  # published before there were numbers
            number = 1
            files.write_json(self.pipeline(pipeline) / RELEASES / "000001.json", seal({**before, "number": 1}))
        if not number or any(before.get(kind) != release.get(kind) for kind in ("datasets", "models")):
            number += 1  # a file of this number that no pointer ever named is what a kill left
            numbered = seal({**release, "number": number, "format": FORMAT})
            files.write_json(self.pipeline(pipeline) / RELEASES / f"{number:06d}.json", numbered)
        files.write_json(self.pipeline(pipeline) / RELEASE, seal({**release, "number": number, "format": FORMAT}))

    def releases(self, pipeline: str) -> Iterator[dict[str, Any]]:
        """Every release that was published, newest first; one that names what the release before it named is that."""
        current = self.release(pipeline)
        if current is None:
            return
        yield current
        for number in range(current.get("number", 1) - 1, 0, -1):
            if (found := self._numbered(pipeline, number)) is not None:
                yield found

    def _numbered(self, pipeline: str, number: int) -> dict[str, Any] | None:
        return _known(self.pipeline(pipeline) / RELEASES / f"{number:06d}.json")

    def parts(self, pipeline: str, dataset: str, version: str) -> list[Path]:
        """Parquet files of a published version in order. Raises LakeError if it is not published."""
        if (manifest := self.manifest(pipeline, dataset, version)) is None:
            raise LakeError(f"{pipeline}/{dataset} has no version {version}; see `textmill datasets list`")
        return [self.version(pipeline, dataset, version) / part["file"] for part in manifest["parts"]]

    def check_writable(self) -> None:
        """Raise LakeError unless files can be written here."""
        probe = self.root / f".probe-{uuid.uuid4().hex[:8]}"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise self._not_writable(error) from error

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold `name` alone among all processes; the kernel releases it if this one dies. Raises LakeError if held."""
        path = self._here / "_locks" / f"{name}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            opened = path.open("a+")
        except OSError as error:
            raise self._not_writable(error) from error
        with opened as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LakeError(
                    f"another run is working on '{name}' in {self.root}; wait for it or use --pipeline NAME"
                ) from error
            try:
                yield
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)  # closing alone would leave it with a forked child

    def _not_writable(self, error: OSError) -> LakeError:
        return LakeError(f"the lake {self.root} is not writable ({error.strerror}); choose another with --lake DIR")

    def sweep(self, pipeline: str) -> None:
        """Remove what half-built versions of a pipeline left behind; nothing else may be building them."""
        files.remove_tree(self._here / "_staging" / pipeline)


def _known(path: Path) -> dict[str, Any] | None:
    """A manifest or release, None where there is none. Raises LakeError for one of a format that is not known."""
    found: dict[str, Any] | None = files.read_json(path)
    if found is not None and (wrong := found.get("format", FORMAT)) != FORMAT:
        raise LakeError(f"{path} has format {wrong}, this textmill reads format {FORMAT}; upgrade textmill")
    return found
