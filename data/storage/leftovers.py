"""What killed runs left of half-built versions in an object store, where any machine may be building them.

What this machine puts is noted on its disk: once a version is published, its own leftovers there are of no use to
anybody, and no process of this machine is at them. Those of others wait for a grace period.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from data.storage import cache, objects
from data.storage.objects import Facts
from data.storage.path import ObjectPath


def note(pipeline: Path, name: str) -> None:
    """Remember on this disk that this machine puts an object, `<dataset>/<version>/…`."""
    if isinstance(pipeline, ObjectPath):
        with _notes(pipeline).open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")


def _notes(pipeline: ObjectPath) -> Path:
    return cache.folder_of(pipeline, "put") / "names.txt"


def _mine(pipeline: ObjectPath) -> set[str]:
    try:
        return set(_notes(pipeline).read_text("utf-8").splitlines())
    except FileNotFoundError:
        return set()


def remove(pipeline: Path, manifest: str, grace: timedelta) -> None:
    """Remove objects below `<dataset>/<version>/` that no manifest names, if all there are older than `grace`.

    Where there is a manifest, those that this machine put go at once; no other process of it may be at the pipeline.
    """
    if not isinstance(pipeline, ObjectPath):
        return
    every, mine = list(objects.below(pipeline)), _mine(pipeline)
    # The clock is that of the store: its latest object, such as the release that was just put, is of now.
    limit = max((facts.modified for _, facts in every), default=0.0) - grace.total_seconds()
    found = ((name.split("/", 2), facts) for name, facts in every if name.count("/") >= 2)
    listed = [(tuple(parts[:2]), parts[2], facts) for parts, facts in found]
    for (dataset, version), group in groupby(listed, key=lambda each: each[0]):
        folder, held = pipeline / dataset / version, [(name, facts) for _, name, facts in group]
        own = {name for name, _ in held if f"{dataset}/{version}/{name}" in mine}
        objects.remove(folder / name for name in _strays(folder, manifest, held, own, limit))
        if any(name == manifest for name, _ in held):
            mine -= {f"{dataset}/{version}/{name}" for name in own}
    left = sorted(mine & {name for name, _ in every})
    _notes(pipeline).write_text("".join(f"{name}\n" for name in left), "utf-8")


def _strays(
    folder: ObjectPath, manifest: str, held: list[tuple[str, Facts]], own: set[str], limit: float
) -> Iterator[str]:
    names = [name for name, _ in held]
    if manifest in names:
        content: dict[str, Any] = json.loads((folder / manifest).read_bytes())
        parts = content.get("parts", [])
        wanted = {manifest} | {part["file"] for part in parts} | {part["rejects_file"] for part in parts}
        names = [name for name in names if name not in wanted and not name.startswith("_manifest")]
        yield from (name for name in names if name in own)
        names = [name for name in names if name not in own]
    strays = {name: facts for name, facts in held if name in names}
    if all(facts.modified <= limit for facts in strays.values()):
        yield from strays
