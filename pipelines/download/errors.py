"""Why a source could not be brought into the lake."""

from __future__ import annotations

import errno
from pathlib import Path

from data.errors import TextmillError
from data.storage import redacted


class DownloadError(TextmillError):
    """A source could not be brought into the lake; what was there stays as it was.

    The message is without the credentials that an address in it may hold.
    """

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))


class UnavailableError(DownloadError):
    """The place that a source comes from does not give it now; what the lake holds of it may stand in."""


class GoneError(UnavailableError):
    """There is nothing at the address (any more)."""


class BusyError(UnavailableError):
    """The place could not be reached, or was too busy, however often it was asked: a later run may succeed."""


def cannot_write(folder: Path, error: OSError) -> DownloadError:
    """The error of a disk that is full or must not be written to."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DownloadError(f"the disk of {folder} is full; free some space, or choose another lake with --lake DIR")
    return DownloadError(f"{folder} cannot be written ({error.strerror}); choose another lake with --lake DIR")
