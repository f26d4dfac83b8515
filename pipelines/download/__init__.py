"""Bring the files of a source into `lake/raw`, with sidecars that tell where they came from.

The only code that fetches sources. A file appears under its name only when it is whole and its hashes are right.
What the lake has is used without asking anybody: a file from a URL, of a dated dump or of the catalogue stays as it is
until `refresh`, whatever its publisher does meanwhile, so that a run can be repeated. What moves by its name (the
latest dump, a folder or glob of an object store) is asked for again after half a day; local files, folders and
globs are compared by size and time at every run. Where the origin is gone or cannot be reached, the files of the lake
stand in if their hashes are still those recorded, and a note says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from data import files
from data.catalogue import Source
from data.progress import Progress, ignore
from data.storage import redacted
from pipelines.download.errors import BusyError, DownloadError, GoneError, UnavailableError, cannot_write
from pipelines.download.http import Client
from pipelines.download.network import CONTACT, WIKIMEDIA, Clock, Network
from pipelines.download.resolve import items_of, known_items
from pipelines.download.shelf import Item, MismatchError, RawFile, Shelf, hashes
from pipelines.download.work import bring_all

VERSION = 2
_NETWORK, _CLOCK = Network(), Clock()


def note_to_log(line: str) -> None:
    """Say a line that a user should read: a warning of the logger `pipelines.download`."""
    logging.getLogger(__name__).warning("%s", redacted(line))


def known(source: Source, folder: Path, *, clock: Clock = _CLOCK) -> list[RawFile] | None:
    """The files of `source` in order if they are in `folder` and, as far as the disk tells, unchanged; no network."""
    shelf = Shelf(source, folder)
    if source.moves and not shelf.is_fresh(clock.now()):
        return None
    try:
        items = known_items(source, folder)
    except DownloadError:
        return None
    return shelf.listed() if items is None else _held(shelf, items)


def download(
    source: Source,
    folder: Path,
    *,
    network: Network = _NETWORK,
    clock: Clock = _CLOCK,
    progress: Progress = ignore,
    refresh: bool = False,
    by_hand: Path | None = None,
    note: Callable[[str], None] = note_to_log,
) -> list[RawFile]:
    """The files of `source` in `folder`, in order, fetched or copied unless they are there and unchanged.

    `refresh` asks the origin even so; `by_hand` is a file or folder that the user got himself, verified as if it were
    fetched. `progress` counts bytes of all files. Raises DownloadError if a file cannot be had or is not what its
    publisher or the catalogue says.
    """
    wanted = not refresh and by_hand is None
    if wanted and (found := known(source, folder, clock=clock)) is not None:
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Two pipelines may want the same source: the second waits, and then finds it.
        with files.exclusive(folder / ".lock"):
            files.sweep(folder)
            if wanted and (found := known(source, folder, clock=clock)) is not None:
                return found
            client = Client(network, clock, note)
            if source.scheme == "wikipedia" and (network.wikimedia, network.contact) == (WIKIMEDIA, CONTACT):
                note("Wikimedia asks who fetches its dumps: set TEXTMILL_CONTACT to a page or mail address of yours")
            try:
                items = items_of(source, folder, client, by_hand)
                shelf = Shelf(source, folder)
                return bring_all(source, shelf, items, client, progress, refresh=refresh, by_hand=by_hand is not None)
            except UnavailableError as error:
                if by_hand is not None:
                    raise
                return _stand_in(source, folder, error, note)
            finally:
                client.close()
    except OSError as error:
        raise cannot_write(folder, error) from error


def _stand_in(source: Source, folder: Path, error: UnavailableError, note: Callable[[str], None]) -> list[RawFile]:
    """The files of the lake whose origin is gone, if all are there with the hashes recorded. Raises the error else."""
    shelf = Shelf(source, folder)
    found = shelf.listed() or _held_anyway(source, shelf)
    if not found or any(hashes(raw.path, {"sha256"})["sha256"] != raw.sha256 for raw in found):
        raise error
    names = ", ".join(raw.name for raw in found[:3]) + (", …" if len(found) > 3 else "")
    note(f"{error}. Using what the lake has, with the hashes recorded: {names} in {folder}")
    return found


def _held_anyway(source: Source, shelf: Shelf) -> list[RawFile] | None:
    """The files that the source names itself, or the copy of a single local file that is gone."""
    if source.scheme == "file":
        raw = shelf.facts(source.file_name)
        return [raw] if raw is not None and raw.origin == source.location else None
    return _held(shelf, known_items(source, shelf.folder) or [])


def _held(shelf: Shelf, items: list[Item]) -> list[RawFile] | None:
    facts = {entry["path"]: entry for entry in (shelf.listing() or {"files": []})["files"]}
    found = [shelf.holds(item, facts) for item in items]
    whole = [raw for raw in found if raw is not None]
    return whole if items and len(whole) == len(items) else None


__all__ = [
    "VERSION",
    "BusyError",
    "Clock",
    "DownloadError",
    "GoneError",
    "MismatchError",
    "Network",
    "RawFile",
    "UnavailableError",
    "download",
    "known",
]
