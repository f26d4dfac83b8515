"""Bring the files that the lake lacks: several at a time from a network, one by one from a disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from data.catalogue import STORES, Source
from data.progress import Progress
from pipelines.download import places
from pipelines.download.errors import DownloadError
from pipelines.download.http import Client, Fetched, Told
from pipelines.download.resolve import is_listed, is_loose
from pipelines.download.shelf import Item, MismatchError, RawFile, Shelf


class Meter:
    """Bytes of all files together, for one listener; the files may be told of by several threads."""

    def __init__(self, progress: Progress, sizes: Mapping[str, int]) -> None:
        self._progress, self._lock = progress, Lock()
        self._done, self._sizes = dict.fromkeys(sizes, 0), dict(sizes)
        self._all_done, self._all = 0, sum(sizes.values())

    def of(self, name: str) -> Told:
        """What the transfer of one file tells."""

        def told(done: int, total: int) -> None:
            with self._lock:
                size = max(done, total, self._sizes[name])
                self._all_done += done - self._done[name]
                self._all += size - self._sizes[name]
                self._done[name], self._sizes[name] = done, size
                self._progress(self._all_done, self._all)

        return told


def bring_all(
    source: Source, shelf: Shelf, items: list[Item], client: Client, progress: Progress, *, refresh: bool, by_hand: bool
) -> list[RawFile]:
    """The files of the items, in their order, fetched where the lake lacks them or `refresh` asks for them."""
    facts = {entry["path"]: entry for entry in (shelf.listing() or {"files": []})["files"]}
    held = {} if by_hand else {item.name: raw for item in items if (raw := shelf.holds(item, facts))}
    wanted = [item for item in items if item.name not in held or (refresh and _may_have_changed(item))]
    _check_space(source, shelf, [item for item in wanted if item.name not in held])
    meter = Meter(progress, {item.name: item.size or 0 for item in wanted})
    loose = is_loose(source, items)

    def bring(item: Item) -> RawFile:
        if is_near(item):
            return _copy(shelf, item, client, meter.of(item.name), loose=loose)
        return _fetch(shelf, item, client, meter.of(item.name), held.get(item.name))

    fetched = {raw.name: raw for raw in _each(bring, wanted, client)}
    found = [fetched.get(item.name) or held[item.name] for item in items]
    if is_listed(source, items):
        shelf.list_files(found, client.clock.now())
    return found


def _may_have_changed(item: Item) -> bool:
    """Whether only its server can tell if a file is still the same: no checksum pins it, no stamp was compared."""
    return not item.checksums and item.stamp is None


def is_near(item: Item) -> bool:
    """Whether a file is copied from a disk or an object store, not fetched from a URL."""
    return item.path is not None or not item.origin.startswith(("http://", "https://"))


def _each(bring: Callable[[Item], RawFile], items: list[Item], client: Client) -> list[RawFile]:
    if len(items) < 2 or is_near(items[0]):
        return [bring(item) for item in items]
    with ThreadPoolExecutor(client.network.connections) as pool:
        futures = [pool.submit(bring, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            client.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _copy(shelf: Shelf, item: Item, client: Client, told: Told, *, loose: bool) -> RawFile:
    def again(why: str, failures: int) -> bool:
        if failures < client.network.attempts:
            client.wait(why, failures)
        return failures < client.network.attempts

    is_store = item.path is None and item.origin.partition(":")[0] in STORES
    staged = shelf.staged(item)
    staged.parent.mkdir(parents=True, exist_ok=True)
    places.copy(item, staged, places.store_opener if is_store else places.local_opener, told, again=again)
    return shelf.keep(item, loose=loose)


def _fetch(shelf: Shelf, item: Item, client: Client, told: Told, held: RawFile | None) -> RawFile:
    staged = shelf.staged(item)
    said = Fetched(etag=held.etag, modified=held.modified) if held else None
    fetched = client.fetch(item.origin, staged, told, known=said)
    if held is not None and not fetched.changed:
        return held
    try:
        return shelf.keep(item, etag=fetched.etag, modified=fetched.modified)
    except MismatchError:
        if not fetched.resumed:
            raise
    fetched = client.fetch(item.origin, staged, told)  # its pieces may not have belonged together: once more, whole
    return shelf.keep(item, etag=fetched.etag, modified=fetched.modified)


def _check_space(source: Source, shelf: Shelf, items: list[Item]) -> None:
    """Raise DownloadError if the disk cannot take what is to come."""
    there = (path.stat().st_size for item in items if (path := shelf.staged(item)).is_file())
    need = sum(item.size or 0 for item in items) - sum(there)
    free = shutil.disk_usage(shelf.place).free
    if need > free:
        raise DownloadError(
            f"{source.name} needs {need / 1e9:,.1f} GB, and the disk of {shelf.place} has {free / 1e9:,.1f} GB free; "
            "free some space, or choose another lake with --lake DIR"
        )
