"""What a person finds at a finished run in the Prefect UI: the funnel, the scores, what was published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.job import Job, Ref
from flows.stages.promotion import Verdict

_ORDER = ("task", "metric", "value", "ci_low", "ci_high", "model", "n", "split", "dataset", "dataset_version")
_NUMBERS = ("value", "ci_low", "ci_high")


def funnel(job: Job, stages: list[Ref]) -> None:
    """How many records went in and out of each stage, and why the others did not."""
    create_table_artifact(
        key=_key(job, "funnel"), table=[_row(job, ref) for ref in stages], description="Records in and out, by stage"
    )


def scores(job: Job, metrics: Ref, verdicts: list[Verdict]) -> None:
    """The score table and the decisions of the gate."""
    rows = pl.read_parquet(job.lake.parts(job.pipeline, metrics.dataset, metrics.version)).to_dicts()
    create_table_artifact(
        key=_key(job, "scores"),
        table=[_score(row) for row in rows],
        description="Scores on held-out rows with their 95 % intervals, of models and baselines",
    )
    create_markdown_artifact(
        key=_key(job, "gate"),
        markdown="\n".join(_champions(verdicts)),
        description="Which models were promoted, and why",
    )


def published(job: Job, datasets: list[Ref], verdicts: list[Verdict], report: Path) -> None:
    """Versions, rows and places of the datasets, the champions, and where the report is.

    A page that came over http may not link to a file, so files are named by their path, ready to be copied.
    """
    lines = [_line(ref.dataset, ref.version, f"{ref.rows:,}", _state(ref)) for ref in datasets]
    others = [f"- [{what}](/artifacts/key/{_key(job, what)})" for what in ("funnel", "scores", "gate")]
    folder = job.lake.pipeline(job.pipeline)
    parts = (
        [f"# {job.pipeline}", "", f"Report: `{report.absolute()}`", "", f"Data: `{folder}/<dataset>/<version>/`", ""],
        [*_head("dataset", "version", "rows", "in this run"), *lines],
        ["", "## Champions", "", *_champions(verdicts), "", "## More", "", *others],
    )
    text = "\n".join(line for part in parts for line in part)
    create_markdown_artifact(key=_key(job, "published"), markdown=text, description="What this run published")


def _score(row: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: None if row[name] is None else round(row[name], 4) for name in _NUMBERS}
    model = {"model": row["model_version"] or row["model"]}
    return {name: {**row, **numbers, **model}[name] for name in _ORDER}


def _champions(verdicts: list[Verdict]) -> list[str]:
    return [f"- **{v.task}** {v.champion or 'no champion yet'}; trained {v.version}: {v.reason}" for v in verdicts]


def _row(job: Job, ref: Ref) -> dict[str, Any]:
    counts = job.manifest(ref)["counts"]
    why = {**counts["filtered"], **{f"{reason} (failed)": n for reason, n in counts["failed"].items()}}
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in sorted(why.items(), key=lambda item: -item[1]))
    return {
        "stage": ref.dataset,
        "in": counts["in"],
        "kept": counts["kept"],
        "rejected": counts["in"] - counts["kept"],
        "why": reasons,
    }


def _state(ref: Ref) -> str:
    return "unchanged" if ref.reused else "new"


def _head(*names: str) -> list[str]:
    return [_line(*names), "|" + "---|" * len(names)]


def _line(*cells: str) -> str:
    """A row of a table: a bar or a line break within a cell would end it."""
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def _key(job: Job, what: str) -> str:
    """Artifact keys may have lower-case letters, digits and dashes only."""
    pipeline = "".join(c if c.isascii() and c.isalnum() else "-" for c in job.pipeline.lower())
    return f"{pipeline}-{what}"
