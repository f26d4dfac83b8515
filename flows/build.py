"""Make a dataset version out of parts: find or compute each, validate it, commit the whole."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from data import files
from data.conform import conform
from data.contracts import CONTRACTS, Contract
from data.errors import ContractError, TextmillError
from data.hashing import fingerprint
from data.versions import Build, Part, add_counts, check_counts
from flows.job import Job, Ref, tools
from flows.workers import OutOfTimeError, Pool
from pipelines import validate
from pipelines.checks import observe
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
    """A part to be made: its key tells whether it is there already.

    For worker processes, `compute` is a partial of a function that can be imported. `retry` takes its place where
    a worker ran out of CPU time in one page. `told` is called when the part is there.
    """

    index: int
    key: str
    compute: Callable[[], Output]
    told: Callable[[], None] = lambda: None
    retry: Callable[[], Output] | None = None


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


def build(
    job: Job,
    dataset: str,
    version: str,
    units: Iterable[Unit],
    *,
    inputs: Any,
    config: Any,
    pool: Pool | None = None,
    settle: Callable[[Build, list[Part]], list[Part]] = lambda _, parts: parts,
) -> Ref:
    """The dataset version, made from `units` unless it is published; by the workers of `pool` if there is one.

    `settle` may change parts once all are known, for what concerns several of them. Raises ValidationError,
    ErrorBudgetError.
    """
    contract = CONTRACTS[dataset]
    target = Build(job.lake, job.pipeline, contract, version)
    if (manifest := target.published) is not None:
        return Ref(dataset, version, manifest["rows"], reused=True)
    parts = settle(target, list(_parts(target, units, pool)))
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


def _parts(target: Build, units: Iterable[Unit], pool: Pool | None) -> Iterator[Part]:
    """The parts in order, found or made. At most `pool.room` units are held at a time, whatever their number."""
    waiting: deque[tuple[Unit, Part | Future[Draft]]] = deque()
    for unit in units:
        # The full key holds the contract and the libraries, too.
        full = replace(unit, key=fingerprint([unit.key, target.contract.describe(), tools()]))
        found = target.find(full.index, full.key)
        if pool is None:
            yield _told(full, found or make(target, full))
            continue
        waiting.append((full, found or _submit(pool, target, full)))
        while len(waiting) > pool.room:
            yield _arrived(target, pool, *waiting.popleft())
    while waiting and pool is not None:
        yield _arrived(target, pool, *waiting.popleft())


def _told(unit: Unit, part: Part) -> Part:
    unit.told()
    return part


def _submit(pool: Pool, target: Build, unit: Unit) -> Future[Draft]:
    return pool.submit(draft, replace(target), unit.index, unit.key, unit.compute)


def _arrived(target: Build, pool: Pool, unit: Unit, made: Part | Future[Draft]) -> Part:
    """The part, committed; a unit on which a worker spent its CPU time is tried once more, with care."""
    if isinstance(made, Part):
        return _told(unit, made)
    try:
        drafted = made.result()
    except OutOfTimeError:
        if unit.retry is None:
            raise
        drafted = _submit(pool, target, replace(unit, compute=unit.retry)).result()
    return _told(unit, finish(target, unit, drafted))


def make(target: Build, unit: Unit) -> Part:
    """Compute a part, quarantine the rows that break the contract, write the rest."""
    return _commit(target, unit, unit.compute())


def draft(target: Build, index: int, key: str, compute: Callable[[], Output]) -> Draft:
    """In a worker: compute a part and write its files. Great Expectations judges it in the parent: it loads slowly."""
    output = compute()
    light, ids = observe(output.frame, target.contract), validate.ids_of(output.frame)
    try:
        table = conform(output.frame, target.contract)
    except ContractError:
        return Draft(None, output, light, ids)
    rejects = _rejects(output.rejects, None, kept_from=output.frame, dataset=target.contract.name)
    part = target.draft(
        index,
        key,
        table,
        counts=output.counts,
        rejects=conform(rejects, CONTRACTS["rejects"]) if rejects.height else None,
        metadata=output.metadata,
    )
    return Draft(part, replace(output, frame=pl.DataFrame(), rejects=None), light, ids)


def finish(target: Build, unit: Unit, drafted: Draft) -> Part:
    """Judge what a worker wrote and commit it; where rows break the contract, write it again without them."""
    failures, result = validate.validate_light(drafted.light, drafted.ids, target.contract)
    if drafted.part is not None and not failures.height:
        facts = {**drafted.output.facts, "validation": result.as_json()}
        return target.note(replace(drafted.part, facts=facts))
    return _commit(target, unit, _reread(target, drafted))


def _reread(target: Build, drafted: Draft) -> Output:
    part = drafted.part
    if part is None:
        return drafted.output
    rejects = pl.read_parquet(target.folder / part.rejects_file) if part.rejects_file else None
    return replace(drafted.output, frame=pl.read_parquet(target.folder / part.file), rejects=rejects)


def _commit(target: Build, unit: Unit, output: Output) -> Part:
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
    rejects: pl.DataFrame | None, failures: pl.DataFrame | None, *, kept_from: pl.DataFrame, dataset: str
) -> pl.DataFrame:
    """Rejects of the step and of the validation, in one frame."""
    frames = [] if rejects is None or not rejects.height else [rejects.select(REJECT_SCHEMA.keys())]
    if failures is not None and failures.height:
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
