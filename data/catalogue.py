"""The named sources of `catalogue.yaml`, and dumps, paths, folders, globs and URLs as sources of their own."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from data.errors import TextmillError

STORES: dict[str, str | None] = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "az": "azure",
    "abfs": "azure",
    "abfss": "azure",
    "memory": None,
}
"""Schemes of object stores, each with the extra of textmill that installs its driver."""
CHECKSUMS = ("sha256", "sha1", "md5")
_SUFFIXES = re.compile(r"(\.(xml|bz2|gz|zst|jsonl?|ndjson|txt|csv|tsv|parquet|html?))+$", re.IGNORECASE)
_MAGIC = re.compile(r"[*?\[]")


class UnknownSourceError(TextmillError):
    """No source has this name, and no file this path."""


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One file of a source. Checksums are lower-case hexadecimal; None where the publisher gives none."""

    name: str
    url: str | None = None
    sha256: str | None = None
    sha1: str | None = None
    md5: str | None = None
    size: int | None = None

    @property
    def checksums(self) -> dict[str, str]:
        """The checksums that are known, by algorithm."""
        return {name: value.lower() for name in CHECKSUMS if (value := getattr(self, name)) is not None}


@dataclass(frozen=True)
class Source:
    """Where a corpus or labelled set comes from. `reader` is None where the file name decides.

    `fields` maps what a record reader wants (`text`, `id`, …) to the names that the file has. `files` lists the
    files of a set that has several; `by_hand` says how a user gets a set that its licence keeps from being fetched.
    """

    name: str
    location: str
    kind: str = "corpus"
    reader: str | None = None
    licence: str = "unknown"
    language: str | None = None
    sha256: str | None = None
    about: str = ""
    sha1: str | None = None
    md5: str | None = None
    size: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    files: tuple[SourceFile, ...] = ()
    by_hand: str = ""

    @property
    def scheme(self) -> str:
        """`package`, `wikipedia`, `http`, `hand`, a scheme of STORES, or `file`."""
        if self.by_hand:
            return "hand"
        head = self.location.partition(":")[0].lower()
        if head in {"http", "https"}:
            return "http"
        return head if head in {"package", "wikipedia", *STORES} else "file"

    @property
    def is_remote(self) -> bool:
        """Whether it must be fetched from a network, or handed over by the user."""
        return self.scheme not in {"package", "file"}

    @property
    def moves(self) -> bool:
        """Whether a later look may find other files: the latest dump, or a folder or glob of an object store."""
        if self.scheme == "wikipedia":
            return self.location.endswith(":latest")
        last = self.location.rsplit("/", 1)[-1]
        return self.scheme in STORES and ("." not in last or bool(_MAGIC.search(self.location)))

    @property
    def file_name(self) -> str:
        """Name of the file of a source that has one, for the lake."""
        path = self.location.split("?", maxsplit=1)[0] if self.scheme == "http" else self.location
        name = unquote(path.rsplit("/", 1)[-1]) if self.scheme == "http" else path.rsplit("/", 1)[-1]
        return name.replace("/", "_").lstrip(".") or self.name

    @property
    def listed(self) -> tuple[SourceFile, ...]:
        """The files that are known without asking anybody, those of a URL or of the catalogue."""
        if self.files or self.scheme != "http":
            return self.files
        checksums = {name: getattr(self, name) for name in CHECKSUMS}
        return (SourceFile(name=self.file_name, url=self.location, size=self.size, **checksums),)

    @property
    def bytes(self) -> int | None:
        """Size of all its files, where it is known."""
        sizes = [file.size for file in self.listed]
        return self.size if self.size or not sizes or None in sizes else sum(size or 0 for size in sizes)

    def path(self) -> Path:
        """Path of a source that is not remote. Raises UnknownSourceError where its package is missing."""
        if self.location.startswith("package:"):
            _, module, inside = self.location.split(":", 2)
            spec = importlib.util.find_spec(module)
            if spec is None or not spec.submodule_search_locations:
                raise UnknownSourceError(f"source {self.name} needs the package {module}; install textmill again")
            return Path(spec.submodule_search_locations[0]) / inside
        return Path(self.location).expanduser()

    def word(self) -> str:
        """What `find` turns into this source again."""
        return self.name if catalogue().get(self.name) == self else self.location


@cache
def catalogue() -> dict[str, Source]:
    """Every named source."""
    import yaml

    text = Path(__file__).with_suffix(".yaml").read_text("utf-8")
    entries: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return {name: _entry(name, **entry) for name, entry in entries.items()}


def _entry(name: str, *, files: list[dict[str, Any]] | None = None, **entry: Any) -> Source:
    listed = tuple(SourceFile(**{"url": entry["location"] + file["name"], **file}) for file in files or ())
    return Source(name=name, files=listed, **entry)


def find(name: str, *, raw: Path | None = None) -> Source:
    """The source of this name, dump, path, folder, glob or URL.

    `raw` is the folder of raw files of a lake: a path that is gone is still a source where its files are kept there.
    Raises UnknownSourceError with what would have been right.
    """
    if name in catalogue():
        return catalogue()[name]
    scheme, colon, rest = name.partition(":")
    if scheme.lower() == "wikipedia" and colon:
        from data.wikis import wikipedia

        return wikipedia(rest)
    if rest.startswith("//"):
        return _find_address(scheme.lower(), name)
    return _find_path(name, raw)


def _find_address(scheme: str, name: str) -> Source:
    if scheme in {"http", "https"}:
        return Source(name=_short(name.split("?", maxsplit=1)[0]), location=name)
    if scheme == "file":
        return _find_path(name.partition("://")[2], None)
    if scheme in STORES:
        return Source(name=_short(name), location=name)
    known = ", ".join(f"{known}://" for known in ("http", "https", "file", *STORES))
    raise UnknownSourceError(f"'{name}': {scheme}:// is not known; there are {known}, wikipedia:<lang> and paths")


def _find_path(name: str, raw: Path | None) -> Source:
    path = Path(os.path.abspath(Path(name).expanduser()))  # noqa: PTH100 - resolve() would follow a link inside a glob
    if path.exists():
        return Source(name=_short(str(path)), location=str(path.resolve()))
    source = Source(name=_short(str(path)), location=str(path))
    kept = raw is not None and (raw / source.name).is_dir()
    if kept or (_MAGIC.search(name) and any(_matches(path))):
        return source
    if _MAGIC.search(name):
        raise UnknownSourceError(f"'{name}' matches no file; put it in quotes, and try it with `ls`")
    raise UnknownSourceError(
        f"'{name}' is neither a source nor a file; give a path, a folder, a glob, a URL, wikipedia:<lang> or one of: "
        + ", ".join(catalogue())
    )


def _matches(pattern: Path) -> list[Path]:
    """What a glob matches, `**` included."""
    import glob

    return [Path(path) for path in glob.glob(str(pattern), recursive=True)]  # noqa: PTH207 - absolute patterns


def glob_base(pattern: str) -> str:
    """The folders of a glob before its first wildcard."""
    parts = pattern.split("/")
    return "/".join(parts[: next(i for i, part in enumerate(parts) if _MAGIC.search(part))])


def is_glob(location: str) -> bool:
    """Whether a path has wildcards."""
    return bool(_MAGIC.search(location))


def _short(location: str) -> str:
    """Name of a source from its last part that has one: letters, digits and dashes; a dump's is that of its wiki."""
    for part in reversed(location.rstrip("/").split("/")):
        plain = _SUFFIXES.sub("", re.sub(r"\[[^\]]*\]|[*?]", "", part))
        if found := re.sub(r"[^A-Za-z0-9_.]+", "-", plain).strip("-."):
            return found
        if not _MAGIC.search(part):
            break  # only the wildcards of a glob leave its name to its folder
    return "source"
