"""The evaluate flow: score on held-out rows, promote by evidence, publish the metrics."""

from __future__ import annotations

from prefect import flow

from flows import artifacts, tasks
from flows.job import Job, Ref
from flows.stages.promotion import Verdict, metrics_version
from flows.stages.training import Inputs, Trained
from models.registry import Registry


@flow(name="evaluate", flow_run_name="{job.pipeline}", persist_result=False, validate_parameters=False)
def evaluate(job: Job, inputs: Inputs, trained: dict[str, Trained]) -> tuple[Ref, list[Verdict]]:
    """Evaluate unless these very models were evaluated on these very rows."""
    version = metrics_version(inputs, [(one.model, one.version) for one in trained.values()], job.recipe.seed)
    if (manifest := job.lake.manifest(job.pipeline, "metrics", version)) is not None:
        return Ref("metrics", version, manifest["rows"], reused=True), _unchanged(job, trained)
    outcomes = [tasks.evaluate_model(job, name, one, inputs) for name, one in trained.items()]
    metrics = tasks.publish_metrics(job, version, [row for rows, _ in outcomes for row in rows], inputs)
    verdicts = [verdict for _, verdict in outcomes]
    artifacts.scores(job, metrics, verdicts)
    return metrics, verdicts


def _unchanged(job: Job, trained: dict[str, Trained]) -> list[Verdict]:
    registry = Registry(job.lake.models)
    return [
        Verdict(name, one.model, one.version, registry.alias(one.model), None, "evaluated before")
        for name, one in trained.items()
    ]
