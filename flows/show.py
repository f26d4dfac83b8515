"""What a command prints at its end: tables for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from data.catalogue import Source
from data.contracts import CONTRACTS
from data.forgotten import learnt
from data.lake import Lake
from flows.listen import amount
from flows.plan import Plan
from pipelines.download import RawFile

_READABLE = ("summaries", "keyphrases", "corpus", "documents")
_GET = {"package": "included", "hand": "by hand"}
_SHOWN = 20  # files of a source whose paths are printed
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


def as_json_line(row: dict[str, Any]) -> None:
    """Print a row of a dataset as one line of JSON; times in ISO 8601."""
    print(json.dumps(row, ensure_ascii=False, default=lambda value: value.isoformat()))  # noqa: T201


def pairs(console: Console, title: str, rows: Mapping[str, str]) -> None:
    """Names and values below a title."""
    table = Table(title=title, title_justify="left", show_header=False, box=box.SIMPLE)
    for name, value in rows.items():
        table.add_row(Text(name), Text(value, overflow="fold"))
    console.print(table)


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
    found = Console(stderr=stderr, emoji=False)
    return found if found.is_terminal else Console(stderr=stderr, width=160, emoji=False)


def plain(console: Console, text: str) -> None:
    """A line that holds what people or files say: its brackets are no markup."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


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
        champions = [(row["model"], row["champion"]) for row in found["models"]]
        for line in learnt_what_was_forgotten(lake, champions):
            plain(console, line)
    if found["report"]:
        console.print(f"Report: {found['report']}", soft_wrap=True)
    if found["try"]:
        console.print(f"Try:    {found['try']}", soft_wrap=True, markup=False, highlight=False)


def learnt_what_was_forgotten(lake: Lake, champions: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    """A line for each champion (model, version) that was trained on a document that was forgotten since."""
    found = learnt(lake)
    for name, version in champions:
        if version and (ids := found.get((name, version))):
            number = f"{len(ids):,} {'document' if len(ids) == 1 else 'documents'}"
            yield (
                f"{name} {version}, the champion, was trained on {number} forgotten since; to have another: "
                f"`textmill models promote {name} latest --because WHY`"
            )


def source(source: Source) -> dict[str, Any]:
    """A source of the catalogue as plain data."""
    return {
        "name": source.name,
        "kind": source.kind,
        "get": _GET.get(source.scheme, "download"),
        "bytes": source.bytes if source.is_remote else source.path().stat().st_size,
        "licence": source.licence,
        "language": source.language,
        "about": source.about,
        "location": source.location,
        "by_hand": source.by_hand or None,
        "files": [{"name": file.name, "url": file.url, "bytes": file.size, **file.checksums} for file in source.listed],
    }


def sources(console: Console, found: list[Source]) -> None:
    """The catalogue: name and kind, how to get it and its size, what it is and its licence."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("name, kind", no_wrap=True)
    table.add_column("get, size", no_wrap=True)
    table.add_column("what, licence", overflow="fold")
    for one in found:
        facts = source(one)
        size = "size unknown" if facts["bytes"] is None else amount(facts["bytes"], 0, "B")
        pairs = ((one.name, one.kind), (facts["get"], size), (one.about, one.licence))
        table.add_row(
            *(
                Text.assemble((first, "bold" if first == one.name else ""), "\n", (second, "dim"))
                for first, second in pairs
            )
        )
    console.print(table)
    console.print(
        "`textmill sources get NAME` brings one into the lake; those to get by hand with --path FILE. "
        "Any wikipedia:<lang>[:<date>], path, folder, glob, URL or object-store address is a source too.",
        highlight=False,
    )


def fetched(console: Console, source: Source, raw: list[RawFile]) -> None:
    """Where the files of a source lie in the lake."""
    for file in raw[:_SHOWN]:
        console.print(f"{file.path}  {file.bytes:,} bytes  sha256 {file.sha256}", soft_wrap=True, highlight=False)
    if len(raw) > _SHOWN:
        console.print(f"… and {len(raw) - _SHOWN:,} files more", highlight=False)
    total = sum(file.bytes for file in raw)
    checked = sum(bool(file.checksums) for file in raw)
    verified = f"{checked:,} verified by a published checksum" if checked else "no checksum is published"
    console.print(
        f"{len(raw):,} {'file' if len(raw) == 1 else 'files'}, {amount(total, 0, 'B')}; {verified}. "
        f"Licence: {source.licence}.",
        soft_wrap=True,
        highlight=False,
    )


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
    paths = {row["dataset"]: row["path"] for row in datasets}
    name = next((name for name in _READABLE if name in paths), None)
    if name is None:
        return None
    return f"{_python()} -c \"import polars as pl; print(pl.read_parquet('{paths[name]}/*.parquet'))\""
