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


def download(
    source: Source, folder: Path, *, progress: Progress = ignore, sleep: Callable[[float], None] = time.sleep
) -> RawFile:
    """The file of `source` in `folder`, fetched or copied unless it is there and its origin unchanged.

    Raises DownloadError if it cannot be had, or if its SHA-256 is not the one of the catalogue.
    """
    if (found := known(source, folder)) is not None:
        return found
    target = folder / source.file_name
    folder.mkdir(parents=True, exist_ok=True)
    # Two pipelines may want the same source: the second waits, and then finds it.
    with files.exclusive(folder / f".{target.name}.lock"):
        if (found := known(source, folder)) is not None:
            return found
        stamp = None if source.is_remote else _stamp(source)
        staged = folder / f".{target.name}.partial"
        etag = _fetch(source.location, staged, progress, sleep=sleep) if source.is_remote else None
        if not source.is_remote:
            _copy(source.path(), staged, progress)
        return _keep(source, staged, target, etag=etag, modified=stamp)


def known(source: Source, folder: Path) -> RawFile | None:
    """The file of `source` if it is in `folder` already and its origin, where it is a local file, is unchanged."""
    target = folder / source.file_name
    try:
        raw = RawFile(**{**files.read_json(_sidecar(target)), "path": target})
        size = target.stat().st_size
    except (OSError, TypeError, files.DamagedFileError):
        return None  # no file, or a sidecar that is none of ours
    if size != raw.bytes or raw.origin != source.location or raw.sha256 != (source.sha256 or raw.sha256):
        return None
    return raw if source.is_remote or raw.modified == _stamp(source) else None


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
    _validator_file(staged).unlink(missing_ok=True)
    try:
        shutil.copyfile(path, staged)
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise DownloadError(f"{path} cannot be copied into the lake: {error.strerror}") from error
    progress(staged.stat().st_size, staged.stat().st_size)


def _fetch(url: str, staged: Path, progress: Progress, *, sleep: Callable[[float], None] = time.sleep) -> str | None:
    """Fetch with up to five attempts, each going on where the one before broke off; returns the ETag.

    What an earlier run left is gone on with as well: the validator of a partial file stands beside it.
    """
    import httpx

    for attempt in range(_ATTEMPTS):
        try:
            etag = _attempt(url, staged, progress)
        except _BrokenOffError as error:
            if attempt + 1 == _ATTEMPTS:
                raise DownloadError(f"{url} broke off {_ATTEMPTS} times ({error}); try again later") from error
        except httpx.HTTPStatusError as error:
            code = error.response.status_code
            if code < 500 and code != 429:
                raise DownloadError(f"{url} answered {code}; check the address") from error
            if attempt + 1 == _ATTEMPTS:
                raise DownloadError(f"{url} answered {code} {_ATTEMPTS} times; try again later") from error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise DownloadError(f"{url} cannot be fetched ({error}); check the address") from error
        except OSError as error:
            raise DownloadError(f"{staged.parent} cannot take {url}: {error.strerror}") from error
        else:
            _validator_file(staged).unlink(missing_ok=True)
            return etag
        sleep(2.0**attempt)
    raise DownloadError(f"{url} could not be fetched")


class _BrokenOffError(Exception):
    """A transfer ended early; what came is kept, and the next attempt goes on."""


def _attempt(url: str, staged: Path, progress: Progress) -> str | None:
    import httpx

    validator = _validator(url, staged)
    done = staged.stat().st_size if validator else 0
    headers = {"Accept-Encoding": "identity"}
    if done and validator:
        headers |= {"Range": f"bytes={done}-", "If-Range": validator}
    try:
        with httpx.stream("GET", url, headers=headers, timeout=_TIMEOUT_S, follow_redirects=True) as response:
            if response.status_code == 416 or (response.status_code == 206 and not _starts_at(response.headers, done)):
                staged.unlink(missing_ok=True)
                raise _BrokenOffError("the server could not go on; starting again")
            response.raise_for_status()
            if response.status_code != 206:
                done = 0
                _remember(url, staged, response.headers)
            return _receive(response, staged, done, progress)
    except httpx.UnsupportedProtocol:
        raise
    except httpx.TransportError as error:
        raise _BrokenOffError(str(error) or type(error).__name__) from error


def _receive(response: Any, staged: Path, done: int, progress: Progress) -> str | None:
    """Append the body as it was sent to what is there; returns the ETag."""
    length = int(response.headers.get("content-length", 0))
    total = done + length
    with staged.open("ab" if done else "wb") as file:
        for chunk in response.iter_raw():  # a chunk size would hold bytes back, lost when the transfer breaks off
            file.write(chunk)
            done += len(chunk)
            progress(done, max(total, done))
    if length and done < total:
        raise _BrokenOffError(f"{done} of {total} bytes")
    etag: str | None = response.headers.get("etag")
    return etag


def _starts_at(headers: Any, done: int) -> bool:
    """Whether a 206 holds the bytes that were asked for."""
    content_range: str = headers.get("content-range", "")
    return done > 0 and content_range.startswith(f"bytes {done}-")


def _validator_file(staged: Path) -> Path:
    return staged.with_name(staged.name + ".json")


def _remember(url: str, staged: Path, headers: Any) -> None:
    """Note what the partial file is part of, before its first byte. RFC 9110: a weak ETag cannot guard a range."""
    etag = headers.get("etag", "")
    strong = etag if etag and not etag.startswith("W/") else headers.get("last-modified")
    staged.unlink(missing_ok=True)
    files.write_json(_validator_file(staged), {"url": url, "validator": strong})


def _validator(url: str, staged: Path) -> str | None:
    """The validator of a partial file of this URL, None where there is nothing to go on with."""
    try:
        note = files.read_json(_validator_file(staged))
    except files.DamagedFileError:
        return None
    if not isinstance(note, dict) or note.get("url") != url or not staged.is_file():
        return None
    found: str | None = note.get("validator")
    return found
