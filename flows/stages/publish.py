"""Publish a release: one version of each dataset, mutually consistent, in one atomic step."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.redaction import FIRST
from flows.job import Job, Ref
from flows.stages.forgotten import check_meanwhile
from flows.stages.promotion import Verdict


def release(job: Job, datasets: list[Ref], verdicts: list[Verdict], report: Path | None) -> dict[str, Any]:
    """Replace the release of the pipeline; datasets not made now stay only if made from the same corpus.

    Raises TextmillError where they hold a document that was forgotten meanwhile.
    """
    named = {ref.dataset: ref.version for ref in datasets}

    def made(found: dict[str, Any] | None) -> dict[str, Any]:
        check_meanwhile(job, [ref for ref in datasets if ref.dataset in FIRST])
        before = found or {"datasets": {}, "models": {}}
        models = {verdict.task: [verdict.model, verdict.champion] for verdict in verdicts if verdict.champion}
        same = not verdicts and before["datasets"].get("corpus") == named["corpus"]
        return {
            "pipeline": job.pipeline,
            "run": job.run_id,
            "published": job.started,
            "datasets": {**before["datasets"], **named} if same else named,
            "models": before["models"] if same else models,
            "report": str(report.relative_to(job.lake.root)) if report else before.get("report"),
            "seconds": round((datetime.now(UTC) - datetime.fromisoformat(job.started)).total_seconds(), 1),
        }

    content = job.lake.publish(job.pipeline, made)
    job.lake.sweep(job.pipeline)
    return content
