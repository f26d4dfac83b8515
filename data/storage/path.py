"""A path in an object store that is used like one on the disk.

It is nothing but its text, `s3://bucket/key`: it can be pickled, compared and printed, and holds no credentials. There
are no folders: making one does nothing, and one is there while an object lies below it. An object is written whole
(`write_bytes`, `data.files`), never opened for writing. What `pathlib` does with a disk gets a copy in the cache.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PosixPath
from typing import IO, Any

from data.storage import objects
from data.storage.address import StorageError


class ObjectPath(PosixPath):
    """An address in an object store, from `data.storage.place`."""

    __slots__ = ()

    @property
    def bucket(self) -> str:
        """Scheme and bucket, as in `s3://bucket`."""
        return f"{self.parts[0]}//{self.parts[1]}"

    @property
    def key(self) -> str:
        """Name of the object in its bucket."""
        return "/".join(self.parts[2:])

    def __str__(self) -> str:
        scheme, *rest = self.parts
        return f"{scheme}//{'/'.join(rest)}"

    def __repr__(self) -> str:
        return f"ObjectPath('{self}')"

    def __fspath__(self) -> str:
        from data.storage import cache

        return str(cache.fetched(self))

    def as_posix(self) -> str:
        return str(self)

    def as_uri(self) -> str:
        return str(self)

    def is_absolute(self) -> bool:
        return True

    def absolute(self) -> ObjectPath:
        return self

    def resolve(self, strict: bool = False) -> ObjectPath:  # noqa: ARG002
        return self

    def expanduser(self) -> ObjectPath:
        return self

    def relative_to(self, *other: Any, **options: Any) -> Path:  # type: ignore[override]
        """The rest of the path below another, as a path of its own that is in no store."""
        return Path(*super().relative_to(*other, **options).parts)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:  # noqa: ARG002
        """Size and time of an object. Raises FileNotFoundError, also for a folder."""
        known = objects.facts(self)
        return os.stat_result((stat.S_IFREG | 0o444, 0, 0, 1, 0, 0, known.size, *(int(known.modified),) * 3))

    def is_file(self, **_: Any) -> bool:
        try:
            objects.facts(self)
        except FileNotFoundError:
            return False
        return True

    def is_dir(self, **_: Any) -> bool:
        return objects.has_any(self)

    def exists(self, **_: Any) -> bool:
        return self.is_file() or self.is_dir()

    def is_symlink(self) -> bool:
        return False

    def iterdir(self) -> Iterator[ObjectPath]:  # type: ignore[override]
        folders, names = objects.children(self)
        yield from (self / name for name in sorted({*folders, *names}))

    def glob(self, pattern: str, **_: Any) -> Iterator[ObjectPath]:  # type: ignore[override]
        """Paths below that fit; parts of the pattern without a wildcard are not listed but looked up."""
        first, _sep, rest = pattern.partition("/")
        if first == "**":
            yield from self.rglob(rest or "*")
        elif not any(sign in first for sign in "*?["):
            found = self / first
            yield from found.glob(rest) if rest else filter(ObjectPath.exists, [found])
        else:
            folders, names = objects.children(self)
            for name in sorted(folders if rest else {*folders, *names}):
                if fnmatchcase(name, first):
                    yield from (self / name).glob(rest) if rest else [self / name]

    def rglob(self, pattern: str, **_: Any) -> Iterator[ObjectPath]:  # type: ignore[override]
        """Objects anywhere below whose last parts fit."""
        for name, _facts in objects.below(self):
            if Path(name).match(pattern):
                yield self / name

    def open(self, mode: str = "r", buffering: int = -1, encoding: str | None = None, *rest: Any) -> IO[Any]:  # type: ignore[override]
        """The object for reading, fetched as it is read. Raises StorageError for any other mode."""
        from data.storage.reading import Reader

        if not set(mode) <= set("rbt"):
            raise StorageError(f"{self} cannot be opened with mode '{mode}': objects are written whole, by data.files")
        reader = io.BufferedReader(Reader(self), buffer_size=buffering if buffering > 1 else 1 << 20)
        return reader if "b" in mode else io.TextIOWrapper(reader, encoding or "utf-8", *rest)

    def read_bytes(self) -> bytes:
        return objects.get(self)[0]

    def read_text(self, encoding: str | None = None, errors: str | None = None, **_: Any) -> str:
        return self.read_bytes().decode(encoding or "utf-8", errors or "strict")

    def write_bytes(self, data: Any) -> int:
        objects.put(self, bytes(data))
        return len(data)

    def write_text(self, data: str, encoding: str | None = None, *_: Any, **__: Any) -> int:
        return self.write_bytes(data.encode(encoding or "utf-8"))

    def mkdir(self, *_: Any, **__: Any) -> None:
        """Nothing: folders are not made."""

    def rmdir(self) -> None:
        """Nothing: a folder is gone with its last object."""

    def unlink(self, missing_ok: bool = False) -> None:
        from data.storage import cache

        if not missing_ok:
            objects.facts(self)
        objects.remove([self])
        cache.drop(self)

    def rename(self, target: Any) -> ObjectPath:
        """Copy the object inside the store, then remove it under its old name: not one step, as on a disk."""
        found = target if isinstance(target, ObjectPath) else type(self)(target)
        objects.copy(self, found)
        objects.remove([self])
        return found

    replace = rename

    def touch(self, *_: Any, **__: Any) -> None:
        raise self._refused("touched")

    def chmod(self, *_: Any, **__: Any) -> None:
        raise self._refused("given rights")

    def hardlink_to(self, *_: Any, **__: Any) -> None:
        raise self._refused("linked; use data.files.link")

    def symlink_to(self, *_: Any, **__: Any) -> None:
        raise self._refused("linked; use data.files.link")

    def _refused(self, what: str) -> StorageError:
        return StorageError(f"{self} is an object and cannot be {what}")
