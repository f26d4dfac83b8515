"""Of which files a source consists: told by the source itself, by a disk, a dump status file or an object store."""

from __future__ import annotations

from pathlib import Path

from data.catalogue import STORES, Source
from pipelines.download import dumps, places
from pipelines.download.errors import DownloadError
from pipelines.download.http import Client
from pipelines.download.shelf import Item


def known_items(source: Source, folder: Path) -> list[Item] | None:
    """The files as far as nobody need be asked, None where only a listing in the lake can tell."""
    if source.scheme in {"file", "package"}:
        places.refuse_lake(source.path(), folder)
        return places.local_items(source)
    if source.listed:
        return [
            Item(name=file.name, origin=file.url or source.location, checksums=file.checksums, size=file.size)
            for file in source.listed
        ]
    return None


def items_of(source: Source, folder: Path, client: Client, by_hand: Path | None) -> list[Item]:
    """The files of a source. Raises UnavailableError where there are none, DownloadError for what to do by hand."""
    if by_hand is not None:
        return _handed_over(source, by_hand.expanduser(), known_items(source, folder))
    if source.scheme == "hand":
        raise DownloadError(
            f"{source.name} cannot be fetched: {source.by_hand}; "
            f"then `textmill sources get {source.name} --path FILE` (or a folder)"
        )
    items = known_items(source, folder)
    if items is not None:
        return items
    return places.store_items(source) if source.scheme in STORES else dumps.resolve(source.location, client)


def is_loose(source: Source, items: list[Item]) -> bool:
    """Whether the files are listed together, without a sidecar for each: those of folders, which may be many."""
    if source.scheme in {"file", *STORES}:
        return len(items) > 1 or items[0].name != source.file_name
    return source.scheme == "hand"


def is_listed(source: Source, items: list[Item]) -> bool:
    """Whether the lake must remember of which files the source consists."""
    return not source.listed and source.scheme != "package" and (source.is_remote or is_loose(source, items))


def _handed_over(source: Source, path: Path, wanted: list[Item] | None) -> list[Item]:
    """The files at `path` in the place of those that the source names."""
    own = Source(name=source.name, location=str(path.absolute()))
    found = {item.name: item for item in places.local_items(own)}
    if wanted is None or source.scheme == "file":
        return list(found.values())
    if len(wanted) == 1 and len(found) == 1 and not path.is_dir():
        found = {wanted[0].name: next(iter(found.values()))}
    missing = [item.name for item in wanted if item.name not in found]
    if missing:
        raise DownloadError(f"{path} lacks {', '.join(missing)}; {source.name} consists of these files")
    return [
        Item(name=item.name, origin=item.origin, checksums=item.checksums, size=item.size, path=found[item.name].origin)
        for item in wanted
    ]
