"""Publish a release: one version of each dataset, mutually consistent, in one atomic step."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.job import Job, Ref
from flows.stages.promotion import Verdict


def release(job: Job, datasets: list[Ref], verdicts: list[Verdict], report: Path | None) -> dict[str, Any]:
    """Replace the release of the pipeline; datasets not made now stay only if made from the same corpus."""
    named = {ref.dataset: ref.version for ref in datasets}
    before = job.lake.release(job.pipeline) or {"datasets": {}, "models": {}}
    models = {verdict.task: [verdict.model, verdict.champion] for verdict in verdicts if verdict.champion}
    if not verdicts and before["datasets"].get("corpus") == named["corpus"]:
        named, models = {**before["datasets"], **named}, before["models"]
    page = str(report.relative_to(job.lake.root)) if report else before.get("report")
    content = {
        "pipeline": job.pipeline,
        "run": job.run_id,
        "published": job.started,
        "datasets": named,
        "models": models,
        "report": page,
        "seconds": round((datetime.now(UTC) - datetime.fromisoformat(job.started)).total_seconds(), 1),
    }
    job.lake.publish(job.pipeline, content)
    job.lake.sweep(job.pipeline)
    return content
