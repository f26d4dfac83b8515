"""Runs of MLflow: one for each training, found again by its training key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from data import files
from data.hashing import sha256_file
from flows.mirroring.content import DONE, KEY, WEIGHTS, Content, Point
from flows.mirroring.store import Store
from models.registry import CARD, RegistryError

PARAMS, METRICS = 100, 1000
"""What MLflow takes in one message."""


def paged(search: Any, *words: Any, **options: Any) -> Iterator[Any]:
    """Everything that a search of MLflow finds, page by page."""
    token: str | None = None
    while True:
        page = search(*words, page_token=token, **options)
        yield from page
        if not (token := page.token):
            return


def by_key(store: Store, experiment: str) -> dict[str, Any]:
    """The runs of an experiment that are trainings, by training key; of two the older."""
    found = paged(store.client.search_runs, [experiment], f"tags.`{KEY}` LIKE '%'", order_by=["start_time DESC"])
    return {run.data.tags[KEY]: run for run in found}


def is_whole(run: Any, content: Content, *, weights: bool) -> bool:
    """Whether a run tells all there is."""
    tags = run.data.tags if run else {}
    return tags.get(DONE) == content.digest and (not weights or WEIGHTS in tags)


def written(store: Store, experiment: str, run: Any, content: Content, *, weights: Path | None) -> Any:
    """The run of a version with all there is to tell; what it has already is left out, and the mark comes last.

    Files of the folder `weights`, where one is given, go with it.
    """
    client, name = store.client, f"{content.model.version} {content.model.name}"
    run = run or client.create_run(experiment, start_time=content.started, tags=content.tags, run_name=name)
    run_id = run.info.run_id
    client.update_run(run_id, name=name)
    _options(client, run, content)
    log_points(client, run_id, _missing(client, run_id, content), started=run.info.start_time)
    _files(client, run_id, content, weights)
    client.set_terminated(run_id, "FINISHED", end_time=round(run.info.start_time + 1000 * content.seconds))
    done = {DONE: content.digest, **({WEIGHTS: "yes"} if weights else {})}
    _tags(client, run_id, {**content.tags, **done})
    return run


def log_points(client: Any, run_id: str, points: Iterable[Point], *, started: int) -> None:
    """Send points of curves in as few messages as there may be."""
    from mlflow.entities import Metric

    waiting = iter(points)
    while some := list(islice(waiting, METRICS)):
        metrics = [Metric(p.name, p.value, round(started + 1000 * p.seconds), p.step) for p in some]
        client.log_batch(run_id, metrics=metrics)


def _missing(client: Any, run_id: str, content: Content) -> list[Point]:
    """Points that the run, watched live or left half written, does not have."""
    wanted = [*content.curves(), *content.figures()]
    run = client.get_run(run_id)
    names = {point.name for point in wanted} & set(run.data.metrics)
    there = {(name, metric.step) for name in names for metric in client.get_metric_history(run_id, name)}
    return [point for point in wanted if (point.name, point.step) not in there]


def _options(client: Any, run: Any, content: Content) -> None:
    from mlflow.entities import Dataset, DatasetInput, Param

    new = [Param(name, value) for name, value in content.params.items() if name not in run.data.params]
    for start in range(0, len(new), PARAMS):
        client.log_batch(run.info.run_id, params=new[start : start + PARAMS])
    read = [DatasetInput(Dataset(name[:500], value[:36], "textmill", value)) for name, value in content.data]
    if read and not (run.inputs and run.inputs.dataset_inputs):
        client.log_inputs(run.info.run_id, read)


def _tags(client: Any, run_id: str, tags: dict[str, str]) -> None:
    from mlflow.entities import RunTag

    client.log_batch(run_id, tags=[RunTag(name, value) for name, value in tags.items()])


def _files(client: Any, run_id: str, content: Content, weights: Path | None) -> None:
    for name in content.shown:
        client.log_artifact(run_id, str(_sound(content, name)))
    if weights:
        for name in content.model.card["files"]:
            folder = Path("model", name).parent.as_posix()
            client.log_artifact(run_id, str(weights / name), folder)


def _sound(content: Content, name: str) -> Path:
    """A file of the version on the disk. Raises RegistryError where it is not what was registered."""
    path = files.local(content.model.path / name)
    if name != CARD and sha256_file(path) != content.model.card["files"][name]["sha256"]:
        raise RegistryError(f"{content.model.name} {content.model.version}: {name} is damaged; restore it from a copy")
    return path
