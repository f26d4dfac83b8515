"""What `lake/raw/<source>` holds: files with their sidecars, and listings of what a source was made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from data import files
from data.catalogue import Source
from data.hashing import fingerprint
from data.storage import ObjectPath, cache, redacted
from pipelines.download.errors import DownloadError, cannot_write

_CHUNK = 1 << 20
_LARGE = 1 << 20  # bytes of a file that is not copied again because its folder was not finished
_FRESH = timedelta(hours=12)  # under a day, so that a nightly run asks each night


@dataclass(frozen=True, kw_only=True)
class Item:
    """One file of a source before it is fetched: its name in the lake, and what it must be.

    `stamp` tells a changed original from an unchanged one where nobody publishes checksums: size and time.
    `path` is where a user put the file of an origin that he asked himself.
    """

    name: str
    origin: str
    checksums: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    stamp: str | None = None
    path: str | None = None


@dataclass(frozen=True)
class RawFile:
    """A file in `lake/raw` with the facts of its sidecar. `name` is its path inside the folder of its source.

    `modified` is the stamp of a copied file or the Last-Modified of a fetched one; `checksums` are the
    publisher's, and were verified. `rewritten` is when a forgotten document was taken out of the file, if ever: then
    the checksums are those of the file as it was fetched.
    """

    path: Path
    source: str
    origin: str
    sha256: str
    bytes: int
    licence: str
    etag: str | None = None
    modified: str | None = None
    checksums: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    rewritten: str | None = None

    @property
    def sidecar(self) -> dict[str, Any]:
        """What stands beside the file."""
        facts = {**asdict(self), "path": self.name}
        del facts["name"]
        if self.rewritten is None:
            del facts["rewritten"]
        return facts


class Shelf:
    """The files of one source in the lake.

    Loose files, those of folders, may be very many: their facts stand in the listing, only large ones have a
    sidecar as well, a hidden one, because a folder may hold both `a` and `a.json`.
    """

    def __init__(self, source: Source, folder: Path) -> None:
        self.source, self.folder = source, folder
        name = fingerprint([source.location])[:8]
        self._listing_file = folder / f"_listing-{name}.json"

    def facts(self, name: str, listing: Mapping[str, Any] | None = None) -> RawFile | None:
        """What is recorded of a file, None where it is not whole in the lake."""
        target = self.folder / name
        listing_entry = (listing or {}).get(name)
        for found in _entries(target, listing_entry):
            try:
                raw = RawFile(**{**found, "path": target, "name": name})
                if found is listing_entry and isinstance(target, ObjectPath):
                    return raw  # written last, when all files were there: nobody need ask for each
                if target.stat().st_size == raw.bytes:
                    return raw
            except (OSError, TypeError):
                continue  # no file, or a sidecar that is none of ours
        return None

    def holds(self, item: Item, listing: Mapping[str, Any] | None = None) -> RawFile | None:
        """The file of an item if the lake has it as it should be."""
        raw = self.facts(item.name, listing)
        if raw is None:
            return None
        known = {"sha256": raw.sha256, **raw.checksums}
        verified = any(known.get(name) == value for name, value in item.checksums.items())
        wrong = any(known.get(name) != value for name, value in item.checksums.items())
        if wrong or (raw.origin != redacted(item.origin) and not verified):
            return None
        return raw if item.stamp is None or item.stamp == raw.modified else None

    def listing(self) -> dict[str, Any] | None:
        """The files of the source's location when it was last looked at, by name, None before the first time."""
        found = _read(self._listing_file)
        known = isinstance(found, dict) and {"location", "asked", "files"} <= found.keys()
        return found if known and found["location"] == redacted(self.source.location) else None

    def listed(self) -> list[RawFile] | None:
        """The files of the listing, in order, None where there is none or a file is missing."""
        listing = self.listing() or {"files": []}
        found = [self.facts(facts["path"], {facts["path"]: facts}) for facts in listing["files"]]
        whole = [raw for raw in found if raw is not None]
        return whole if found and len(whole) == len(found) else None

    def is_fresh(self, now: datetime) -> bool:
        """Whether the listing of a source that moves is young enough to rely on."""
        listing = self.listing()
        return listing is not None and now - datetime.fromisoformat(listing["asked"]) < _FRESH

    def list_files(self, raw: Iterable[RawFile], now: datetime) -> None:
        """Record of what files the location consists now."""
        facts = [file.sidecar for file in raw]
        record = {
            "location": redacted(self.source.location),
            "asked": now.isoformat(timespec="seconds"),
            "files": facts,
        }
        files.write_json(self._listing_file, record)

    def staged(self, item: Item) -> Path:
        """Where a file grows until it is whole."""
        target = self.place / item.name
        return target.with_name(f".{target.name}.partial")

    @property
    def place(self) -> Path:
        """Where files grow: in the folder, or on the disk of this machine where it is in an object store."""
        return cache.folder_of(self.folder, "raw") if isinstance(self.folder, ObjectPath) else self.folder

    def keep(self, item: Item, *, etag: str | None = None, modified: str | None = None, loose: bool = False) -> RawFile:
        """Check size and hashes of the staged file, then make file and sidecar appear."""
        staged, target = self.staged(item), self.folder / item.name
        digests = self._checked(item, staged)
        raw = RawFile(
            path=target,
            source=self.source.name,
            origin=redacted(item.origin),
            sha256=digests["sha256"],
            bytes=staged.stat().st_size,
            licence=self.source.licence,
            etag=etag,
            modified=item.stamp or modified,
            checksums=dict(item.checksums),
            name=item.name,
        )
        try:
            if loose and raw.bytes < _LARGE and target.parent == staged.parent:
                staged.replace(target)  # the listing, written last, is what makes small files count
            else:
                files.publish(staged, target)
                files.write_json(_sidecar(target, loose=loose), raw.sidecar)
        except OSError as error:
            raise cannot_write(self.folder, error) from error
        return raw

    def _checked(self, item: Item, staged: Path) -> dict[str, str]:
        """Digests of a staged file. Raises MismatchError, and removes it, where it is not what it must be."""
        size = staged.stat().st_size
        digests = hashes(staged, {"sha256", *item.checksums})
        wrong = [(name, value) for name, value in item.checksums.items() if digests[name] != value]
        if item.size is not None and size != item.size:
            message = f"{item.path or item.origin} has {size:,} bytes, it should have {item.size:,}"
        elif wrong:
            name, value = wrong[0]
            message = f"{item.path or item.origin} has {_NAMES[name]} {digests[name]}, it should be {value}"
        else:
            return digests
        with staged.open("rb") as file:
            page = file.read(512).lstrip().lower().startswith((b"<!doctype html", b"<html"))
        staged.unlink()
        hint = (
            "the server sent a web page instead" if page else "the publisher replaced it, or it was damaged on its way"
        )
        raise MismatchError(f"{message}; {hint}")


class MismatchError(DownloadError):
    """A file is not what its publisher or the catalogue says."""


_NAMES = {"sha256": "SHA-256", "sha1": "SHA-1", "md5": "MD5"}


def hashes(path: Path, algorithms: set[str]) -> dict[str, str]:
    """Digests of a file, read once."""
    running = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            for digest in running.values():
                digest.update(chunk)
    return {name: digest.hexdigest() for name, digest in running.items()}


def _entries(target: Path, listed: Any) -> Iterator[Any]:
    """What may be recorded of a file: in the listing, beside it, or beside it and hidden."""
    yield listed
    yield _read(_sidecar(target))
    yield _read(_sidecar(target, loose=True))


def _sidecar(target: Path, *, loose: bool = False) -> Path:
    return target.with_name(f".{target.name}.json" if loose else f"{target.name}.json")


def _read(path: Path) -> Any:
    try:
        return files.read_json(path)
    except (OSError, files.DamagedFileError):
        return None
