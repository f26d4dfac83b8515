"""What a lake holds, for comparing lakes: its published bytes, its files, and whether its release can be read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from data.hashing import fingerprint, sha256_file
from data.lake import MANIFEST, RELEASE, Lake

CORPUS = ("documents", "corpus", "rejects", "duplicates", "tokens")
_OF_THE_RUN = {"run", "committed_in_run_started", "published", "seconds", "digest"}
"""What tells when and by which run something was made."""
_LATER = re.compile(r"/_releases(/\d+\.json)?$")
"""The release by its number: what a kill left undone of it, the next release does."""


def content(lake: Path) -> dict[str, str]:
    """The hash of every file, of JSON without times and ids of runs, and every folder: strays show, too."""
    found = [path for path in sorted(lake.rglob("*")) if not _LATER.search(path.as_posix())]
    return {_name(path.relative_to(lake)): _digest(path) if path.is_file() else "folder" for path in found}


def published(lake: Path, pipeline: str) -> dict[str, str]:
    """The hashes of the published files of the corpus datasets."""
    place = Lake(lake)
    release = place.release(pipeline)
    assert release is not None
    files = [path for name in CORPUS for path in place.parts(pipeline, name, release["datasets"][name])]
    return {str(path.relative_to(lake)): sha256_file(path) for path in files}


def differences(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """What is missing, too much or other in a lake."""
    names = sorted(set(found) | set(wanted))
    return [
        f"{name}: {_said(found.get(name), wanted.get(name))}" for name in names if found.get(name) != wanted.get(name)
    ]


def damage(lake: Path, pipeline: str) -> list[str]:
    """What is wrong with the published release: files that its manifests name and that are not as recorded."""
    place = Lake(lake)
    wrong = []
    for dataset, version in (place.release(pipeline) or {"datasets": {}})["datasets"].items():
        manifest = place.manifest(pipeline, dataset, version)
        if manifest is None:
            wrong.append(f"{dataset} {version} has no manifest")
            continue
        for part in manifest["parts"]:
            for file, wanted in ((part["file"], part["sha256"]), (part["rejects_file"], part["rejects_sha256"])):
                if file and sha256_file(place.version(pipeline, dataset, version) / file) != wanted:
                    wrong.append(f"{dataset}/{file}")
    return wrong


def immutable(lake: Path) -> dict[str, str]:
    """The hashes of all files that no run may touch again: versions of datasets and of tokenizers."""
    found = [*(lake / "datasets").glob("*/*/*/**/*"), *(lake / "tokenizers").glob("*/*/*")]
    return {str(path.relative_to(lake)): sha256_file(path) for path in found if path.is_file()}


def lost(lake: Path, before: Path, pipeline: str) -> list[str]:
    """What of a lake as it was before is missing or other now: its files, and its release, by its number at least."""
    found, wanted, release = immutable(lake), immutable(before), Lake(before).release(pipeline)
    wrong = [name for name in wanted if found.get(name) != wanted[name]]
    listed = [each["datasets"] for each in Lake(lake).releases(pipeline)]
    return wrong if release is None or release["datasets"] in listed else [*wrong, f"release {release['number']}"]


def half_visible(lake: Path) -> list[str]:
    """Folders under `datasets` that look like a version and have no manifest."""
    versions = (lake / "datasets").glob("*/*/*")
    return [str(path.relative_to(lake)) for path in versions if path.is_dir() and not (path / MANIFEST).is_file()]


def _name(path: Path) -> str:
    return re.sub(r"\.[0-9a-f]{8}\.tmp$", ".*.tmp", path.as_posix())


def _said(found: str | None, wanted: str | None) -> str:
    return "stray" if wanted is None else "missing" if found is None else "other bytes"


def _digest(path: Path) -> str:
    if path.suffix == ".json" or path.name in {MANIFEST, RELEASE}:
        return fingerprint(_timeless(json.loads(path.read_text("utf-8"))))
    return sha256_file(path)


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if name not in _OF_THE_RUN}
    return [_timeless(one) for one in value] if isinstance(value, list) else value
