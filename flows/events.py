"""Tell Prefect that a release was published, so that flows of others can start on it.

One event for the release and one for each dataset that is new in it; none where nothing changed. An event may be
lost with the server that it is sent to, so whoever listens compares the number of the release with the last one
it read (`examples/downstream.py`).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from prefect.events import emit_event

from flows.job import Job

RELEASE = "textmill.release.published"
DATASET = "textmill.dataset.published"


def published(job: Job, release: dict[str, Any], before: dict[str, Any] | None) -> None:
    """Emit the events of a release that took the place of `before`."""
    if not (changed := _changed(release, before)):
        return
    payload = _payload(job, release, changed)
    datasets = payload["datasets"]
    related = [
        {"prefect.resource.id": _dataset_id(job, name), "prefect.resource.role": "dataset", "version": one["version"]}
        for name, one in datasets.items()
    ]
    resource = {"prefect.resource.id": f"textmill.release.{job.pipeline}", "prefect.resource.name": job.pipeline}
    emit_event(RELEASE, resource=resource, related=related, payload=payload)
    for name in changed:
        own = {"prefect.resource.id": _dataset_id(job, name), "prefect.resource.name": f"{job.pipeline}/{name}"}
        about = {key: payload[key] for key in ("lake", "pipeline", "number", "run")}
        emit_event(DATASET, resource=own, payload={**about, "dataset": name, **datasets[name]})


def _changed(release: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    """Datasets whose version is new in the release."""
    earlier = before["datasets"] if before else {}
    return sorted(name for name, version in release["datasets"].items() if earlier.get(name) != version)


def _payload(job: Job, release: dict[str, Any], changed: list[str]) -> dict[str, Any]:
    """What a listener wants to know: where, which number, and version and rows of every dataset."""
    manifests = {name: job.lake.manifest(job.pipeline, name, one) for name, one in release["datasets"].items()}
    return {
        "lake": without_secrets(str(job.lake.root.absolute())),
        "pipeline": job.pipeline,
        "number": release.get("number"),
        "run": release["run"],
        "published": release["published"],
        "changed": changed,
        "datasets": {
            name: {"version": release["datasets"][name], "rows": found["rows"], "bytes": found["bytes"]}
            for name, found in manifests.items()
            if found is not None
        },
    }


def without_secrets(place: str) -> str:
    """An address without the name and password, and the query, that it may hold; a path as it is."""
    parts = urlsplit(place)
    if "://" not in place:
        return place
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _dataset_id(job: Job, name: str) -> str:
    return f"textmill.dataset.{job.pipeline}.{name}"
