"""A training is done once, registered with its card, and one that was killed goes on from its checkpoint."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data import underway
from data.abandoned import lock_of
from data.errors import TextmillError
from data.progress import Progress, ignore
from flows.mirroring.following import follow
from flows.mirroring.live import Training, shown
from flows.training.order import Order
from flows.training.published import Published
from flows.training.rows import Rows
from flows.training.work import Listeners, Work, work_of
from models import card, fitting
from models.registry import CANDIDATE, ModelVersion, Registry
from models.training import Watcher, unwatched
from pipelines import training_page
from pipelines.training_page import TrainingPage

REPORT = "report.html"


@dataclass(frozen=True)
class Result:
    """A registered training; `reused` tells that it was done before."""

    model: str
    version: str
    reused: bool
    path: Path
    record: Mapping[str, Any]
    scores: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, found: ModelVersion, *, reused: bool) -> Result:
        """The result that a registered version stands for."""
        record = _read(found.path / fitting.HISTORY) if (found.path / fitting.HISTORY).exists() else {}
        return cls(found.name, found.version, reused, found.path, record, tuple(found.card["metrics"]))


def run(order: Order, *, created: str, watch: Watcher = unwatched, progress: Progress = ignore) -> Result:
    """Train and register a model as the candidate of its name, unless this very training is registered already.

    `created` is the time, ISO 8601. Raises TextmillError, ConfigError and what the engine raises; after an error or a
    kill the same order goes on from the last checkpoint.
    """
    rows = order.rows()
    work = work_of(order, rows)
    registry, name = Registry(order.lake.models), order.registered_as(rows)
    if (found := registry.find(name, work.key)) is not None:
        follow(order.lake, [name], order.mlflow)
        return Result.of(found, reused=True)
    with (
        order.lake.lock(lock_of(work.key)),
        tempfile.TemporaryDirectory(dir=order.lake.training(work.key)) as scratch,
        shown(order.lake, order.mlflow, Training(name, order.model, work.key), watch) as watched,
    ):
        folder = Path(scratch).parent
        if (found := registry.find(name, work.key)) is not None:  # by whoever held the lock
            shutil.rmtree(folder, ignore_errors=True)
            return Result.of(found, reused=True)
        underway.tell(folder, name, work.lineage)
        work.write(Path(scratch), folder, Listeners(watched, progress))
        _describe(Path(scratch), name, order, work, created)
        with underway.registering(order.lake):
            _check_forgotten(rows, folder)
            version = _registered(registry, Path(scratch), work, name=name, kind=order.model, created=created)
        shutil.rmtree(folder, ignore_errors=True)
    return Result.of(version, reused=False)


def _check_forgotten(rows: Rows, folder: Path) -> None:
    """Raise TextmillError where a document was forgotten meanwhile; the folder goes then, as no order goes on there."""
    try:
        if isinstance(rows, Published):
            rows.check_forgotten()
    except TextmillError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _registered(registry: Registry, artefact: Path, work: Work, *, name: str, kind: str, created: str) -> ModelVersion:
    """Register an artefact as the candidate of its name."""
    version = registry.register(
        name,
        artefact,
        kind=kind,
        lineage=work.lineage,
        config=work.config,
        training_key=work.key,
        created=created,
        metrics=[{"split": "validation", **score} for score in _read(artefact / fitting.SCORES)["scores"]],
        code=work.code,
    )
    before, evidence = registry.alias(name, CANDIDATE), {"training": work.key}
    registry.promote(name, CANDIDATE, version.version, expected=before, evidence=evidence, when=created)
    return version


def _describe(folder: Path, name: str, order: Order, work: Work, created: str) -> None:
    """Write the card and the page of a training into its artefact."""
    record, found = _read(folder / fitting.HISTORY), _read(folder / fitting.SCORES)
    shown = _read(folder / fitting.SHOWN) if (folder / fitting.SHOWN).exists() else {}
    limits = card.limits_of(record, found["rows"], found["scores"])
    facts: dict[str, Any] = {
        "name": name,
        "about": order.family.about,
        "created": created,
        "lineage": {**work.lineage, "code": work.code},
        "config": work.config,
        "scores": found["scores"],
        "record": record,
        "limits": limits,
    }
    (folder / card.FILE).write_text(card.page(**facts), "utf-8")
    (folder / REPORT).write_text(training_page.render(TrainingPage(**facts, shown=shown)), "utf-8")


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found
