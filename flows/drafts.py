"""What a worker makes of a unit: a part's files and what is judged of it. Loads little, as every worker does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from data.conform import conform
from data.contracts import CONTRACTS, Contract
from data.errors import ContractError
from data.versions import Build, Part, add_counts, check_counts
from data.writing import PartWriter
from pipelines.checks import ROW, observe
from pipelines.drift import Profile, added, profile
from pipelines.extract import REJECT_SCHEMA
from pipelines.validate import ids_of, validate_light, without
from pipelines.verdicts import PartResult, together

FILE = "file"
"""The fact of a part that names the file its records come from."""
PROFILE = "profile"
"""The fact of a part that holds what later versions are compared with."""
DISTINCT = "distinct"
"""The fact of a part that names the key of which no value stands twice in it."""


@dataclass(frozen=True)
class Output:
    """What a step made of one part, or of one batch of it. `counts` are those of the step, before validation."""

    frame: pl.DataFrame
    counts: dict[str, Any]
    rejects: pl.DataFrame | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, str] | None = None


@dataclass(frozen=True)
class Draft:
    """What a worker made of a unit: files on the disk that no note vouches for yet, and what is judged of them.

    `result` is the judgement where it is passed: rows that did not fit the schema had to go before they were written.
    """

    part: Part
    light: pl.DataFrame
    ids: pl.Series | None
    metadata: dict[str, str] | None
    result: PartResult | None = None


def tally(n_in: int, kept: int, rejects: pl.DataFrame) -> dict[str, Any]:
    """Counts of a stage from its rejects. Raises AccountingError if a record is missing."""
    counts: dict[str, Any] = {"in": n_in, "kept": kept, "filtered": {}, "failed": {}}
    for kind, reason in rejects.select("kind", "reason").iter_rows():
        counts[kind][reason] = counts[kind].get(reason, 0) + 1
    check_counts("stage", counts)
    return counts


Compute = Callable[[], Output | Iterable[Output]]
"""What makes a part: as a whole, or batch by batch; called again where rows turn out not to fit the schema."""


def draft(target: Build, index: int, key: str, compute: Compute) -> Draft:
    """In a worker: compute a part and write its files. Great Expectations judges it in the parent: it loads slowly."""
    try:
        return written(target, index, key, _batches(compute))
    except ContractError:
        results: list[PartResult] = []
        kept = (_judged(output, target.contract, results) for output in _batches(compute))
        return replace(written(target, index, key, kept), result=together(results))


def _batches(compute: Compute) -> Iterable[Output]:
    made = compute()
    return [made] if isinstance(made, Output) else made


def _judged(output: Output, contract: Contract, results: list[PartResult]) -> Output:
    failures, result = validate_light(observe(output.frame, contract), ids_of(output.frame), contract)
    results.append(result)
    return set_apart(output, failures, contract)


def written(
    target: Build, index: int, key: str, outputs: Iterable[Output], *, counts: dict[str, Any] | None = None
) -> Draft:
    """Write a part batch by batch, of which no more than one is held; `counts` are those of all, where they are known.

    Raises ContractError for a batch that does not fit the schema; nothing is left of the part then.
    """
    seen: list[_Seen] = []
    with target.opened(index, key) as (part, finish):
        for output in outputs:
            seen.append(_write(part, output, target.contract))
            del output  # before the next one is made
        made = finish(counts or _added_counts([each.counts for each in seen]))
    profiles = [each.profile for each in seen]
    light, ids = _lights(seen)
    facts = {**_added([each.facts for each in seen]), PROFILE: profiles[0] if len(seen) == 1 else added(profiles)}
    if ids is not None and ids.n_unique() == len(ids):
        facts[DISTINCT] = "doc_id"
    return Draft(replace(made, facts=facts), light, ids, seen[-1].metadata)


@dataclass(frozen=True)
class _Seen:
    """What is left of a batch that is written."""

    counts: dict[str, Any]
    facts: dict[str, Any]
    profile: Profile
    light: pl.DataFrame
    ids: pl.Series | None
    metadata: dict[str, str] | None


def _write(part: PartWriter, output: Output, contract: Contract) -> _Seen:
    light, ids = observe(output.frame, contract), ids_of(output.frame)
    part.add(conform(output.frame, contract), metadata=output.metadata)
    if output.rejects is not None and output.rejects.height:
        part.reject(conform(output.rejects.select(REJECT_SCHEMA.keys()), CONTRACTS["rejects"]))
    return _Seen(output.counts, output.facts, profile(output.frame, light, contract), light, ids, output.metadata)


def _lights(seen: list[_Seen]) -> tuple[pl.DataFrame, pl.Series | None]:
    """The light columns and the ids of all batches, rows numbered through."""
    if len(seen) == 1:
        return seen[0].light, seen[0].ids
    light = pl.concat([each.light for each in seen], how="vertical_relaxed")
    ids = [each.ids for each in seen if each.ids is not None]
    return light.with_columns(pl.int_range(pl.len()).alias(ROW)), pl.concat(ids) if ids else None


def _added_counts(counts: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts of all batches, with the rows where a step makes others than it reads."""
    if len(counts) == 1:
        return counts[0]
    rows = {"rows": sum(each["rows"] for each in counts)} if counts and "rows" in counts[0] else {}
    return {**add_counts(counts), **rows}


def _added(facts: list[dict[str, Any]]) -> dict[str, Any]:
    """Facts of all batches: numbers add up, and what else they tell is the same in each."""
    total: dict[str, Any] = {}
    for name, value in (item for one in facts for item in one.items()):
        if isinstance(value, dict):
            value = _added([total.get(name, {}), value])  # noqa: PLW2901
        total[name] = total.get(name, 0) + value if isinstance(value, int) else value
    return total


def set_apart(output: Output, failures: pl.DataFrame, contract: Contract) -> Output:
    """A batch without the rows that break the contract, which are rejects now."""
    kept = without(output.frame, failures)
    rejects = merged_rejects(output.rejects, failures, kept_from=output.frame, contract=contract)
    return replace(output, frame=kept, counts=less(output.counts, failures, kept.height), rejects=rejects)


def less(counts: dict[str, Any], failures: pl.DataFrame, kept: int) -> dict[str, Any]:
    """Counts of a step, after validation: rows that fail are no longer kept.

    Where a step makes other rows than it reads (`rows`), such as mentions of documents, those that fail are counted as
    having come in, too: no document is lost with them.
    """
    if not failures.height:
        return counts
    failed = dict(Counter(counts["failed"]) + Counter(failures["reason"].to_list()))
    if "rows" in counts:
        return {**counts, "in": counts["in"] + failures.height, "failed": failed, "rows": kept}
    return {**counts, "kept": counts["kept"] - failures.height, "failed": failed}


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
