"""One run of one pipeline: where, from what, how, and who listens to its progress."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from data.catalogue import Source, find
from data.contracts import Contract
from data.errors import ConfigError, TextmillError
from data.hashing import fingerprint
from data.lake import Lake
from data.progress import Listener, silent
from flows.addresses import expanded
from flows.recipe import Recipe
from flows.workers import Pool, count_workers
from pipelines import sources as readers
from pipelines.sources.config import SourceConfig


@dataclass(frozen=True)
class Ref:
    """A published dataset version; `reused` tells that this run did not have to make it."""

    dataset: str
    version: str
    rows: int
    reused: bool

    def recorded(self) -> dict[str, Any]:
        """What a manifest says of an input: nothing that differs between a run and one that went on after a kill."""
        return {"dataset": self.dataset, "version": self.version, "rows": self.rows}


@dataclass(frozen=True)
class Job:
    """What a run works on. `started` is a UTC time in ISO 8601.

    `accept_drift` publishes datasets that moved further from the published ones than their contracts allow.
    """

    lake: Lake
    pipeline: str
    sources: tuple[Source, ...]
    recipe: Recipe
    run_id: str
    started: str
    limit: int | None = None
    accept_drift: bool = False
    listen: Listener = field(default=silent, compare=False, repr=False)
    pool: Pool | None = field(default=None, compare=False, repr=False)

    @property
    def report_folder(self) -> Path:
        """Where the pages of this run go."""
        return self.lake.reports / self.run_id

    def close(self) -> None:
        """End the workers."""
        if self.pool is not None:
            self.pool.close()

    def model_name(self, task: str) -> str:
        """Name of a model of this pipeline in the registry."""
        return f"{self.pipeline}-{task}"

    def path(self, ref: Ref) -> Path:
        """Folder of a dataset version."""
        return self.lake.version(self.pipeline, ref.dataset, ref.version)

    def manifest(self, ref: Ref) -> dict[str, Any]:
        """Manifest of a dataset version. Raises TextmillError where it is gone."""
        found = self.lake.manifest(self.pipeline, ref.dataset, ref.version)
        if found is None:
            raise TextmillError(f"{ref.dataset} {ref.version} is gone from the lake; run `textmill run` again")
        return found


def make_job(
    *,
    lake: Path,
    sources: list[str],
    pipeline: str | None,
    recipe: Recipe,
    limit: int | None,
    run_id: str,
    started: str,
    listen: Listener = silent,
    workers: int | None = None,
    accept_drift: bool = False,
) -> Job:
    """A job from the words of a command line. Without a name a limited run is a pipeline of its own.

    `workers` is the number of worker processes; None is one per CPU, 0 none at all.
    """
    if limit is not None and limit < 1:
        raise TextmillError(f"--limit is {limit}; it must be at least 1")
    place = Lake(lake)
    found = tuple(find(expanded(name), raw=place.raw) for name in sources)
    labels = [source.name for source in found if source.kind != "corpus"]
    if labels:
        raise TextmillError(f"{labels[0]} is a labelled set and no corpus; see `textmill sources list`")
    names = [source.name for source in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise TextmillError(f"two sources are called '{twice}'; rename a file, a source is known by its name")
    _check_reading(found, recipe)
    name = pipeline or found[0].name + (f"-limit{limit}" if limit else "")
    place.pipeline(name)
    count = count_workers(workers)
    pool = Pool(count) if count else None
    return Job(place, name, found, recipe, run_id, started, limit, accept_drift, listen, pool)


def _check_reading(found: tuple[Source, ...], recipe: Recipe) -> None:
    """Raise, before anything is copied or downloaded, for a file that no reader reads and for options that none has."""
    names = [source.name for source in found]
    if unknown := sorted(set(recipe.sources) - set(names)):
        raise ConfigError(
            f"sources: '{unknown[0]}' is no source of this run; its sources are called {', '.join(names)}"
        )
    for source in found:
        options = recipe.sources.get(source.name, SourceConfig())
        reader = options.reader or source.reader
        if reader is None and source.scheme == "file" and source.path().is_file():
            reader = readers.reader_for(source.path())
        if reader is not None and source.name in recipe.sources:
            try:
                readers.checked(reader, options.options(source.fields))
            except ConfigError as error:
                raise ConfigError(f"sources.{source.name}.{error}") from error


_DECIDING = ("polars", "pyarrow", "tokenizers")
"""Libraries that decide the bytes of every dataset."""


def tools() -> dict[str, str]:
    """Major versions of the libraries that decide the bytes of every dataset; of 0.23.1 that is 0.23."""
    return {name: _major(version) for name, version in exact(*_DECIDING).items()}


def _major(version: str) -> str:
    first, second, *_ = version.split(".")
    return f"0.{second}" if first == "0" else first


def exact(*libraries: str) -> dict[str, str]:
    """Versions of libraries whose every release may find something else in a text."""
    return {name: _release(name) for name in libraries}


@cache
def _release(library: str) -> str:
    """Asked for every part; looking it up reads files."""
    from importlib.metadata import version

    return version(library)


def made_with() -> dict[str, str]:
    """Versions of the program and of what wrote the bytes, for manifests and cards; no key holds them."""
    return {"textmill": textmill_version(), "python": platform.python_version(), **exact(*_DECIDING)}


def textmill_version() -> str:
    """Version of this program; of a checkout that is not installed, none is known."""
    from importlib.metadata import PackageNotFoundError

    try:
        return _release("textmill")
    except PackageNotFoundError:
        return "not installed"


def code_of(**parts: int) -> str:
    """The code that trains, as the card of a model names it: `textmill 0.1.0, gpt 2, training 4, torch 2.13.0`.

    `parts` are the versions that are in the training key.
    """
    own = [f"{name} {number}" for name, number in parts.items()]
    return ", ".join([f"textmill {textmill_version()}", *own, f"torch {_release('torch')}"])


def version_of(contract: Contract, *parts: Any) -> str:
    """Version of a dataset from everything that decides its content."""
    return fingerprint([contract.describe(), tools(), *parts])
