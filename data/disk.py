"""What a disk says that is full, fails or is read-only, in words that help."""

from __future__ import annotations

import errno

from data.errors import TextmillError


class DiskError(TextmillError):
    """The disk is full, fails, or must not be written to."""


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM}
_TAKEN = {
    errno.ENOTDIR: "a file stands where a folder is wanted",
    errno.EEXIST: "a file stands where a folder is wanted",
    errno.EISDIR: "a folder stands where a file is wanted",
}


def told(error: BaseException) -> TextmillError | None:
    """The error as a user should read it: one of ours, or that of a disk. None for a bug."""
    if isinstance(error, TextmillError):
        return error
    if not isinstance(error, OSError):
        return None
    where = f" at {error.filename}" if error.filename else ""
    if error.errno in _FULL:
        return DiskError(f"the disk is full{where}; free some space{_AND_AGAIN}")
    if error.errno in _REFUSED:
        return DiskError(f"the disk refuses to be written{where} ({error.strerror}); make it writable{_AND_AGAIN}")
    if error.errno in _TAKEN:
        place = error.filename2 or error.filename
        return DiskError(f"{_TAKEN[error.errno]}{f' at {place}' if place else ''}; name another place")
    if error.errno == errno.EIO:
        return DiskError(f"the disk failed{where} ({error.strerror}); check it{_AND_AGAIN}")
    return None


_AND_AGAIN = (
    ", or choose another lake with --lake DIR, and run the same command again to go on. What was published is untouched"
)
