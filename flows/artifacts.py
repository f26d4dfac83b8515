"""What a person finds at a finished run in the Prefect UI: the funnel, the scores, what was published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from flows.job import Job, Ref
from flows.stages.promotion import Verdict


def funnel(job: Job, stages: list[Ref]) -> None:
    """How many records went in and out of each stage, and why the others did not."""
    create_table_artifact(
        key=_key(job, "funnel"), table=[_row(job, ref) for ref in stages], description="Records in and out, by stage"
    )


def scores(job: Job, metrics: Ref, verdicts: list[Verdict]) -> None:
    """The score table and the decisions of the gate."""
    rows = pl.read_parquet(job.lake.parts(job.pipeline, metrics.dataset, metrics.version)).to_dicts()
    table = [{**row, **{name: round(row[name], 4) for name in ("value", "ci_low", "ci_high")}} for row in rows]
    create_table_artifact(key=_key(job, "scores"), table=table, description="Scores on held-out rows, 95 % intervals")
    lines = [f"| {v.task} | {v.version} | {v.champion or 'none'} | {v.reason} |" for v in verdicts]
    head = ["| task | trained | champion | evidence |", "|---|---|---|---|"]
    create_markdown_artifact(key=_key(job, "gate"), markdown="\n".join([*head, *lines]), description="The gate")


def published(job: Job, datasets: list[Ref], verdicts: list[Verdict], report: Path) -> None:
    """Versions, rows and places of the datasets, and the report."""
    lines = [f"| {ref.dataset} | {ref.version} | {ref.rows:,} | `{job.path(ref)}` |" for ref in datasets]
    head = [f"# {job.pipeline}", "", "| dataset | version | rows | path |", "|---|---|---|---|"]
    champions = [f"- **{v.task}**: {v.champion or 'no champion yet'}" for v in verdicts]
    text = "\n".join([*head, *lines, "", "## Champions", "", *champions])
    create_markdown_artifact(key=_key(job, "published"), markdown=text, description="What this run published")
    create_link_artifact(
        key=_key(job, "report"), link=report.absolute().as_uri(), link_text="Report", description="Report"
    )


def _row(job: Job, ref: Ref) -> dict[str, Any]:
    counts = job.manifest(ref)["counts"]
    why = {**counts["filtered"], **{f"{reason} (failed)": n for reason, n in counts["failed"].items()}}
    reasons = ", ".join(f"{reason} {n}" for reason, n in sorted(why.items(), key=lambda item: -item[1]))
    return {"dataset": ref.dataset, "in": counts["in"], "kept": counts["kept"], "rejected": reasons or "none"}


def _key(job: Job, what: str) -> str:
    """Artifact keys may have lower-case letters, digits and dashes only."""
    pipeline = "".join(c if c.isascii() and c.isalnum() else "-" for c in job.pipeline.lower())
    return f"{pipeline}-{what}"
