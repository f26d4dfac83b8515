"""Where the bytes live: the folders of a lake, its locks, and whether it can be written.

`lake/datasets/<pipeline>/<name>/<version>/` holds immutable dataset versions, `_release.json` names the ones
that belong together. Nothing is written there directly: a version is built in `lake/_staging` and renamed.
"""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data import files
from data.errors import TextmillError

RELEASE = "_release.json"
MANIFEST = "_manifest.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")


class LakeError(TextmillError):
    """The lake cannot be used as asked; the message says what to do."""


@dataclass(frozen=True)
class Lake:
    """A lake at a local folder."""

    root: Path

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

    def pipelines(self) -> list[str]:
        """Names of the pipelines that have a release."""
        return sorted(path.parent.name for path in (self.root / "datasets").glob(f"*/{RELEASE}"))

    def manifest(self, pipeline: str, dataset: str, version: str) -> dict[str, Any] | None:
        """Manifest of a published version, None if there is none."""
        found: dict[str, Any] | None = files.read_json(self.version(pipeline, dataset, version) / MANIFEST)
        return found

    def manifests(self, pipeline: str, dataset: str) -> list[dict[str, Any]]:
        """Manifests of every published version of a dataset."""
        found = sorted((self.pipeline(pipeline) / dataset).glob(f"*/{MANIFEST}"))
        return [manifest for path in found if (manifest := files.read_json(path)) is not None]

    def release(self, pipeline: str) -> dict[str, Any] | None:
        """The published release of a pipeline, None before the first."""
        found: dict[str, Any] | None = files.read_json(self.pipeline(pipeline) / RELEASE)
        return found

    def publish(self, pipeline: str, release: dict[str, Any]) -> None:
        """Replace the release; every version that it names must have its manifest."""
        for dataset, version in release["datasets"].items():
            if self.manifest(pipeline, dataset, version) is None:
                raise LakeError(f"release of {pipeline} names {dataset} {version}, which is not published")
        files.write_json(self.pipeline(pipeline) / RELEASE, release)

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

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold `name` alone among all processes; the kernel releases it if this one dies. Raises LakeError if held."""
        path = self.root / "_locks" / f"{name}.lock"
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
        """Remove what half-built versions and killed writes of a pipeline left behind; nothing else may be at them."""
        shutil.rmtree(self.root / "_staging" / pipeline, ignore_errors=True)
        datasets, tokenizers = self.pipeline(pipeline), self.tokenizers / pipeline
        files.sweep(datasets, *datasets.glob("_*"), tokenizers, *tokenizers.glob("*"))

    def tidy(self, pipeline: str) -> None:
        """Sweep unless a run is at work there."""
        with suppress(LakeError), self.lock(pipeline):
            self.sweep(pipeline)
