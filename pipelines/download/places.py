"""The files of a source that lie on a disk, in an installed package, or in an object store."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from data.catalogue import STORES, Source, glob_base, is_glob
from pipelines.download.errors import DownloadError, UnavailableError, cannot_write
from pipelines.download.shelf import Item

_CHUNK = 1 << 20
_TIMES = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated", "created")


def natural(name: str) -> list[tuple[int, int, str]]:
    """Order of names with numbers in them, the same everywhere: `part2` before `part10`."""
    parts = re.split(r"(\d+)", name)
    return [(1, int(part), part) if part.isdecimal() else (0, 0, part) for part in parts] + [(0, 0, name)]


def refuse_lake(path: Path, folder: Path) -> None:
    """Raise DownloadError where a folder of the lake lies inside the folder to copy."""
    if path.is_dir() and folder.resolve().is_relative_to(path.resolve()):
        raise DownloadError(f"{path} holds the lake itself; name a folder of texts, or choose --lake elsewhere")


def local_items(source: Source) -> list[Item]:
    """The files of a path, folder or glob, in natural order of their names; hidden ones are left out.

    Raises UnavailableError where there is none.
    """
    path = source.path()
    if path.is_dir():
        found = [(_relative(file, path), file) for file in _walk(path)]
    elif is_glob(source.location) and not path.exists():
        found = _globbed(source.location)
    else:
        found = [(source.file_name, path)]
    if not found:
        raise UnavailableError(f"{source.location} holds no file; hidden files do not count")
    return sorted((_local(name, file) for name, file in found), key=lambda item: natural(item.name))


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root) / name for name in names if not name.startswith("."))


def _unreadable(error: OSError) -> None:
    raise DownloadError(f"{error.filename} cannot be read: {error.strerror}") from error


def _globbed(pattern: str) -> list[tuple[str, Path]]:
    import glob

    base = Path(glob_base(pattern) or "/")
    paths = (Path(path) for path in glob.glob(pattern, recursive=True))  # noqa: PTH207 - absolute patterns
    return [(_relative(path, base), path) for path in paths if path.is_file()]


def _relative(path: Path, base: Path) -> str:
    name = path.relative_to(base).as_posix()
    if not name.isprintable():
        raise DownloadError(f"the file name {name!r} cannot be written down; rename the file")
    return name


def _local(name: str, path: Path) -> Item:
    try:
        stat = path.stat()
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}") from error
    stamp = f"{stat.st_size}:{stat.st_mtime_ns}"
    return Item(name=name, origin=str(path), size=stat.st_size, stamp=stamp)


def local_opener(item: Item) -> BinaryIO:
    """The bytes of a local file."""
    return Path(item.path or item.origin).open("rb")


def store(url: str) -> Any:
    """The file system of an object store. Raises DownloadError naming the extra that its driver comes with."""
    import fsspec  # type: ignore[import-untyped]

    scheme = url.partition(":")[0].lower()
    try:
        return fsspec.filesystem(scheme)
    except ImportError as error:
        extra = STORES[scheme]
        raise DownloadError(
            f"{scheme}:// needs a driver ({error}); install it: pip install 'textmill[{extra}]'"
        ) from error


def store_items(source: Source) -> list[Item]:
    """The files of an object, prefix or glob of an object store, in natural order. Raises UnavailableError for none."""
    system, url = store(source.location), source.location
    try:
        with_facts = _store_files(system, url)
    except Exception as error:  # every driver raises what its own library raises
        raise _store_error(url, error) from error
    items = [_stored(system, name, facts) for name, facts in with_facts.items() if not _hidden(name)]
    if not items:
        raise UnavailableError(f"{url} matches no object; check the address")
    return sorted(items, key=lambda item: natural(item.name))


def _store_files(system: Any, url: str) -> dict[str, dict[str, Any]]:
    """Facts of the objects, by their names below what was asked for."""
    path = system._strip_protocol(url)
    if is_glob(path):
        base, found = glob_base(path), system.glob(path, detail=True)
    elif system.isdir(path):
        base, found = path, system.find(path, detail=True)
    else:
        return {path.rsplit("/", 1)[-1]: system.info(path)}
    return {key.removeprefix(base).lstrip("/"): facts for key, facts in found.items() if facts["type"] == "file"}


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _stored(system: Any, name: str, facts: dict[str, Any]) -> Item:
    time = next((str(facts[key]) for key in _TIMES if facts.get(key)), "")
    origin = system.unstrip_protocol(facts["name"])
    return Item(name=name, origin=origin, size=facts["size"], stamp=f"{facts['size']}:{time}")


def _store_error(url: str, error: Exception) -> DownloadError:
    if isinstance(error, DownloadError):
        return error
    if isinstance(error, FileNotFoundError):
        return UnavailableError(f"{url} is not there (any more); check the address")
    return UnavailableError(f"{url} cannot be read ({type(error).__name__}: {error}); check address and credentials")


def store_opener(item: Item) -> BinaryIO:
    """The bytes of an object."""
    return cast("BinaryIO", store(item.origin).open(item.origin, "rb"))


def copy(
    item: Item,
    staged: Path,
    opener: Callable[[Item], BinaryIO],
    told: Callable[[int, int], None],
    *,
    again: Callable[[str, int], bool],
) -> None:
    """Copy the bytes of an item, going on where reading broke off for as long as `again` says so.

    Raises UnavailableError if they cannot be read, DownloadError if not written.
    """
    done = failures = 0
    try:
        with staged.open("wb") as target:
            while True:
                try:
                    for chunk in _chunks(item, opener, done):
                        target.write(chunk)
                        done += len(chunk)
                        told(done, max(item.size or 0, done))
                    return
                except UnavailableError as error:
                    failures += 1
                    if not done or not again(str(error), failures):
                        raise
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise cannot_write(staged.parent, error) from error


def _chunks(item: Item, opener: Callable[[Item], BinaryIO], done: int) -> Iterator[bytes]:
    """The bytes from an offset. Raises UnavailableError, whatever the driver raised."""
    try:
        with opener(item) as source:
            source.seek(done)
            while chunk := source.read(_CHUNK):
                yield chunk
    except Exception as error:
        raise _store_error(item.path or item.origin, error) from error
