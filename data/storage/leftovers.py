"""What killed runs left of half-built versions in an object store, where any machine may be building them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from data.storage import objects
from data.storage.objects import Facts
from data.storage.path import ObjectPath


def remove(pipeline: Path, manifest: str, grace: timedelta) -> None:
    """Remove objects below `<dataset>/<version>/` that no manifest names, if all there are older than `grace`."""
    if not isinstance(pipeline, ObjectPath):
        return
    every = list(objects.below(pipeline))
    # The clock is that of the store: its latest object, such as the release that was just put, is of now.
    limit = max((facts.modified for _, facts in every), default=0.0) - grace.total_seconds()
    found = ((name.split("/", 2), facts) for name, facts in every if name.count("/") >= 2)
    listed = [(tuple(parts[:2]), parts[2], facts) for parts, facts in found]
    for (dataset, version), group in groupby(listed, key=lambda each: each[0]):
        folder, held = pipeline / dataset / version, [(name, facts) for _, name, facts in group]
        objects.remove(folder / name for name in _strays(folder, manifest, held, limit))


def _strays(folder: ObjectPath, manifest: str, held: list[tuple[str, Facts]], limit: float) -> Iterator[str]:
    names = [name for name, _ in held]
    if manifest in names:
        content: dict[str, Any] = json.loads((folder / manifest).read_bytes())
        parts = content.get("parts", [])
        wanted = {manifest} | {part["file"] for part in parts} | {part["rejects_file"] for part in parts}
        names = [name for name in names if name not in wanted and not name.startswith("_manifest")]
    strays = {name: facts for name, facts in held if name in names}
    if all(facts.modified <= limit for facts in strays.values()):
        yield from strays
