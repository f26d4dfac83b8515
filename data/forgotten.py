"""Documents that were taken out: tombstones that name ids and a reason, and never hold text.

One sealed file for the whole lake, `_forgotten.json`. What stands in it is part of the versions of every pipeline whose
sources may hold the document, so a document stays out of whatever is made later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from data import files
from data.lake import Lake, LakeError
from data.sealing import is_intact, seal

FORGOTTEN = "_forgotten.json"
REASON = "forgotten"
"""Reason of the reject that a forgotten document leaves."""
_FORMAT = 1
ASKED, DONE = "asked", "done"


@dataclass(frozen=True, kw_only=True)
class Tombstone:
    """Ids that stay out, of one pipeline or of all. `when` is a UTC time in ISO 8601.

    `rewriting` is None, `asked` until the text is out of versions and raw files, then `done`. `found` tells what was
    made of the documents: models that were trained on them, reports that showed them, files that were rewritten.
    """

    ids: tuple[str, ...]
    reason: str
    when: str
    pipeline: str | None = None
    rewriting: str | None = None
    found: Mapping[str, Any] = field(default_factory=dict)

    def applies(self, pipeline: str) -> bool:
        """Whether the ids stay out of a pipeline."""
        return self.pipeline in {None, pipeline}


def tombstones(lake: Lake) -> list[Tombstone]:
    """All tombstones, oldest first. Raises LakeError where their file is damaged or of a later format."""
    path = lake.root / FORGOTTEN
    try:
        return _parsed(path, path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _parsed(path: Path, content: bytes | None) -> list[Tombstone]:
    if content is None:
        return []
    try:
        found = files.parsed(path, content)
    except files.DamagedFileError as error:
        raise _damaged(path) from error
    if found.get("format") != _FORMAT:
        raise LakeError(f"{path} has format {found.get('format')}, this textmill knows {_FORMAT}; install a newer one")
    if not is_intact(found):
        raise _damaged(path)
    return [Tombstone(**{**one, "ids": tuple(one["ids"])}) for one in found["tombstones"]]


def _damaged(path: Path) -> LakeError:
    return LakeError(
        f"{path} is damaged, and says which documents must stay out; restore it from a copy, do not remove it"
    )


def forgotten(lake: Lake, pipeline: str) -> tuple[str, ...]:
    """Ids that stay out of a pipeline, sorted."""
    return tuple(sorted({one for stone in tombstones(lake) if stone.applies(pipeline) for one in stone.ids}))


def learnt(lake: Lake) -> dict[tuple[str, str], list[str]]:
    """Forgotten ids that a model (name, version) was trained on, as was found when they were forgotten, sorted."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in (row for stone in tombstones(lake) for row in stone.found.get("models", ())):
        found.setdefault((row["model"], row["version"]), set()).update(row["ids"])
    return {model: sorted(ids) for model, ids in found.items()}


def of_sources(ids: Iterable[str], sources: Collection[str] | None) -> tuple[str, ...]:
    """Those of the ids that begin with the name of one of the sources; all where the sources are not known."""
    return tuple(one for one in ids if sources is None or one.partition(":")[0] in sources)


def add(lake: Lake, stone: Tombstone) -> Tombstone:
    """Write a tombstone; the same ids of the same pipeline are told anew, what was found of them is kept."""
    path = lake.root / FORGOTTEN

    def added(before: bytes | None) -> bytes:
        content = [asdict(one) for one in _with(_parsed(path, before), stone)]
        return files.json_bytes(seal({"format": _FORMAT, "tombstones": content}))

    written = _parsed(path, files.change(path, added))
    return next(one for one in written if _same(one, stone))


def _with(found: list[Tombstone], stone: Tombstone) -> list[Tombstone]:
    place = next((number for number, one in enumerate(found) if _same(one, stone)), None)
    if place is None:
        return [*found, stone]
    same = found[place]
    rewriting = stone.rewriting or same.rewriting
    merged = replace(same, rewriting=rewriting, found=_merged(same.found, stone.found))
    return [*found[:place], merged, *found[place + 1 :]]


def _same(one: Tombstone, other: Tombstone) -> bool:
    return (one.ids, one.pipeline) == (other.ids, other.pipeline)


def _merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What was found then and now, each once."""
    names = dict.fromkeys([*before, *after])
    return {
        name: [*before.get(name, []), *(one for one in after.get(name, []) if one not in before.get(name, []))]
        for name in names
    }
