"""What is done with single objects: read, write whole, write only if nobody else did, copy, list, remove.

An address is an `ObjectPath`. A request that fails is repeated by the client; one whose answer got lost although it
was carried out is told by what is there.
"""

from __future__ import annotations

import mimetypes
import mmap
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.storage.address import StorageError
from data.storage.stores import for_upload, patiently, store

if TYPE_CHECKING:
    from obstore import ObjectMeta, UpdateVersion

    from data.storage.path import ObjectPath

_SINGLE = 256 << 20
"""Bytes of a file that is sent in one request, so that a killed run leaves no half upload behind."""
_RANGE = 16 << 20
_THREADS = 4


@dataclass(frozen=True)
class Facts:
    """What a store says of an object: size in bytes, time of its writing in seconds, and the tag of its content."""

    size: int
    modified: float
    etag: str


def facts(path: ObjectPath) -> Facts:
    """Size, time and tag of an object. Raises FileNotFoundError."""
    return patiently(path, lambda: _facts(store(path.bucket).head(path.key)))


def _facts(meta: Any) -> Facts:
    return Facts(meta["size"], meta["last_modified"].timestamp(), meta["e_tag"] or "")


def get(path: ObjectPath) -> tuple[bytes, UpdateVersion]:
    """Content of a small object, and the state by which `put_if` knows it again. Raises FileNotFoundError."""

    def ask() -> tuple[bytes, UpdateVersion]:
        found = store(path.bucket).get(path.key)
        return bytes(found.bytes()), _state(found.meta)

    return patiently(path, ask)


def _state(meta: ObjectMeta) -> UpdateVersion:
    """Tag and version of an object: S3 and Azure replace by the first, Google by the second alone."""
    found: UpdateVersion = {}
    if tag := meta["e_tag"]:
        found["e_tag"] = tag
    if version := meta["version"]:
        found["version"] = version
    return found


def get_range(path: ObjectPath, start: int, end: int, etag: str) -> memoryview:
    """Bytes `start` to `end`, exclusive, of the object with this tag. Raises StorageError if it was replaced."""
    from obstore.exceptions import PreconditionError

    options: Any = {"range": (start, end), **({"if_match": etag} if etag else {})}
    try:
        found = patiently(path, lambda: memoryview(store(path.bucket).get(path.key, options=options).bytes()))
    except PreconditionError:
        raise StorageError(f"{path} was replaced while it was read; run the same command again") from None
    if len(found) != end - start:
        raise StorageError(f"{path} is cut off: {len(found)} of {end - start} came; run `textmill datasets verify`")
    return found


def fetch(path: ObjectPath, target: Path) -> Facts:
    """Write an object into a local file, in ranges, so that a lost connection costs one of them."""
    known = facts(path)
    starts = range(0, known.size, _RANGE)
    with target.open("wb") as file:
        descriptor = file.fileno()

        def bring(start: int) -> None:
            end = min(start + _RANGE, known.size)
            os.pwrite(descriptor, get_range(path, start, end, known.etag), start)

        if len(starts) < 2:
            list(map(bring, starts))
        else:
            with ThreadPoolExecutor(_THREADS) as pool:
                list(pool.map(bring, starts))
    return known


def put(path: ObjectPath, content: bytes) -> None:
    """Write a small object, whatever was there."""
    client = for_upload(path.bucket, len(content))
    patiently(path, lambda: client.put(path.key, content, attributes=_kind(path), use_multipart=False))


def put_file(path: ObjectPath, source: Path) -> None:
    """Write a local file as an object, whatever was there; a very large one in pieces, which go after an error."""
    patiently(path, partial(_put_file, path, source, source.stat().st_size))


def _put_file(path: ObjectPath, source: Path, size: int) -> None:
    with source.open("rb") as file:
        if size == 0:
            for_upload(path.bucket, 0).put(path.key, b"", attributes=_kind(path), use_multipart=False)
        elif size <= _SINGLE:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                client = for_upload(path.bucket, size)
                client.put(path.key, content, attributes=_kind(path), use_multipart=False)
        else:
            piece = max(_RANGE, size // 9000)
            client = for_upload(path.bucket, piece * _THREADS)
            client.put(
                path.key, file, attributes=_kind(path), use_multipart=True, chunk_size=piece, max_concurrency=_THREADS
            )


def put_if(path: ObjectPath, content: bytes, state: UpdateVersion | None) -> bool:
    """Write an object if it is in this state (None: if there is none); tells whether this content is there now."""
    from obstore.exceptions import AlreadyExistsError, PreconditionError

    mode: Any = "create" if state is None else state
    client = for_upload(path.bucket, len(content))
    try:
        patiently(path, lambda: client.put(path.key, content, mode=mode, attributes=_kind(path)))
    except (AlreadyExistsError, PreconditionError):
        return _is_there(path, content)
    except FileNotFoundError:
        return False  # what was to be replaced is gone
    except StorageError:
        if not _is_there(path, content):
            raise
    return True


def _is_there(path: ObjectPath, content: bytes) -> bool:
    try:
        return get(path)[0] == content
    except FileNotFoundError:
        return False


def copy(source: ObjectPath, target: ObjectPath) -> None:
    """Copy an object inside the store; between two buckets through this machine. Raises FileNotFoundError."""
    if source.bucket != target.bucket:
        put_file(target, Path(os.fspath(source)))
        return
    patiently(source, lambda: store(source.bucket).copy(source.key, target.key))


def remove(paths: Iterable[ObjectPath]) -> None:
    """Remove objects; one that is gone already does no harm."""
    by_bucket: dict[str, list[str]] = {}
    for path in paths:
        by_bucket.setdefault(path.bucket, []).append(path.key)
    for bucket, keys in by_bucket.items():
        try:
            patiently(bucket, partial(_delete, bucket, keys))
        except FileNotFoundError:  # where a store takes one after the other, that was the last it looked at
            for key in keys:
                with suppress(FileNotFoundError):
                    patiently(bucket, partial(_delete, bucket, [key]))


def _delete(bucket: str, keys: list[str]) -> None:
    if keys:
        store(bucket).delete(keys)


def children(folder: ObjectPath) -> tuple[list[str], list[str]]:
    """Names of the folders and of the objects directly below a folder, each sorted."""
    found = patiently(folder, lambda: store(folder.bucket).list_with_delimiter(folder.key or None))
    folders = sorted(str(one).rstrip("/").rsplit("/", 1)[-1] for one in found["common_prefixes"])
    return folders, sorted(one["path"].rsplit("/", 1)[-1] for one in found["objects"])


def below(folder: ObjectPath) -> Iterator[tuple[str, Facts]]:
    """Every object below a folder: its path relative to the folder, and its facts, in the order of names."""
    start = f"{folder.key}/" if folder.key else ""
    found = patiently(folder, lambda: [one for batch in store(folder.bucket).list(folder.key or None) for one in batch])
    for one in sorted(found, key=lambda meta: meta["path"]):
        yield one["path"].removeprefix(start), _facts(one)


def has_any(folder: ObjectPath) -> bool:
    """Whether a folder holds an object."""

    def ask() -> bool:
        return any(True for batch in store(folder.bucket).list(folder.key or None, chunk_size=1) for _ in batch)

    return patiently(folder, ask)


def _kind(path: ObjectPath) -> Any:
    """The type of a page or picture, so that a browser shows it."""
    kind, coding = mimetypes.guess_type(path.name)
    return {"Content-Type": kind} if kind and not coding else None
