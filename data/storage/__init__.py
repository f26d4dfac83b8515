"""Paths of a lake: on the disk, or in an object store under `s3://`, `gs://` or `az://`.

`place` gives a path that is used like any other. In an object store it is an `ObjectPath`: it writes whole objects,
and whoever asks for its place on the disk (`os.fspath`, as `open` and Polars do) is given a copy in the local cache.
"""

from data.storage import cache, leftovers, objects
from data.storage.address import StorageError, is_remote, place, redacted
from data.storage.path import ObjectPath

__all__ = ["ObjectPath", "StorageError", "cache", "is_remote", "leftovers", "objects", "place", "redacted"]
