"""`datasets diff`."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from data import history
from data.difference import Difference, difference, previous
from data.errors import TextmillError
from data.lake import Lake
from flows import show
from flows.datasets.terminal import table

_VERBS = {"came": Text("+ came", "green"), "gone": Text("- gone", "red"), "changed": Text("~ changed", "yellow")}


def diff(
    root: Path,
    pipeline: str | None,
    which: tuple[str | None, str | None],
    *,
    dataset: str | None,
    limit: int,
    json: bool,
) -> None:
    """Compare two versions, by default those of the last two releases that differ."""
    lake = Lake(root)
    name = history.only_pipeline(lake, pipeline)
    dataset, before, after = _chosen(lake, name, which, dataset)
    manifests = [history.manifest_of(lake, name, dataset, version) for version in (before, after)]
    found = difference(lake, *manifests, limit=limit or None)
    if json:
        show.as_json({"pipeline": name, **found.as_json()})
    else:
        _print(name, found, limit)


def _chosen(
    lake: Lake, pipeline: str, which: tuple[str | None, str | None], dataset: str | None
) -> tuple[str, str, str]:
    """Dataset, older and newer version."""
    before, after = which
    if before is None:
        found = previous(lake, pipeline, dataset or "corpus")
        if found is None:
            raise TextmillError(f"{pipeline} has released one version of {dataset or 'corpus'} only; name two versions")
        return dataset or "corpus", *found
    if history.is_release(before) and (after is None or history.is_release(after)):
        dataset = dataset or "corpus"
    named, old = history.find_version(lake, pipeline, before, dataset or _of(lake, pipeline, after))
    return named, old, history.find_version(lake, pipeline, after, named)[1]


def _of(lake: Lake, pipeline: str, word: str | None) -> str | None:
    """The dataset of a version that is named beside a release."""
    return None if word is None or history.is_release(word) else history.find_version(lake, pipeline, word)[0]


def _print(pipeline: str, found: Difference, limit: int) -> None:
    console = show.console()
    console.print(f"\n[bold]{pipeline}/{found.dataset}[/]  {found.before} → {found.after}", highlight=False)
    counts = ", ".join(f"{found.counts[kind]:,} {kind}" for kind in ("came", "gone", "changed", "same"))
    console.print(f"{counts}; {found.parts['same']:,} parts are the same and were not read\n", highlight=False)
    for kind, title in (("gone", "why they are gone"), ("came", "why they were not there before")):
        if found.reasons[kind]:
            console.print(table({title: "left", "documents": "right"}, found.reasons[kind].items()))
            console.print()
    rows = [
        (_VERBS[kind], one.doc_id, " ".join(part for part in (one.stage, one.reason, one.detail) if part))
        for kind in ("gone", "came", "changed")
        for one in found.changes[kind]
    ]
    if rows:
        console.print(table({"": "left", "document": "fold", "why it is, or was, not there": "fold"}, rows))
    if limit and any(found.counts[kind] > limit for kind in found.changes):
        console.print(f"{limit} of each kind are listed; --limit 0 lists all.", highlight=False)
