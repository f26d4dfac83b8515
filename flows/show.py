"""What a command prints at its end: tables for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from data.contracts import CONTRACTS
from data.lake import Lake
from flows.plan import Plan

_READABLE = ("summaries", "keyphrases", "corpus", "documents")
_HEADLINE = {
    "word2vec": "spearman",
    "sentiment": "accuracy",
    "entities": "f1",
    "gpt": "perplexity_per_token",
    "summaries": "rouge1_f1",
    "keyphrases": "title_recall@10",
}


def as_json(value: Any) -> None:
    """Print JSON on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))  # noqa: T201 - the output of --json


def summary(lake: Lake, pipeline: str) -> dict[str, Any]:
    """The published release as plain data: datasets, models with their headline score, report, a line to try."""
    release = lake.release(pipeline) or {"datasets": {}, "models": {}}
    order = [name for name in CONTRACTS if name in release["datasets"]]
    datasets = [_dataset(lake, pipeline, name, release["datasets"][name]) for name in order]
    report = lake.root / release["report"] if release.get("report") else None
    return {
        "pipeline": pipeline,
        "datasets": datasets,
        "models": _models(lake, pipeline, release),
        "report": str(report) if report else None,
        "try": _try_line(datasets),
    }


def console(*, stderr: bool = False) -> Console:
    """A console; where nobody looks at a terminal its lines are wide enough for paths."""
    found = Console(stderr=stderr)
    return found if found.is_terminal else Console(stderr=stderr, width=160)


def released(console: Console, lake: Lake, pipeline: str) -> None:
    """The tables that a run ends with."""
    found = summary(lake, pipeline)
    table = Table(title=f"Published: {pipeline}", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("dataset", "version", "rows"):
        table.add_column(name, justify="right" if name == "rows" else "left", no_wrap=True)
    table.add_column("path", overflow="fold")
    for row in found["datasets"]:
        table.add_row(row["dataset"], row["version"], f"{row['rows']:,}", row["path"])
    console.print(table)
    if found["models"]:
        console.print(_model_table(found["models"]))
    if found["report"]:
        console.print(f"Report: {found['report']}", soft_wrap=True)
    if found["try"]:
        console.print(f"Try:    {found['try']}", soft_wrap=True, markup=False, highlight=False)


def planned(console: Console, plan: Plan, usage: dict[str, Any]) -> None:
    """What a run would do."""
    table = Table(title="Plan", title_justify="left")
    for name in ("step", "version", "state", "why"):
        table.add_column(name)
    for step in plan.steps:
        table.add_row(step.name, step.version, f"[{'green' if step.done else 'yellow'}]{step.state}", step.why)
    console.print(table)
    todo = sum(not step.done for step in plan.steps)
    last = f"; the last run took {usage['seconds']:.0f} s" if usage["seconds"] else ""
    console.print(f"{todo} of {len(plan.steps)} steps to do. Disk: {usage['free_gb']:.1f} GB free{last}.")


def _python() -> str:
    """This interpreter, as a person in this folder would type it."""
    path = Path(sys.executable)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _dataset(lake: Lake, pipeline: str, name: str, version: str) -> dict[str, Any]:
    manifest = lake.manifest(pipeline, name, version) or {"rows": 0, "bytes": 0}
    path = lake.version(pipeline, name, version)
    return {
        "dataset": name,
        "version": version,
        "rows": manifest["rows"],
        "bytes": manifest["bytes"],
        "path": str(path),
    }


def _models(lake: Lake, pipeline: str, release: dict[str, Any]) -> list[dict[str, Any]]:
    from models.registry import Registry

    if "metrics" not in release["datasets"]:
        return []
    import polars as pl

    rows = pl.read_parquet(lake.parts(pipeline, "metrics", release["datasets"]["metrics"])).to_dicts()
    registry = Registry(lake.models)
    found = []
    for task, metric in _HEADLINE.items():
        mine = [row for row in rows if row["task"] == task and row["metric"] == metric]
        model = next((row for row in mine if row["model_version"]), None)
        if model is None:
            continue
        baseline = _strongest([row for row in mine if not row["model_version"]], metric)
        found.append(
            {
                "task": task,
                "model": model["model"],
                "version": model["model_version"],
                "champion": registry.alias(model["model"]),
                "metric": metric,
                "value": model["value"],
                "ci": [model["ci_low"], model["ci_high"]],
                "baseline": baseline and [baseline["model"].removeprefix("baseline:"), baseline["value"]],
                "n": model["n"],
            }
        )
    return found


def _strongest(rows: list[dict[str, Any]], metric: str) -> dict[str, Any] | None:
    """The baseline that is hardest to beat; of perplexity less is better."""
    sign = -1 if metric.startswith("perplexity") else 1
    return max(rows, key=lambda row: sign * row["value"], default=None)


def _model_table(models: list[dict[str, Any]]) -> Table:
    table = Table(title="Models, with 95 % intervals on held-out rows", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("task", "version", "champion", "metric", "score", "baseline"):
        table.add_column(name)
    for row in models:
        low, high = row["ci"]
        score = f"{row['value']:.3f} ({low:.3f} – {high:.3f})"
        baseline = f"{row['baseline'][1]:.3f} {row['baseline'][0]}" if row["baseline"] else ""
        table.add_row(row["task"], row["version"], row["champion"] or "none", row["metric"], score, baseline)
    return table


def _try_line(datasets: list[dict[str, Any]]) -> str | None:
    paths = {row["dataset"]: Path(row["path"]) for row in datasets}
    name = next((name for name in _READABLE if name in paths), None)
    if name is None:
        return None
    return f"{_python()} -c \"import polars as pl; print(pl.read_parquet('{paths[name]}/*.parquet'))\""
