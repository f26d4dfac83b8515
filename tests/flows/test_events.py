"""The events of a published release: when they are sent, what they say, and the flow that starts on one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dumps import articles, write, write_config
from test_up import clean, free_port, start, stop, until

from data.lake import Lake
from data.release import open_release
from flows import events
from flows.job import Job, make_job
from flows.recipe import Recipe

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def sent(prefect: None) -> Iterator[list[Any]]:
    """The events that the process sends, once all are through the worker of Prefect."""
    from prefect.events.clients import AssertingEventsClient
    from prefect.events.worker import EventsWorker

    EventsWorker.set_client_override(AssertingEventsClient)
    found: list[Any] = []
    yield found
    EventsWorker.set_client_override(None)
    AssertingEventsClient.reset()


def heard(sent: list[Any]) -> list[Any]:
    from prefect.events.clients import AssertingEventsClient
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all()
    everything = [event for client in AssertingEventsClient.all for event in client.events]
    return [event for event in everything if event.event.startswith("textmill.")]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_flow_tells_what_it_published_and_nothing_when_nothing_changed(
    sent: list[Any], dump: Path, config: Path, tmp_path: Path
) -> None:
    from flows.nightly import corpus_build

    corpus_build(sources=[str(dump)], lake=str(tmp_path / "lake"), config=str(config))
    first, *others = heard(sent)
    release = open_release(tmp_path / "lake", "small")
    assert first.event == events.RELEASE
    assert first.resource.id == "textmill.release.small"
    assert first.payload["lake"] == str(tmp_path / "lake")
    assert first.payload["pipeline"] == "small"
    assert first.payload["number"] == 1
    assert {name: one["version"] for name, one in first.payload["datasets"].items()} == release.versions
    assert first.payload["datasets"]["corpus"]["rows"] == release.manifest("corpus")["rows"]
    assert first.payload["changed"] == sorted(release.versions)
    assert {event.resource.id for event in others} == {f"textmill.dataset.small.{name}" for name in release.versions}
    corpus_build(sources=[str(dump)], lake=str(tmp_path / "lake"), config=str(config))
    assert len(heard(sent)) == 1 + len(others)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(events, "emit_event", lambda event, **said: found.append((event, said)))
    return found


def job_with(tmp_path: Path, versions: dict[str, str]) -> tuple[Job, dict[str, Any]]:
    from data import files
    from data.lake import MANIFEST

    job = make_job(
        lake=tmp_path, sources=["wikipedia-sample"], pipeline="wiki", recipe=Recipe(), limit=None,
        run_id="r", started="2020-01-01T00:00:00+00:00", workers=0,
    )  # fmt: skip
    for name, version in versions.items():
        files.write_json(job.lake.version("wiki", name, version) / MANIFEST, {"rows": 3, "bytes": 9, "parts": []})
    return job, job.lake.publish("wiki", {"datasets": versions, "run": "r", "published": job.started})


def test_datasets_that_stayed_have_no_event_of_their_own(told: list[Any], tmp_path: Path) -> None:
    job, made = job_with(tmp_path, {"corpus": "a", "tokens": "b"})
    events.published(job, made, {"datasets": {"corpus": "before", "tokens": "b"}})
    (release, about), (dataset, own) = told
    assert (release, dataset) == (events.RELEASE, events.DATASET)
    assert about["payload"]["changed"] == ["corpus"]
    assert set(about["payload"]["datasets"]) == {"corpus", "tokens"}
    assert own["resource"]["prefect.resource.id"] == "textmill.dataset.wiki.corpus"
    assert {"dataset": "corpus", "version": "a", "rows": 3, "pipeline": "wiki"}.items() <= own["payload"].items()


def test_the_same_release_again_is_no_event(told: list[Any], tmp_path: Path) -> None:
    job, made = job_with(tmp_path, {"corpus": "a"})
    events.published(job, made, job.lake.release("wiki"))
    assert told == []


def test_related_resources_name_every_dataset(told: list[Any], tmp_path: Path) -> None:
    events.published(*job_with(tmp_path, {"corpus": "a", "tokens": "b"}), None)
    assert told[0][1]["related"] == [
        {"prefect.resource.id": f"textmill.dataset.wiki.{name}", "prefect.resource.role": "dataset", "version": version}
        for name, version in {"corpus": "a", "tokens": "b"}.items()
    ]


def test_events_can_be_read_as_json(told: list[Any], tmp_path: Path) -> None:
    events.published(*job_with(tmp_path, {"corpus": "a"}), None)
    assert json.loads(json.dumps(told[0][1]["payload"])) == told[0][1]["payload"]


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("s3://bucket/lake", "s3://bucket/lake"),
        ("s3://key:secret@bucket/lake?token=x#y", "s3://bucket/lake"),
        ("/data/a@b?c/lake", "/data/a@b?c/lake"),
    ],
)
def test_an_address_is_told_without_its_secrets(place: str, shown: str) -> None:
    assert events.without_secrets(place) == shown


def example() -> Any:
    import importlib.util

    spec = importlib.util.spec_from_file_location("downstream", ROOT / "examples" / "downstream.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_example_listens_to_the_event(told: list[Any], tmp_path: Path) -> None:
    events.published(*job_with(tmp_path, {"corpus": "a"}), None)
    trigger = example().TRIGGER
    assert trigger.expect == {told[0][0]}
    assert trigger.match.matches(told[0][1]["resource"])
    named = {word for text in trigger.parameters.values() for word in text.split() if "event.payload" in word}
    assert {word.removeprefix("event.payload.") for word in named} <= told[0][1]["payload"].keys()


@pytest.mark.long
def test_a_real_server_starts_the_flow_downstream(tmp_path: Path) -> None:
    """`textmill up`, the example beside it, and a build from another terminal."""
    lake, output = tmp_path / "lake", tmp_path / "counted"
    up = start(lake, free_port())
    own = {**clean(), "PREFECT_API_URL": f"http://127.0.0.1:{up.port}/api", "PREFECT_HOME": str(tmp_path / "prefect")}
    words = [sys.executable, str(ROOT / "examples" / "downstream.py"), str(output)]
    with (tmp_path / "downstream.log").open("wb") as log:
        listening = subprocess.Popen(
            words, env={**own, "PYTHONPATH": str(ROOT)}, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
    try:
        assert until(lambda: "count-languages" in up.python(DEPLOYMENTS))
        dump, config = write(tmp_path / "small.xml.bz2", articles(20)), write_config(tmp_path / "small.yaml")
        build = [sys.executable, "-m", "flows.cli", "corpus", "build", "--source", str(dump), "--lake", str(lake)]
        subprocess.run([*build, "--config", str(config)], env=clean(), check=True, capture_output=True)
        assert until((output / "small.json").exists), (tmp_path / "downstream.log").read_text()
    finally:
        os.killpg(listening.pid, signal.SIGTERM)
        listening.wait()
        stop(up, signal.SIGINT)
        assert up.process.stdout is not None
        up.process.stdout.close()
    release = open_release(Lake(lake), "small")
    counted = json.loads((output / "small.json").read_text("utf-8"))
    assert counted == {"versions": release.versions, "languages": {"en": release.manifest("corpus")["rows"]}}


DEPLOYMENTS = """
from prefect.client.orchestration import get_client
with get_client(sync_client=True) as client:
    print(*[deployment.name for deployment in client.read_deployments()])
"""
