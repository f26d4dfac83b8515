"""Where the bytes live: the folders of a lake, its locks, and whether it can be written.

`lake/datasets/<pipeline>/<name>/<version>/` holds immutable dataset versions, `_release.json` names the ones
that belong together. Nothing is written there directly: a version is built in `lake/_staging` and renamed.
In an object store, where nothing can be renamed, its parts are put under names that hold their hash, and the manifest
is put last, by whoever is first.
"""

from __future__ import annotations

import fcntl
import logging
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from data import files
from data.errors import LakeError
from data.sealing import seal
from data.storage import ObjectPath, cache, leftovers, place

__all__ = ["FORMAT", "GRACE", "MANIFEST", "RELEASE", "BusyError", "Lake", "LakeError", "known_format"]

RELEASE = "_release.json"
RELEASES = "_releases"
MANIFEST = "_manifest.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")
ROOM = 32 << 20
"""Bytes that must be free for a run: on a full disk Prefect's database waits for minutes, then ends in a traceback."""
GRACE = timedelta(days=1)
"""Age of half-built versions in an object store at which nobody is taken to work on them any more."""
_log = logging.getLogger(__name__)
FORMAT = 1
"""Format of manifests and releases; raised when an older textmill could not read what is written."""


class BusyError(LakeError):
    """Another process holds what is asked for."""


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

    def training(self, key: str) -> Path:
        """A folder on the disk for the tokens and checkpoints of a training that is not registered yet."""
        folder = self.trainings / key
        with files.writable(folder / "any"):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def trainings(self) -> Path:
        """Trainings and searches that are under way, or were when something killed them, one folder each."""
        return self._here / "_training"

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

    def publish(
        self, pipeline: str, release: dict[str, Any] | Callable[[dict[str, Any] | None], dict[str, Any]]
    ) -> dict[str, Any]:
        """Replace the release, in one step among all writers, and keep it by its number; returns what is written.

        `release` may be a function that makes it from the one before; it may be asked several times. Every version
        that is named must have its manifest: raises LakeError otherwise, and the release stays as it was.
        """
        path = self.pipeline(pipeline) / RELEASE

        def replaced(content: bytes | None) -> bytes:
            before = self.newest(pipeline) if content is None else _parsed(path, content)
            if before and content is None:
                _log.warning(
                    "%s was gone; release %s, kept by its number, is what was published last", path, before["number"]
                )
            made = release(before) if callable(release) else release
            self._check_published(pipeline, made["datasets"])
            number = before.get("number", 0) if before else 0
            if before and not number:  # published before there were numbers
                number = 1
                files.create(self._number_file(pipeline, 1), files.json_bytes(seal({**before, "number": 1})))
            elif content is not None:
                files.create(self._number_file(pipeline, number), content)  # a kill may have left this to do
            if not number or any((before or {}).get(kind) != made.get(kind) for kind in ("datasets", "models")):
                number += 1
            return files.json_bytes(seal({**made, "number": number, "format": FORMAT}))

        written = files.change(path, replaced) or b""
        found = _parsed(path, written)
        files.create(self._number_file(pipeline, found["number"]), written)
        return found

    def _check_published(self, pipeline: str, datasets: Mapping[str, str]) -> None:
        for dataset, version in datasets.items():
            if self.manifest(pipeline, dataset, version) is None:
                raise LakeError(f"release of {pipeline} names {dataset} {version}, which is not published")

    def _number_file(self, pipeline: str, number: int) -> Path:
        return self.pipeline(pipeline) / RELEASES / f"{number:06d}.json"

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
        return _known(self._number_file(pipeline, number))

    def newest(self, pipeline: str) -> dict[str, Any] | None:
        """The release; where its file is gone, the newest that was kept by its number, None before the first.

        Readers ask for `release`: what is published is what that file says. Who publishes must go on from here.
        """
        if (found := self.release(pipeline)) is not None:
            return found
        kept = sorted((self.pipeline(pipeline) / RELEASES).glob("*.json"))
        return _known(kept[-1]) if kept else None

    def parts(self, pipeline: str, dataset: str, version: str) -> list[Path]:
        """Parquet files of a published version in order. Raises LakeError if it is not published."""
        if (manifest := self.manifest(pipeline, dataset, version)) is None:
            raise LakeError(f"{pipeline}/{dataset} has no version {version}; see `textmill datasets list`")
        return [self.version(pipeline, dataset, version) / part["file"] for part in manifest["parts"]]

    def check_writable(self) -> None:
        """Raise LakeError unless files can be written here."""
        probe = self.root / ".probe"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink(missing_ok=True)  # two runs may look at once
        except OSError as error:
            raise self._not_writable(error) from error

    def check_room(self, wanted: int = ROOM) -> None:
        """Raise LakeError unless so many bytes are free where the server of this lake keeps its database."""
        self._here.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._here).free
        if free < wanted:
            raise LakeError(
                f"the disk of {self._here} has {free / 1e6:.0f} MB free, and a run needs {wanted / 1e6:.0f} MB "
                "to begin with; free some, or choose another with --lake DIR"
            )

    @contextmanager
    def lock(self, name: str, *, wait: bool = True) -> Iterator[None]:
        """Hold `name` alone among the processes of this machine, after waiting for who holds it.

        The kernel releases it if this process dies. It saves work that another does already: what keeps two writers
        apart, also on other machines, are renames and conditional puts. Raises BusyError where it is held and shall not
        be waited for.
        """
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
                if not wait:
                    raise BusyError(f"another run is working on '{name}' in {self.root}") from error
                _log.warning("another run is working on '%s' in %s; waiting for it to end", name, self.root)
                fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)  # closing alone would leave it with a forked child

    def _not_writable(self, error: OSError) -> LakeError:
        return LakeError(f"the lake {self.root} is not writable ({error.strerror}); choose another with --lake DIR")

    def sweep(self, pipeline: str, *, grace: timedelta = GRACE) -> None:
        """Remove what half-built versions and killed writes of a pipeline left; here nothing else may be at them.

        In an object store others may: there only what nobody has added to for `grace` goes.
        """
        files.remove_tree(self._here / "_staging" / pipeline)
        if isinstance(self.root, ObjectPath):
            cache.sweep()
            leftovers.remove(self.pipeline(pipeline), MANIFEST, grace)
        else:  # what is put into a store is there whole or not at all
            datasets, tokenizers = self.pipeline(pipeline), self.tokenizers / pipeline
            files.sweep(datasets, *datasets.glob("_*"), tokenizers, *tokenizers.glob("*"))

    def tidy(self, pipeline: str) -> None:
        """Sweep unless a run is at work there; in an object store that would list, and the next run does it."""
        if self.is_remote:
            return
        with suppress(LakeError), self.lock(pipeline, wait=False):
            self.sweep(pipeline)


def _known(path: Path) -> dict[str, Any] | None:
    """A manifest or release, None where there is none. Raises LakeError for one of a format that is not known."""
    found: dict[str, Any] | None = files.read_json(path)
    return None if found is None else known_format(path, found)


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    return known_format(path, files.parsed(path, content))


def known_format(path: Path, found: dict[str, Any]) -> dict[str, Any]:
    """What was read there, as it is. Raises LakeError where it has a format that this textmill does not know."""
    if (wrong := found.get("format", FORMAT)) != FORMAT:
        raise LakeError(f"{path} has format {wrong}, this textmill reads format {FORMAT}; upgrade textmill")
    return found
