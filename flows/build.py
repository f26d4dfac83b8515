"""Make a dataset version out of parts: find or compute each, validate it, commit the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from data import files
from data.conform import conform
from data.contracts import CONTRACTS, Contract
from data.errors import TextmillError
from data.hashing import fingerprint
from data.versions import Build, Part, add_counts
from flows.job import Job, Ref, tools
from pipelines import validate
from pipelines.extract import REJECT_SCHEMA


class ErrorBudgetError(TextmillError):
    """Too many records could not be handled; nothing was published."""


@dataclass(frozen=True)
class Output:
    """What a step made of one part. `counts` are those of the step, before validation."""

    frame: pl.DataFrame
    counts: dict[str, Any]
    rejects: pl.DataFrame | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, str] | None = None


@dataclass(frozen=True)
class Unit:
    """A part to be made: its key tells whether it is there already."""

    index: int
    key: str
    compute: Callable[[], Output]


def build(job: Job, dataset: str, version: str, units: Iterable[Unit], *, inputs: Any, config: Any) -> Ref:
    """The dataset version, made from `units` unless it is published. Raises ValidationError, ErrorBudgetError."""
    contract = CONTRACTS[dataset]
    target = Build(job.lake, job.pipeline, contract, version)
    if (manifest := target.published) is not None:
        return Ref(dataset, version, manifest["rows"], reused=True)
    parts = [_part(target, unit) for unit in units]
    check_budget(job, dataset, add_counts([part.counts for part in parts]))
    verdicts = judge(job, target, parts)
    manifest = target.commit(
        parts,
        {
            "inputs": inputs,
            "config": config,
            "run": job.run_id,
            "committed_in_run_started": job.started,
            "validation": [verdict.as_json() for verdict in verdicts],
        },
    )
    return Ref(dataset, version, manifest["rows"], reused=False)


def _part(target: Build, unit: Unit) -> Part:
    """The part under its full key, which holds the contract and the libraries too, found or made."""
    full = replace(unit, key=fingerprint([unit.key, target.contract.describe(), tools()]))
    return target.find(full.index, full.key) or make(target, full)


def make(target: Build, unit: Unit) -> Part:
    """Compute a part, quarantine the rows that break the contract, write the rest."""
    output = unit.compute()
    kept, failures, result = validate.validate_rows(output.frame, target.contract)
    counts = {**output.counts, "kept": output.counts["kept"] - failures.height}
    if failures.height:
        counts["failed"] = dict(Counter(counts["failed"]) + Counter(failures["reason"].to_list()))
    if "rows" in output.counts:
        counts["rows"] = kept.height
    rejects = _rejects(output.rejects, failures, kept_from=output.frame, dataset=target.contract.name)
    return target.write(
        unit.index,
        unit.key,
        conform(kept, target.contract),
        counts=counts,
        rejects=conform(rejects, CONTRACTS["rejects"]) if rejects.height else None,
        metadata=output.metadata,
        facts={**output.facts, "validation": result.as_json()},
    )


def check_budget(job: Job, dataset: str, counts: dict[str, Any]) -> None:
    """Raise ErrorBudgetError when more records failed than the recipe allows."""
    failed = sum(counts["failed"].values())
    if counts["in"] and failed / counts["in"] > job.recipe.max_failed_share:
        worst = max(counts["failed"], key=counts["failed"].__getitem__)
        raise ErrorBudgetError(
            f"{dataset}: {failed} of {counts['in']} records failed, most with '{worst}'; the budget is "
            f"{job.recipe.max_failed_share:.0%} (max_failed_share). Nothing was published."
        )


def judge(job: Job, target: Build, parts: list[Part]) -> list[validate.Verdict]:
    """Verdicts on the whole dataset; a failing one ends the run and leaves a page that shows why."""
    contract = target.contract
    keys = key_frame(target, contract, parts)
    rows = sum(part.rows for part in parts)
    verdicts = validate.merge([validate.PartResult.from_json(part.facts["validation"]) for part in parts])
    verdicts += validate.validate_dataset(keys, rows, contract)
    failed = [verdict for verdict in verdicts if verdict.scope == "dataset" and not verdict.success]
    if failed:
        page = job.report_folder / f"validation-{contract.name}.html"
        files.write_bytes(page, validate.render_page(contract.name, verdicts).encode("utf-8"))
        raise validate.failure(failed[0], page=str(page))
    return verdicts


def key_frame(target: Build, contract: Contract, parts: list[Part]) -> pl.DataFrame:
    """The columns that dataset-wide expectations look at."""
    columns = [str(e.kwargs["column"]) for e in contract.expectations if e.scope == "dataset" and "column" in e.kwargs]
    tables = [pq.read_table(target.folder / part.file, columns=sorted(set(columns))) for part in parts]
    frames = [pl.DataFrame(pl.from_arrow(table)) for table in tables]
    return pl.concat(frames) if frames else pl.DataFrame()


def _rejects(
    rejects: pl.DataFrame | None, failures: pl.DataFrame, *, kept_from: pl.DataFrame, dataset: str
) -> pl.DataFrame:
    """Rejects of the step and of the validation, in one frame."""
    frames = [] if rejects is None or not rejects.height else [rejects.select(REJECT_SCHEMA.keys())]
    if failures.height:
        rows = kept_from[failures["row"].to_list()]
        source = pl.col("doc_id").cast(pl.String).str.split(":").list.first().fill_null("unknown")
        ids = rows.select(
            pl.col("doc_id") if "doc_id" in rows.columns else pl.lit(None, pl.String).alias("doc_id"),
        )
        frames.append(
            ids.with_columns(
                source.alias("source"),
                pl.format("{}/{}", pl.lit(dataset), pl.col("doc_id").fill_null("?")).alias("origin"),
                pl.lit("validate").alias("stage"),
                pl.lit("failed").alias("kind"),
                failures["reason"],
                failures["detail"],
                pl.lit(None, pl.Int32).alias("n_chars"),
            ).select(REJECT_SCHEMA.keys())
        )
    return pl.concat(frames, how="vertical_relaxed") if frames else pl.DataFrame(schema=REJECT_SCHEMA)
