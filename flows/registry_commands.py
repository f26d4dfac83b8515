"""`textmill models promote` and `export`: move an alias by evidence or by hand, copy an artefact out of the lake."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.errors import TextmillError
from data.lake import Lake
from flows import show
from models.registry import CARD, ModelVersion, Registry

_LOWER_IS_BETTER = ("loss", "perplexity", "nll", "elbo")


def promote(root: Path, name: str, which: str, *, alias: str, because: str | None) -> None:
    """Point an alias to a version that is better on the same held-out rows, or for a reason that a person gives.

    Raises TextmillError where neither is there.
    """
    registry = Registry(Lake(root).models)
    version, before = registry.load(name, which), registry.alias(name, alias)
    if version.version == before:
        show.console().print(f"{name}@{alias} is {before} already.")
        return
    held = registry.load(name, before) if before else None
    evidence = {"by_hand": because} if because else evidence_for(version, held)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    registry.promote(name, alias, version.version, expected=before, evidence=evidence, when=when)
    show.console().print(f"{name}@{alias} is {version.version} now (before: {before or 'none'}).", highlight=False)


def evidence_for(version: ModelVersion, before: ModelVersion | None) -> dict[str, Any]:
    """Why a version may take the place of another: its score's interval lies on the better side of the other's score.

    Raises TextmillError where it does not, where the two were not scored on the same rows, and where there is none to
    compare with: then it takes a person's reason.
    """
    by_hand = "give your reason with --because to promote it all the same"
    if before is None:
        raise TextmillError(f"{version.name} has no version to compare {version.version} with; {by_hand}")
    pair = _comparable(version, before)
    if pair is None:
        raise TextmillError(
            f"{version.version} and {before.version} of {version.name} were not scored on the same rows; {by_hand}"
        )
    ours, theirs = pair
    lower = any(word in ours["metric"] for word in _LOWER_IS_BETTER)
    better = ours["ci_high"] < theirs["value"] if lower else ours["ci_low"] > theirs["value"]
    told = f"{ours['metric']} {ours['value']:.4g} ({ours['ci_low']:.4g} to {ours['ci_high']:.4g})"
    if not better:
        raise TextmillError(
            f"{version.version} of {version.name} is not surely better than {before.version}: {told} against "
            f"{theirs['value']:.4g}; {by_hand}"
        )
    return {"against": before.version, "metric": ours["metric"], "ours": dict(ours), "theirs": dict(theirs)}


def export(root: Path, name: str, which: str, target: Path) -> None:
    """Copy the files of a version, checked against their hashes, into a new folder. Raises TextmillError."""
    version = Registry(Lake(root).models).load(name, which)
    if target.exists() and any(target.iterdir()):
        raise TextmillError(f"{target} is not empty; name a new folder")
    target.mkdir(parents=True, exist_ok=True)
    for file in (*version.card["files"], CARD):
        place = target / file
        place.parent.mkdir(parents=True, exist_ok=True)
        source = version.path / file
        if source.exists():
            shutil.copyfile(source, place)
    show.console().print(f"{name} {version.version} is in {target}.", soft_wrap=True, highlight=False)


def _comparable(version: ModelVersion, before: ModelVersion) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """The first score of a card that the other one has for the same rows, and that of the other: a card begins with
    what counts most (perplexity, F1)."""
    theirs = {_rows(before, score): score for score in before.card.get("metrics") or ()}
    ours = version.card.get("metrics") or ()
    return next(((score, theirs[_rows(version, score)]) for score in ours if _rows(version, score) in theirs), None)


def _rows(version: ModelVersion, score: Mapping[str, Any]) -> str:
    """What a score was measured on: the data, the split, and the number of rows; not what the training began with."""
    lineage = {name: value for name, value in version.card["lineage"].items() if name != "start"}
    return json.dumps([lineage, score["metric"], score["split"], score["n"]], sort_keys=True)
