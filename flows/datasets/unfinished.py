"""Trainings that are under way, or were killed, while a document is taken out: what they are told and left with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from data.abandoned import SEARCH
from data.forgotten import DONE, Tombstone
from data.lake import Lake
from data.retention import Model
from data.underway import Underway, underway

Row = dict[str, Any]


def as_models(lake: Lake) -> dict[Model, Mapping[str, Any]]:
    """Cards of what would be models, by name and folder, so that they are traced as models are."""
    return {
        (one.model, one.folder.name): {"kind": "training", "training_key": "", "lineage": one.lineage}
        for one in underway(lake)
        if one.model
    }


def row(found: Mapping[str, Any]) -> Row:
    """What the record says of a training, from the row of a model."""
    return {"training": found["version"], **{name: found[name] for name in ("model", "ids", "through")}}


def erase(lake: Lake, read: list[Row]) -> dict[str, list[Row]]:
    """Remove the tokens and weights of those that read the documents and at which no process is.

    Those of which nothing tells what they read are left, and told as `trainings` as well.
    """
    named = {one["training"] for one in read if "ids" in one}
    mine = [one for one in underway(lake) if one.folder.name in named]
    gone = [_as_row(one) for one in mine if one.erase(lake)]
    return {"trainings_removed": gone, "trainings": [_as_row(one) for one in underway(lake) if not one.model]}


def _as_row(one: Underway) -> Row:
    return {"training": one.folder.name, **({"model": one.model} if one.model else {})}


def lines(lake: Lake, stone: Tombstone) -> Iterator[str]:
    """What to say of them, of each once."""
    gone = {one["training"]: one["model"] for one in stone.found.get("trainings_removed", ())}
    left = {one.folder.name: one for one in underway(lake)}
    for name in dict.fromkeys(told["training"] for told in stone.found.get("trainings", ())):
        folder = lake.trainings / name
        if name in gone and name.startswith(SEARCH):
            yield f"removed  tokens and weights in {folder}, of a search for {gone[name]}"
        elif name in gone:
            yield f"removed  {folder}, of a training of {gone[name]} that was killed"
        elif name in left:
            yield _left(lake, left[name], rewritten=stone.rewriting == DONE)


def _left(lake: Lake, one: Underway, *, rewritten: bool) -> str:
    if not one.model:
        return (
            f"look there yourself: {one.folder} may hold its tokens, of a training that is under way or was killed; "
            "`textmill datasets gc --grace 0s` removes it"
        )
    if one.at_work(lake):
        return _at_work(one, f"repeat this command, which removes its tokens from {one.folder}" if rewritten else "")
    how = "repeat this command, which" if rewritten else "--rewrite"
    of = f"search for {one.model}" if one.is_search else f"training of {one.model} that was killed"
    return f"{one.folder} holds its tokens, of a {of}: {how} removes them"


def _at_work(one: Underway, then: str) -> str:
    if one.is_search:
        return f"a search for {one.model} reads it: its results stay{f'. When it has ended, {then}' if then else ''}"
    again = f"Stop it, start it again, and {then}" if then else "Stop it and start it again"
    return f"{one.model} is being trained and reads it: nothing will be registered. {again}"
