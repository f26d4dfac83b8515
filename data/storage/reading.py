"""Read an object like a file: from any place, and no more than is asked for."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from data.storage import objects

if TYPE_CHECKING:
    from data.storage.path import ObjectPath


class Reader(io.RawIOBase):
    """A file over one state of an object: if it is replaced meanwhile, reading on is an error."""

    def __init__(self, path: ObjectPath) -> None:
        self._path, self._facts, self._at = path, objects.facts(path), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._facts.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._facts.size)
        if end <= self._at:
            return 0
        found = objects.get_range(self._path, self._at, end, self._facts.etag)
        memoryview(buffer).cast("B")[: len(found)] = found
        self._at = end
        return len(found)

    def readall(self) -> bytes:
        return self.read(max(0, self._facts.size - self._at)) or b""
