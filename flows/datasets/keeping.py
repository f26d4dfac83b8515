"""`datasets pin`, `unpin` and `gc`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data import abandoned, history, pins, retention
from data.lake import BusyError, Lake
from data.retention import Decision, Model, Policy
from flows import show
from flows.datasets.terminal import cards, span, table
from flows.listen import amount


def pin(root: Path, pipeline: str | None, name: str | None, version: str | None, *, note: str, json: bool) -> None:
    """Keep a version or a release; without a name, list the pins."""
    lake = Lake(root)
    home = history.only_pipeline(lake, pipeline)
    if name is None:
        _list(lake, home, json=json)
        return
    lake.check_writable()
    dataset, found = _meant(lake, home, name, version)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    made = pins.pin(lake, home, dataset, found, note=note, when=when)
    if json:
        show.as_json({"pipeline": home, **asdict(made)})
    else:
        undo = f"textmill datasets unpin {dataset} {found}"
        show.console().print(f"{home}: {dataset} {found} stays until `{undo}`.", highlight=False, soft_wrap=True)


def unpin(root: Path, pipeline: str | None, name: str, version: str | None, *, json: bool) -> None:
    """Let gc have a version again."""
    lake = Lake(root)
    home = history.only_pipeline(lake, pipeline)
    lake.check_writable()
    dataset, found = _meant(lake, home, name, version)
    pins.unpin(lake, home, dataset, found)
    if json:
        show.as_json({"pipeline": home, "dataset": dataset, "version": found, "pinned": False})
    else:
        show.console().print(f"{home}: {dataset} {found} is not pinned any more.", highlight=False)


def _meant(lake: Lake, pipeline: str, name: str, version: str | None) -> tuple[str, str]:
    """Dataset and version, or `release` and its number as r3."""
    if name != pins.RELEASE:
        return history.find_version(lake, pipeline, version, name)
    if version is None:
        return pins.RELEASE, f"r{(lake.release(pipeline) or {}).get('number', 0)}"
    number = int(version[1:]) if history.is_release(version) else -1
    return pins.RELEASE, f"r{history.release_of(lake, pipeline, number)['number']}"


def _list(lake: Lake, pipeline: str, *, json: bool) -> None:
    found = pins.pins(lake, pipeline)
    if json:
        show.as_json([{"pipeline": pipeline, **asdict(one)} for one in found])
    elif not found:
        show.console().print(
            f"nothing of {pipeline} is pinned; `textmill datasets pin corpus --note WHY` pins its corpus"
        )
    else:
        rows = [(one.dataset, one.version, one.when, one.note) for one in found]
        columns = {"dataset": "left", "version": "left", "since": "left", "note": "fold"}
        show.console().print(table(columns, rows))


def gc(root: Path, pipeline: str | None, *, keep: int, grace: str, dry_run: bool, json: bool) -> None:
    """Remove what nothing needs, of one pipeline or of all; with all of them also what killed trainings left."""
    lake, policy, now = Lake(root), Policy(keep=keep, grace=span(grace)), datetime.now(UTC)
    names = [history.only_pipeline(lake, pipeline)] if pipeline else lake.pipelines()
    if names and not dry_run:
        lake.check_writable()
    done, busy = [], []
    for name in names:
        try:
            done.append(_collect(lake, name, policy, now, dry_run=dry_run))
        except BusyError:
            if pipeline:
                raise
            busy.append(name)
    trainings = {} if pipeline else _trainings(lake, policy, now, dry_run=dry_run)
    if json:
        show.as_json({"dry_run": dry_run, "pipelines": done, "busy": busy, "trainings": trainings})
        return
    for one in done:
        _print(one, dry_run=dry_run)
    for name in busy:
        show.console().print(
            f"\n[bold]{name}[/]\na run is working on it; `textmill datasets gc --pipeline {name}` after it"
        )
    if trainings.get("removed"):
        verb = "would come free" if dry_run else "are free again"
        size = amount(trainings["freed"], 0, "B")
        show.console().print(
            f"\n{len(trainings['removed'])} trainings that were killed and not gone on with: {size} {verb}.",
            highlight=False,
        )
    if not names:
        show.console().print(f"nothing is published in {root}")


def _trainings(lake: Lake, policy: Policy, now: datetime, *, dry_run: bool) -> dict[str, Any]:
    """Sweep trainings that were killed before the grace period and never gone on with."""
    sizes = {path: retention.freed([path]) for path in abandoned.abandoned(lake, grace=policy.grace, now=now)}
    gone = list(sizes) if dry_run else abandoned.sweep(lake, grace=policy.grace, now=now)
    return {"removed": [str(path) for path in gone], "freed": sum(sizes.get(path, 0) for path in gone)}


def _collect(lake: Lake, pipeline: str, policy: Policy, now: datetime, *, dry_run: bool) -> dict[str, Any]:
    if dry_run:
        return _swept(lake, pipeline, policy, now, dry_run=True)
    # A run may be about to link parts of an old version, and a person about to pin one.
    with lake.lock(pipeline, wait=False), pins.held(lake, pipeline):
        return _swept(lake, pipeline, policy, now, dry_run=False)


def _swept(lake: Lake, pipeline: str, policy: Policy, now: datetime, *, dry_run: bool) -> dict[str, Any]:
    models = cards(lake)
    decisions = retention.decide(lake, pipeline, policy, now=now, models=models, wanted=_in_use(lake, models))
    gone = [one for one in decisions if not one.stays]
    folders = [lake.version(*one.version.key) for one in gone]
    remains = retention.remains(lake, pipeline, grace=policy.grace, now=now)
    freed = retention.freed([*folders, *remains])
    for folder in () if dry_run else (*folders, *remains):
        retention.remove(folder)
    return {
        "pipeline": pipeline,
        "removed": [_row(one) for one in gone],
        "kept": [_row(one) for one in decisions if one.stays],
        "remains": [str(path) for path in remains],
        "freed": freed,
    }


def _row(one: Decision) -> dict[str, Any]:
    version = one.version
    return {
        "dataset": version.dataset,
        "version": version.version,
        "bytes": version.bytes,
        "releases": [f"r{number}" for number in version.releases],
        "reasons": list(one.reasons),
    }


def _in_use(lake: Lake, models: dict[Model, Any]) -> list[Model]:
    """Champions, and the versions that a rollback would make champions."""
    from models.registry import CHAMPION, Registry

    registry = Registry(lake.models)
    found = []
    for name in dict.fromkeys(name for name, _ in models):
        found += [(name, version) for version in registry.stack(name, CHAMPION)[-2:]]
    return found


def _kind(reason: str) -> str:
    """A reason without the name of the version or model that it comes from."""
    for end, kind in (("was made from it", "a kept version"), ("was trained on it", "a kept model")):
        if reason.endswith(end):
            return f"{kind} {end}"
    return reason


def _print(done: dict[str, Any], *, dry_run: bool) -> None:
    console = show.console()
    gone = [
        (one["dataset"], one["version"], ", ".join(one["releases"]) or "none", amount(one["bytes"], 0, "B"))
        for one in done["removed"]
    ]
    console.print(f"\n[bold]{done['pipeline']}[/]")
    if gone:
        columns = {
            "removed" if not dry_run else "would be removed": "left",
            "version": "left",
            "was in": "left",
            "size": "right",
        }
        console.print(table(columns, gone), "")
    why: dict[str, int] = {}
    for one in done["kept"]:
        reason = _kind(one["reasons"][0])
        why[reason] = why.get(reason, 0) + 1
    if why:
        console.print(table({"kept because": "fold", "versions": "right"}, sorted(why.items())), "")
    verb = "would come free" if dry_run else "are free again"
    shared = "; files that a kept version shares stay" if gone else ""
    remains = f", and the remains of {len(done['remains'])} more" if done["remains"] else ""
    console.print(f"{len(gone)} versions{remains}: {amount(done['freed'], 0, 'B')} {verb}{shared}.", highlight=False)
