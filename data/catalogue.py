"""The named sources of `catalogue.yaml`, and paths and URLs as sources of their own."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from data.errors import TextmillError

_SUFFIXES = re.compile(r"(\.(xml|bz2|gz|zst|jsonl?|txt|csv|tsv|parquet|html?))+$", re.IGNORECASE)


class UnknownSourceError(TextmillError):
    """No source has this name, and no file this path."""


@dataclass(frozen=True)
class Source:
    """Where a corpus or labelled set comes from. `reader` is None where the file name decides."""

    name: str
    location: str
    kind: str = "corpus"
    reader: str | None = None
    licence: str = "unknown"
    language: str | None = None
    sha256: str | None = None
    about: str = ""

    @property
    def is_remote(self) -> bool:
        """Whether it must be fetched from a network."""
        return self.location.startswith(("http://", "https://"))

    @property
    def file_name(self) -> str:
        """Name of the file, for the lake."""
        path = self.location.split("?", maxsplit=1)[0] if self.is_remote else self.location
        return path.rsplit("/", 1)[-1] or self.name

    def path(self) -> Path:
        """Path of a source that is not remote. Raises UnknownSourceError where its package is missing."""
        if self.location.startswith("package:"):
            _, module, inside = self.location.split(":", 2)
            spec = importlib.util.find_spec(module)
            if spec is None or not spec.submodule_search_locations:
                raise UnknownSourceError(f"source {self.name} needs the package {module}; install textmill again")
            return Path(spec.submodule_search_locations[0]) / inside
        return Path(self.location).expanduser()


@cache
def catalogue() -> dict[str, Source]:
    """Every named source."""
    import yaml

    text = Path(__file__).with_suffix(".yaml").read_text("utf-8")
    entries: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return {name: Source(name=name, **entry) for name, entry in entries.items()}


def find(name: str) -> Source:
    """The source of this name, path or URL. Raises UnknownSourceError with what would have been right."""
    if name in catalogue():
        return catalogue()[name]
    if name.startswith(("http://", "https://")):
        return Source(name=_short(name.split("?", maxsplit=1)[0]), location=name)
    path = Path(name).expanduser()
    if path.is_file():
        return Source(name=_short(path.name), location=str(path.resolve()))
    names = ", ".join(catalogue())
    what = "is a folder, and a source is one file" if path.is_dir() else "is neither a source nor a file"
    raise UnknownSourceError(f"'{name}' {what}; give a path, a URL or one of: {names}")


def _short(location: str) -> str:
    """Name of a source from its file name: letters, digits and dashes."""
    stem = _SUFFIXES.sub("", location.rsplit("/", 1)[-1])
    return re.sub(r"[^A-Za-z0-9_.]+", "-", stem).strip("-.") or "source"
