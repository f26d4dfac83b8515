"""What a worker makes of a unit: a part's files and what is judged of it. Loads little, as every worker does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from data.conform import conform
from data.contracts import CONTRACTS, Contract
from data.errors import ContractError
from data.versions import Build, Part, check_counts
from pipelines.checks import observe
from pipelines.drift import profile
from pipelines.extract import REJECT_SCHEMA
from pipelines.validate import ids_of

FILE = "file"
"""The fact of a part that names the file its records come from."""
PROFILE = "profile"
"""The fact of a part that holds what later versions are compared with."""


@dataclass(frozen=True)
class Output:
    """What a step made of one part. `counts` are those of the step, before validation."""

    frame: pl.DataFrame
    counts: dict[str, Any]
    rejects: pl.DataFrame | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, str] | None = None


@dataclass(frozen=True)
class Draft:
    """What a worker made of a unit: files on the disk that no note vouches for yet, and what is judged of them.

    `part` is None where the rows do not fit the schema; `output` then holds them.
    """

    part: Part | None
    output: Output
    light: pl.DataFrame
    ids: pl.Series | None


def tally(n_in: int, kept: int, rejects: pl.DataFrame) -> dict[str, Any]:
    """Counts of a stage from its rejects. Raises AccountingError if a record is missing."""
    counts: dict[str, Any] = {"in": n_in, "kept": kept, "filtered": {}, "failed": {}}
    for kind, reason in rejects.select("kind", "reason").iter_rows():
        counts[kind][reason] = counts[kind].get(reason, 0) + 1
    check_counts("stage", counts)
    return counts


def draft(target: Build, index: int, key: str, compute: Callable[[], Output]) -> Draft:
    """In a worker: compute a part and write its files. Great Expectations judges it in the parent: it loads slowly."""
    output = compute()
    light, ids = observe(output.frame, target.contract), ids_of(output.frame)
    try:
        table = conform(output.frame, target.contract)
    except ContractError:
        return Draft(None, output, light, ids)
    rejects = merged_rejects(output.rejects, None, kept_from=output.frame, contract=target.contract)
    part = target.draft(
        index,
        key,
        table,
        counts=output.counts,
        rejects=conform(rejects, CONTRACTS["rejects"]) if rejects.height else None,
        metadata=output.metadata,
    )
    facts = {**output.facts, PROFILE: profile(output.frame, light, target.contract)}
    return Draft(part, replace(output, frame=pl.DataFrame(), rejects=None, facts=facts), light, ids)


def merged_rejects(
    rejects: pl.DataFrame | None, failures: pl.DataFrame | None, *, kept_from: pl.DataFrame, contract: Contract
) -> pl.DataFrame:
    """Rejects of the step, and of the validation of what it kept, in one frame."""
    frames = [] if rejects is None or not rejects.height else [rejects.select(REJECT_SCHEMA.keys())]
    if failures is not None and failures.height:
        frames.append(_set_apart(kept_from[failures["row"].to_list()], failures, contract))
    return pl.concat(frames, how="vertical_relaxed") if frames else pl.DataFrame(schema=REJECT_SCHEMA)


def _set_apart(rows: pl.DataFrame, failures: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """A reject for each row that broke the contract; its origin is the dataset and what identifies the row there."""
    absent = pl.lit(None, pl.String)
    doc_id = pl.col("doc_id").cast(pl.String) if "doc_id" in rows.columns else absent
    own = pl.col("source").cast(pl.String) if "source" in rows.columns else absent
    key = [pl.col(name).cast(pl.String).fill_null("?") for name in contract.key if name in rows.columns]
    return rows.select(
        doc_id.alias("doc_id"),
        pl.coalesce(own, doc_id.str.split(":").list.first(), pl.lit("unknown")).alias("source"),
        pl.concat_str(pl.lit(f"{contract.name}/"), pl.concat_str(key or [pl.lit("?")], separator="/")).alias("origin"),
        pl.lit("validate").alias("stage"),
        pl.lit("failed").alias("kind"),
        failures["reason"],
        failures["detail"],
        pl.lit(None, pl.Int32).alias("n_chars"),
    ).select(REJECT_SCHEMA.keys())
