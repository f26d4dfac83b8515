"""From sources to a corpus: the functions behind the tasks of the corpus flow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import polars as pl

from data import tables
from data.catalogue import Source
from data.hashing import ending, fingerprint
from data.progress import Progress
from flows.build import Output, Unit, build, tally
from flows.job import Job, Ref
from flows.settings import Settings
from flows.stages import versions
from flows.stages.documents import documents
from pipelines import clean, dedup
from pipelines.clean import CleanConfig
from pipelines.download import RawFile, download

__all__ = ["candidates", "corpus", "documents", "duplicates", "fetch", "part_key", "read", "read_part"]

_READ_TOGETHER = 4 << 20


def fetch(job: Job, source: Source) -> list[RawFile]:
    """The files of a source in the lake, in order."""
    listen = job.listen(f"Download {source.name}", unit="B")
    return download(source, job.lake.raw / source.name, network=Settings().network(), progress=listen)


def candidates(job: Job, documents: Ref) -> Ref:
    """Clean text of the documents that pass the filters which look at one document alone."""
    config = versions.candidates_config(job)
    version = versions.candidates(job, documents.version)
    options = versions.clean_config(job)

    key = ending(config)

    def unit(part: dict[str, Any], told: Callable[[], None]) -> Unit:
        compute = partial(_clean, job.path(documents) / part["file"], options)
        return Unit(part["index"], key(part["key"], part["sha256"]), compute, told, light=not part["rows"])

    units = _each(job, documents, job.listen("Clean"), unit)
    return build(job, "candidates", version, units, inputs=[documents.recorded()], config=config, pool=job.pool)


def duplicates(job: Job, candidates: Ref) -> Ref:
    """Exact and near duplicates among all candidates, and which document stands for each."""
    version = versions.duplicates(job, candidates.version)
    config = versions.dedup_config(job)
    key = fingerprint([candidates.version, config])
    unit = Unit(0, key, lambda: _find_duplicates(job, candidates))
    return build(job, "duplicates", version, [unit], inputs=[candidates.recorded()], config=config)


def corpus(job: Job, candidates: Ref, duplicates: Ref) -> Ref:
    """The candidates without the duplicates."""
    version = versions.corpus(candidates.version, duplicates.version)

    @cache
    def decisions() -> tuple[pl.DataFrame, dedup.UInt64s]:
        """What goes, made when the first part asks for it: a corpus that is published asks for nothing."""
        config, removed = versions.dedup_options(job), read(job, duplicates).sort("doc_id")
        parts = _readers(job, candidates) if config.repeated.max_documents else []
        return removed, dedup.repeated_lines(parts, config=config, scratch=_scratch(job))

    def unit(part: dict[str, Any], told: Callable[[], None]) -> Unit:
        removed, repeated = decisions()
        return _corpus_unit(job, candidates, part, removed=removed, repeated=repeated, told=told)

    units = _each(job, candidates, job.listen("Deduplicate"), unit)
    inputs = [candidates.recorded(), duplicates.recorded()]
    config = {"candidates": versions.candidates_config(job), "duplicates": versions.dedup_config(job)}
    return build(job, "corpus", version, units, inputs=inputs, config=config, pool=job.pool)


def read(job: Job, ref: Ref, columns: list[str] | None = None) -> pl.DataFrame:
    """A whole dataset version, or some columns of it."""
    paths = job.lake.parts(job.pipeline, ref.dataset, ref.version)
    return tables.read_all(paths, columns)


def read_part(job: Job, ref: Ref, part: dict[str, Any], columns: list[str] | None = None) -> pl.DataFrame:
    """One part of a dataset version."""
    return tables.read(job.path(ref) / part["file"], columns)


def read_batches(job: Job, ref: Ref, part: dict[str, Any], columns: list[str] | None = None) -> Iterator[pl.DataFrame]:
    """The same a batch at a time."""
    return tables.batches(job.path(ref) / part["file"], columns)


def part_key(part: dict[str, Any], *decisions: Any) -> str:
    """Key of work on a part: its own key and hash, and whatever else decides the outcome."""
    return fingerprint([part["key"], part["sha256"], *decisions])


def _each(
    job: Job, ref: Ref, listen: Progress, unit: Callable[[dict[str, Any], Callable[[], None]], Unit]
) -> Iterator[Unit]:
    """A unit for each part of a dataset; progress counts rows, also those of parts that need no work."""
    done = 0
    for part in job.manifest(ref)["parts"]:
        done += part["rows"]
        yield unit(part, partial(listen, done, max(ref.rows, 1)))


def _clean(path: Path, config: CleanConfig) -> Iterable[Output]:
    return map(partial(_cleaned, config=config), tables.batches(path))


def _cleaned(frame: pl.DataFrame, config: CleanConfig) -> Output:
    kept, rejects = clean.clean(frame, config=config)
    return Output(kept, tally(frame.height, kept.height, rejects), rejects)


def _find_duplicates(job: Job, ref: Ref) -> Output:
    found = dedup.find_duplicates(_readers(job, ref), config=versions.dedup_options(job), scratch=_scratch(job))
    return Output(found, {"in": ref.rows, "kept": ref.rows, "rows": found.height, "filtered": {}, "failed": {}})


def _readers(job: Job, ref: Ref) -> list[dedup.Part]:
    """A reader of columns for each batch of each part, in the order of the sources.

    Small neighbours are read together, as opening a file takes longer than reading its signatures.
    """
    found: list[dedup.Part] = []
    for group in _neighbours(job.manifest(ref)["parts"]):
        paths = [job.path(ref) / part["file"] for part in group]
        if len(paths) > 1:
            found.append(partial(tables.read_all, paths))
        else:
            found += [partial(tables.read_groups, paths[0], groups) for groups in tables.groups_of(paths[0])]
    return found


def _neighbours(parts: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Parts in their order, as many together as have few bytes."""
    group: list[dict[str, Any]] = []
    for part in parts:
        if group and sum(one["bytes"] for one in group) + part["bytes"] > _READ_TOGETHER:
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _scratch(job: Job) -> Path:
    """Where large temporary files stand; swept with all that is half built."""
    return job.lake.scratch(job.pipeline)


def _corpus_unit(
    job: Job,
    ref: Ref,
    part: dict[str, Any],
    *,
    removed: pl.DataFrame,
    repeated: dedup.UInt64s,
    told: Callable[[], None],
) -> Unit:
    """The key holds the decisions on this part's documents alone, so that other parts' leave it as it is."""
    decisions, lines = _between(removed, part), repeated
    if len(decisions) or len(repeated):
        own = read_part(job, ref, part, ["doc_id", "line_hashes"] if len(repeated) else ["doc_id"])
        decisions = decisions.join(own.select("doc_id"), on="doc_id", how="semi").sort("doc_id")
        lines = dedup.of_part(own["line_hashes"], repeated) if len(repeated) else repeated
    config = versions.dedup_options(job).repeated
    compute = partial(_without, job.path(ref) / part["file"], decisions, lines, config)
    trimming = [lines.tolist(), config.max_share] if len(lines) else []
    full = part_key(part, decisions.rows(), trimming, dedup.VERSION, "corpus")
    return Unit(part["index"], full, compute, told, light=not part["rows"])


def _between(removed: pl.DataFrame, part: dict[str, Any]) -> pl.DataFrame:
    """The decisions, in the order of their ids, that may be on this part's documents by the range of its ids."""
    if not part["rows"]:
        return removed.clear()
    low, high = part["bounds"].get("doc_id", (None, None))
    if low is None or not removed.height:
        return removed
    first, stop = removed["doc_id"].search_sorted(low, "left"), removed["doc_id"].search_sorted(high, "right")
    return removed[first:stop]


def _without(
    path: Path, decisions: pl.DataFrame, lines: dedup.UInt64s, config: dedup.RepeatedConfig
) -> Iterable[Output]:
    """A part of the candidates without the duplicates and the repeated lines in it."""
    return map(partial(_applied, decisions=decisions, lines=lines, config=config), tables.batches(path))


def _applied(
    frame: pl.DataFrame, decisions: pl.DataFrame, lines: dedup.UInt64s, config: dedup.RepeatedConfig
) -> Output:
    made = dedup.apply(frame, decisions, repeated=lines, config=config)
    facts = {"repeated_lines": made.facts} if made.facts else {}
    return Output(made.corpus, tally(frame.height, made.corpus.height, made.rejects), made.rejects, facts)
