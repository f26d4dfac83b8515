"""The nightly flow: corpus → train where something changed → evaluate and promote → infer → release → report."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from prefect import flow, runtime

from flows import artifacts, events, tasks
from flows.addresses import refuse_credentials
from flows.corpus import CorpusRefs, corpus
from flows.evaluate import evaluate
from flows.infer import infer
from flows.job import Job, Ref, make_job
from flows.listen import listener, log_listener
from flows.mirroring.choosing import chosen
from flows.mirroring.following import follow
from flows.recipe import read_recipe
from flows.settings import Settings
from flows.stages.promotion import Verdict
from flows.train import train


@dataclass(frozen=True)
class Outcome:
    """What a run published."""

    pipeline: str
    run_id: str
    datasets: list[Ref]
    verdicts: list[Verdict]
    report: Path | None


def prepare(
    sources: list[str],
    pipeline: str | None,
    lake: str | None,
    config: str | None,
    *,
    limit: int | None,
    workers: int | None,
    accept_drift: bool,
) -> Job:
    """The job of a flow run: the clock and the environment enter here."""
    refuse_credentials(sources)
    now = datetime.now(UTC)
    name = str(runtime.flow_run.id or "run").split("-", maxsplit=1)[0]
    under_worker = runtime.deployment.id is not None
    job = make_job(
        lake=Path(lake) if lake else Settings().lake,
        sources=sources,
        pipeline=pipeline,
        recipe=read_recipe(Path(config) if config else None),
        limit=limit,
        workers=Settings().workers if workers is None else workers,
        run_id=f"{now:%Y%m%dT%H%M%SZ}-{name}",
        started=now.isoformat(timespec="seconds"),
        listen=log_listener() if under_worker else listener(),
        accept_drift=accept_drift,
    )
    job.lake.check_writable()
    return job


def run_name() -> str:
    """Name of a flow run: its pipeline, or its sources."""
    given = runtime.flow_run.parameters
    return str(given.get("pipeline") or ", ".join(Path(source).name for source in given["sources"]))


@flow(name="nightly", flow_run_name=run_name, persist_result=False)
def nightly(
    sources: list[str] = ["wikipedia-sample"],  # noqa: B006 - Prefect draws its form from a literal default
    pipeline: str | None = None,
    lake: str | None = None,
    config: str | None = None,
    *,
    limit: int | None = None,
    workers: int | None = None,
    accept_drift: bool = False,
) -> Outcome:
    """The whole job: from sources to published datasets, models, predictions and a report."""
    job = prepare(sources, pipeline, lake, config, limit=limit, workers=workers, accept_drift=accept_drift)
    with job.lake.lock(job.pipeline), closing(job):
        made = corpus(job)
        inputs, trained = train(job, made)
        metrics, verdicts = evaluate(job, inputs, trained)
        predictions = infer(job, made.corpus)
        datasets = [*made.datasets, inputs.labelled_text, inputs.labelled_spans, metrics, *predictions]
        report = tasks.write_report(job, datasets, verdicts)
        before = job.lake.release(job.pipeline)
        release = tasks.publish_release(job, datasets, verdicts, report)
        events.published(job, release, before)
        artifacts.published(job, datasets, verdicts, report)
    follow(job.lake, sorted({verdict.model for verdict in verdicts}), chosen())
    return Outcome(job.pipeline, job.run_id, datasets, verdicts, report)


@flow(name="corpus-build", flow_run_name=run_name, persist_result=False)
def corpus_build(
    sources: list[str] = ["wikipedia-sample"],  # noqa: B006 - Prefect draws its form from a literal default
    pipeline: str | None = None,
    lake: str | None = None,
    config: str | None = None,
    *,
    limit: int | None = None,
    workers: int | None = None,
    accept_drift: bool = False,
) -> Outcome:
    """To a published corpus and its tokens; predictions stay published where they belong to the same corpus."""
    job = prepare(sources, pipeline, lake, config, limit=limit, workers=workers, accept_drift=accept_drift)
    with job.lake.lock(job.pipeline), closing(job):
        made: CorpusRefs = corpus(job)
        before = job.lake.release(job.pipeline)
        release = tasks.publish_release(job, made.datasets, [], None)
        events.published(job, release, before)
    return Outcome(job.pipeline, job.run_id, made.datasets, [], None)
