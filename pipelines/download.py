"""Bring the file of a source into `lake/raw`, with a sidecar that tells where it came from.

The only code that fetches sources. A transfer that breaks off is continued with a Range request where the
server's ETag or date still matches; the file appears under its name only when it is whole and its hash is known.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data import files
from data.catalogue import Source
from data.errors import TextmillError
from data.hashing import sha256_file
from data.progress import Progress, ignore

VERSION = 1
_CHUNK = 1 << 20
_ATTEMPTS = 5
_TIMEOUT_S = 60.0


class DownloadError(TextmillError):
    """A source could not be brought into the lake; what was there stays as it was."""


@dataclass(frozen=True)
class RawFile:
    """A file in `lake/raw` with the facts of its sidecar."""

    path: Path
    source: str
    origin: str
    sha256: str
    bytes: int
    licence: str
    etag: str | None = None
    modified: str | None = None

    @property
    def sidecar(self) -> dict[str, Any]:
        """What stands beside the file."""
        return {**asdict(self), "path": self.path.name}


def download(source: Source, folder: Path, *, progress: Progress = ignore) -> RawFile:
    """The file of `source` in `folder`, fetched or copied unless it is there and its origin unchanged.

    Raises DownloadError if it cannot be had, or if its SHA-256 is not the one of the catalogue.
    """
    if (found := known(source, folder)) is not None:
        return found
    target = folder / source.file_name
    stamp = None if source.is_remote else _stamp(source)
    folder.mkdir(parents=True, exist_ok=True)
    staged = folder / f".{target.name}.partial"
    etag = _fetch(source.location, staged, progress) if source.is_remote else _copy(source.path(), staged, progress)
    return _keep(source, staged, target, etag=etag, modified=stamp)


def known(source: Source, folder: Path) -> RawFile | None:
    """The file of `source` if it is in `folder` already and its origin, where it is a local file, is unchanged."""
    target = folder / source.file_name
    sidecar = files.read_json(_sidecar(target))
    if not sidecar or not target.is_file() or target.stat().st_size != sidecar["bytes"]:
        return None
    if sidecar["origin"] != source.location or not (source.is_remote or sidecar["modified"] == _stamp(source)):
        return None
    return RawFile(**{**sidecar, "path": target})


def _keep(source: Source, staged: Path, target: Path, *, etag: str | None, modified: str | None) -> RawFile:
    """Check the hash, then make file and sidecar appear."""
    digest = sha256_file(staged)
    if source.sha256 and digest != source.sha256:
        staged.unlink()
        raise DownloadError(
            f"{source.location} has SHA-256 {digest}, the catalogue says {source.sha256}; "
            "if the publisher replaced the file, correct data/catalogue.yaml"
        )
    raw = RawFile(
        path=target,
        source=source.name,
        origin=source.location,
        sha256=digest,
        bytes=staged.stat().st_size,
        licence=source.licence,
        etag=etag,
        modified=modified,
    )
    files.publish(staged, target)
    files.write_json(_sidecar(target), raw.sidecar)
    return raw


def _sidecar(target: Path) -> Path:
    return target.with_name(target.name + ".json")


def _stamp(source: Source) -> str:
    """Size and time of a local file: what tells that it changed. Raises DownloadError if it cannot be read."""
    try:
        stat = source.path().stat()
    except OSError as error:
        raise DownloadError(f"{source.location} cannot be read: {error.strerror}") from error
    return f"{stat.st_size}:{stat.st_mtime_ns}"


def _copy(path: Path, staged: Path, progress: Progress) -> None:
    try:
        shutil.copyfile(path, staged)
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise DownloadError(f"{path} cannot be copied into the lake: {error.strerror}") from error
    progress(staged.stat().st_size, staged.stat().st_size)


def _fetch(url: str, staged: Path, progress: Progress, *, sleep: Callable[[float], None] = time.sleep) -> str | None:
    """Fetch with up to five attempts, each going on where the one before broke off; returns the ETag."""
    import httpx

    staged.unlink(missing_ok=True)
    validator: str | None = None
    for attempt in range(_ATTEMPTS):
        try:
            return _attempt(url, staged, validator, progress)
        except _BrokenOffError as error:
            validator = error.validator
            if attempt + 1 == _ATTEMPTS:
                raise DownloadError(f"{url} broke off {_ATTEMPTS} times ({error}); try again later") from error
        except httpx.HTTPStatusError as error:
            code = error.response.status_code
            if code < 500 and code != 429:
                raise DownloadError(f"{url} answered {code}; check the address") from error
            if attempt + 1 == _ATTEMPTS:
                raise DownloadError(f"{url} answered {code} {_ATTEMPTS} times; try again later") from error
        sleep(2.0**attempt)
    raise DownloadError(f"{url} could not be fetched")


class _BrokenOffError(Exception):
    """A transfer ended early; `validator` lets the next attempt go on."""

    def __init__(self, message: str, validator: str | None) -> None:
        super().__init__(message)
        self.validator = validator


def _attempt(url: str, staged: Path, validator: str | None, progress: Progress) -> str | None:
    import httpx

    done = staged.stat().st_size if staged.exists() and validator else 0
    headers = {"Accept-Encoding": "identity"}
    if done and validator:
        headers |= {"Range": f"bytes={done}-", "If-Range": validator}
    try:
        with httpx.stream("GET", url, headers=headers, timeout=_TIMEOUT_S, follow_redirects=True) as response:
            response.raise_for_status()
            validator = response.headers.get("etag") or response.headers.get("last-modified")
            done = done if response.status_code == 206 else 0
            total = done + int(response.headers.get("content-length", 0))
            with staged.open("ab" if done else "wb") as file:
                for chunk in response.iter_bytes(_CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    progress(done, max(total, done))
    except httpx.TransportError as error:
        raise _BrokenOffError(str(error) or type(error).__name__, validator) from error
    if total and done < total:
        raise _BrokenOffError(f"{done} of {total} bytes", validator)
    return response.headers.get("etag")
