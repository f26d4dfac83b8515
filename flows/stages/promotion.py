"""Evaluate what was trained, move the champion alias where the gate is met, publish the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from data.contracts import CONTRACTS
from data.errors import ConfigError
from data.hashing import fingerprint
from flows.build import Output, Unit, build
from flows.job import Job, Ref, version_of
from flows.stages.scoring import SCORERS, Scored
from flows.stages.training import Inputs, Trained, registered
from models.evaluation.gate import Decision, decide
from models.registry import CHAMPION, Registry

VERSION = 1


@dataclass(frozen=True)
class Verdict:
    """What became of a training: the champion after it, and the evidence."""

    task: str
    model: str
    version: str
    champion: str | None
    decision: Decision | None
    reason: str


def metrics_version(inputs: Inputs, trained: list[tuple[str, str]], seed: int) -> str:
    """Version of the metrics from (model, version) and what they were scored on."""
    scored = [ref.version for ref in (inputs.corpus, inputs.tokens, inputs.labelled_text, inputs.labelled_spans)]
    return version_of(CONTRACTS["metrics"], sorted(trained), scored, seed, VERSION)


def evaluate(job: Job, task: str, trained: Trained, inputs: Inputs) -> tuple[list[dict[str, Any]], Verdict]:
    """Rows of `metrics` for a model and its baselines, and the verdict of the gate, which is carried out."""
    model = registered(job, trained)
    try:
        scored = SCORERS[task](job, model, inputs)
    except ConfigError as error:
        reason = f"could not be scored: {error}"
        champion = Registry(job.lake.models).alias(trained.model)
        return [], Verdict(task, trained.model, trained.version, champion, None, reason)
    return _rows(task, trained, scored), promote(job, task, trained, scored, inputs)


def promote(job: Job, task: str, trained: Trained, scored: Scored, inputs: Inputs) -> Verdict:
    """Move the alias if the model beats the champion, or as a first champion the baseline, on the same rows."""
    registry = Registry(job.lake.models)
    before = registry.alias(trained.model)
    if before == trained.version:
        return Verdict(task, trained.model, trained.version, before, None, "is the champion")
    reference, against = scored.baseline_rows, next(iter(scored.baselines))
    if before is not None:
        reference = SCORERS[task](job, registry.load(trained.model, before), inputs).rows
        against = before
    decision = decide(scored.rows, reference, statistic=scored.statistic, seed=job.recipe.seed)
    if decision.promote:
        evidence = {**decision.as_json(), "against": against, "dataset": scored.dataset.version}
        registry.promote(trained.model, CHAMPION, trained.version, expected=before, evidence=evidence, when=job.started)
    champion = trained.version if decision.promote else before
    return Verdict(task, trained.model, trained.version, champion, decision, f"against {against}: {decision.reason}")


def metrics(job: Job, version: str, rows: list[dict[str, Any]], inputs: Inputs) -> Ref:
    """The scores as a dataset."""
    contract = CONTRACTS["metrics"]
    frame = pl.DataFrame(rows, schema=pl.DataFrame(contract.schema.empty_table()).schema)
    counts = {"in": frame.height, "kept": frame.height, "filtered": {}, "failed": {}}
    recorded = [ref.recorded() for ref in (inputs.corpus, inputs.tokens, inputs.labelled_text, inputs.labelled_spans)]
    unit = Unit(0, fingerprint([version]), lambda: Output(frame.sort("task", "model", "metric"), counts))
    return build(job, "metrics", version, [unit], inputs=recorded, config={})


def _rows(task: str, trained: Trained, scored: Scored) -> list[dict[str, Any]]:
    who = [(trained.model, trained.version, scored.model)]
    who += [(f"baseline:{name}", None, scores) for name, scores in scored.baselines.items()]  # type: ignore[misc]
    return [
        {
            "task": task,
            "model": model,
            "model_version": version,
            "dataset": scored.dataset.dataset,
            "dataset_version": scored.dataset.version,
            "split": scored.split,
            "metric": score.metric,
            "value": score.value,
            "ci_low": score.ci_low,
            "ci_high": score.ci_high,
            "n": score.n,
        }
        for model, version, scores in who
        for score in scores
    ]
