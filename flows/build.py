"""Make a dataset version out of parts: find or compute each, validate it, commit the whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from data import memory, tables
from data.contracts import CONTRACTS
from data.errors import TextmillError
from data.hashing import ending
from data.versions import Build, Part, add_counts
from flows.drafts import Compute, Draft, Output, draft, less, set_apart, tally, written
from flows.job import Job, Ref, made_with, tools
from flows.judging import Basis, judge, refuse_breaking
from flows.workers import OutOfTimeError, Pool
from pipelines import validate

__all__ = ["ErrorBudgetError", "Output", "Unit", "build", "finish", "make", "tally"]


_BYTES_TOGETHER, _PARTS_TOGETHER = 16 << 20, 64
"""What is judged at once: files of so many bytes, or so many parts; no fewer parts than workers are given."""
Finder = Callable[[Build, int, str], Part | None]


class ErrorBudgetError(TextmillError):
    """Too many records could not be handled; nothing was published."""


@dataclass(frozen=True)
class Unit:
    """A part to be made: its key tells whether it is there already.

    `compute` gives it whole, or batch by batch; for worker processes it is a partial of a function that can be
    imported. `retry` takes its place where a worker ran out of CPU time in one page. `told` is called when the part
    is there. A `light` one has next to nothing to do: no worker is started for it beside another.
    """

    index: int
    key: str
    compute: Compute
    told: Callable[[], None] = lambda: None
    retry: Compute | None = None
    light: bool = False


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
    find: Finder = Build.find,
) -> Ref:
    """The dataset version, made from `units` unless it is published; by the workers of `pool` if there is one.

    `find` looks for finished parts; `settle` may change parts once all are known, for what concerns several of them.
    Raises ValidationError, ErrorBudgetError.
    """
    contract = CONTRACTS[dataset]
    target = Build(job.lake, job.pipeline, contract, version)
    if (manifest := target.published) is not None:
        return Ref(dataset, version, manifest["rows"], reused=True)
    refuse_breaking(job, contract)
    parts = settle(target, list(_parts(target, units, pool, find)))
    check_budget(job, dataset, add_counts([part.counts for part in parts]))
    judgement = judge(job, target, parts, Basis(inputs, config))
    manifest = target.commit(
        parts,
        {
            "inputs": inputs,
            "config": config,
            "made_with": made_with(),
            "run": job.run_id,
            "committed_in_run_started": job.started,
            **judgement,
        },
    )
    memory.release()
    return Ref(dataset, version, manifest["rows"], reused=False)


def _parts(target: Build, units: Iterable[Unit], pool: Pool | None, find: Finder) -> Iterator[Part]:
    """The parts in order, found or made."""
    if pool is not None:
        yield from _made_apart(target, units, pool, find)
        return
    for full in _full(target, units):
        part = find(target, full.index, full.key) or make(target, full)
        full.told()
        yield part


def _full(target: Build, units: Iterable[Unit]) -> Iterator[Unit]:
    """The units under their full keys, which hold the contract and the libraries, too."""
    key = ending(target.contract.describe(), tools())
    return (replace(unit, key=key(unit.key)) for unit in units)


def _made_apart(target: Build, units: Iterable[Unit], pool: Pool, find: Finder) -> Iterator[Part]:
    """The parts that workers make, judged some at a time. `pool.room` units are held at the most."""
    waiting: deque[tuple[Unit, Part | Future[Draft]]] = deque()
    arrived: list[tuple[Unit, Part | Draft]] = []
    with validate.loading() as load:
        for unit in _full(target, units):
            waiting.append((unit, find(target, unit.index, unit.key) or _submit(pool, target, unit)))
            while len(waiting) > pool.room:
                load()  # now that there is nothing to do here but to wait
                arrived.append(_arrived(target, pool, *waiting.popleft()))
            if _is_due(arrived, pool):
                yield from _finished(target, arrived)
                arrived = []
        load()
        arrived += [_arrived(target, pool, *each) for each in waiting]
        yield from _finished(target, arrived)


def _is_due(arrived: list[tuple[Unit, Part | Draft]], pool: Pool) -> bool:
    """Whether it is time to judge: a judgement takes the same time for few rows as for many.

    What is not judged is lost when the run is killed: about the work on a part of default size.
    """
    size = sum(made.part.bytes for _, made in arrived if isinstance(made, Draft))
    return len(arrived) >= pool.room and (size >= _BYTES_TOGETHER or len(arrived) >= _PARTS_TOGETHER)


def _submit(pool: Pool, target: Build, unit: Unit) -> Future[Draft]:
    return pool.submit(draft, replace(target), unit.index, unit.key, unit.compute, light=unit.light)


def _arrived(target: Build, pool: Pool, unit: Unit, made: Part | Future[Draft]) -> tuple[Unit, Part | Draft]:
    """The unit, without what it was made of, and what was made of it.

    A unit on which a worker spent its CPU time is tried once more, with care.
    """
    done = made if isinstance(made, Part) else _drafted(target, pool, unit, made)
    unit.told()
    return Unit(unit.index, unit.key, _nothing), done


def _nothing() -> Output:
    raise RuntimeError("a unit that was made is made again; please report this as a bug")


def _drafted(target: Build, pool: Pool, unit: Unit, made: Future[Draft]) -> Draft:
    try:
        return made.result()
    except OutOfTimeError:
        if unit.retry is None:
            raise
        return _submit(pool, target, replace(unit, compute=unit.retry)).result()


def make(target: Build, unit: Unit) -> Part:
    """Compute a part, write it, and quarantine the rows that break the contract."""
    return next(_finished(target, [(unit, draft(target, unit.index, unit.key, unit.compute))]))


def _finished(target: Build, arrived: list[tuple[Unit, Part | Draft]]) -> Iterator[Part]:
    """The parts of an order of drafts, all judged at once."""
    drafts = [made for _, made in arrived if isinstance(made, Draft)]
    verdicts = iter(validate.validate_lights([(each.light, each.ids) for each in drafts], target.contract))
    for unit, made in arrived:
        yield made if isinstance(made, Part) else finish(target, unit, made, *next(verdicts))


def finish(target: Build, unit: Unit, drafted: Draft, failures: pl.DataFrame, result: validate.PartResult) -> Part:
    """Commit what a worker wrote, as it was judged; where rows break the contract, write it again without them."""
    if failures.height:
        part = drafted.part
        counts = less(part.counts, failures, part.rows - failures.height)
        drafted = written(target, unit.index, unit.key, _without(target, drafted, failures), counts=counts)
        drafted = replace(drafted, part=replace(drafted.part, facts={**part.facts, **drafted.part.facts}))
    facts = {**drafted.part.facts, "validation": (drafted.result or result).as_json(target.contract)}
    return target.note(replace(drafted.part, facts=facts))


def _without(target: Build, drafted: Draft, failures: pl.DataFrame) -> Iterator[Output]:
    """What a worker wrote, batch by batch, without the rows that fail; the first has all that was rejected before."""
    part = drafted.part
    rejects = pl.read_parquet(target.folder / part.rejects_file) if part.rejects_file else None
    first = 0
    for frame in tables.batches(target.folder / part.file):
        mine = failures.filter(pl.col("row").is_between(first, first + frame.height - 1))
        mine = mine.with_columns(pl.col("row") - first)
        first += frame.height
        yield set_apart(Output(frame, add_counts([]), rejects, metadata=drafted.metadata), mine, target.contract)
        rejects = None


def check_budget(job: Job, dataset: str, counts: dict[str, Any]) -> None:
    """Raise ErrorBudgetError when more records failed than the recipe allows."""
    failed = sum(counts["failed"].values())
    if counts["in"] and failed / counts["in"] > job.recipe.max_failed_share:
        worst = max(counts["failed"], key=counts["failed"].__getitem__)
        raise ErrorBudgetError(
            f"{dataset}: {failed} of {counts['in']} records failed, most with '{worst}'; the budget is "
            f"{job.recipe.max_failed_share:.0%} (max_failed_share). Nothing was published."
        )
