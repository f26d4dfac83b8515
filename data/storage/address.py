"""Addresses of object stores: told from paths of a disk, taken apart, and printed without what is secret."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from data.errors import LakeError

SCHEMES = ("s3", "gs", "az")
_REMOTE = re.compile(rf"({'|'.join(SCHEMES)}):/+")
_QUERY = re.compile(
    r"(?i)([?&;][\w.\-]*(?:signature|credential|token|sig|secret|password|access_?key(?:_?id)?|api_?key|auth)=)"
    r"[^\s&;<>\"')]+"
)
_HEADER = re.compile(r"(?i)(authorization[\"']?\s*[=:]\s*)(?:[\w\-]+ )?[^\s;<>\"')]+")
_USER = re.compile(r"(?<=://)[^/@\s]+@")


class StorageError(LakeError):
    """An object store cannot be used as asked; the message says what to do, and holds no credentials."""


class UnreachableError(StorageError):
    """The store does not answer as it should, however often it was asked; a later try may succeed."""


def is_remote(path: str | Path) -> bool:
    """Whether a path is an address in an object store."""
    return _REMOTE.match(str(path)) is not None


def place(path: str | Path) -> Path:
    """The path of a lake from the word of a command line. Raises StorageError for an address that cannot be one."""
    if not is_remote(path):
        return Path(path)
    from data.storage.path import ObjectPath

    text = str(path)
    scheme, _, rest = text.partition(":")
    plain = f"{scheme}://{rest.lstrip('/')}"
    address = urlsplit(plain)
    if address.username or address.password or address.query or "?" in plain or "@" in address.netloc:
        raise StorageError(
            f"the address {redacted(plain)} holds credentials or a query; "
            f"name {scheme}://BUCKET/PREFIX, and give credentials in the environment or a profile"
        )
    if not address.netloc or address.fragment:
        raise StorageError(f"{text} is no address of a lake; name {scheme}://BUCKET/PREFIX")
    return ObjectPath(f"{scheme}:", address.netloc, *filter(None, address.path.split("/")))


def redacted(text: str) -> str:
    """A message without user names, passwords, keys and signatures of addresses and headers."""
    return _HEADER.sub(r"\1…", _QUERY.sub(r"\1…", _USER.sub("…@", text)))
