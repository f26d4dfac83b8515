"""Placeholder until the report lands."""

from __future__ import annotations

from pathlib import Path

from flows.job import Job, Ref
from flows.stages.promotion import Verdict


def write(job: Job, datasets: list[Ref], verdicts: list[Verdict]) -> Path:
    """Write the report."""
    path = job.report_folder / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path
