"""From sources to a corpus: the functions behind the tasks of the corpus flow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import polars as pl

from data.catalogue import Source
from data.hashing import fingerprint
from data.progress import Progress
from data.versions import check_counts
from flows.build import Output, Unit, build
from flows.job import Job, Ref
from flows.stages import versions
from pipelines import clean, dedup, extract, sources
from pipelines.download import RawFile, download
from pipelines.sources.records import Record


def fetch(job: Job, source: Source) -> RawFile:
    """The file of a source in the lake."""
    return download(source, job.lake.raw / source.name, progress=job.listen(f"Download {source.name}"))


def documents(job: Job, raw: list[RawFile]) -> Ref:
    """Plain text of every page; redirects, other namespaces and unreadable pages are rejected with a reason."""
    inputs = [(file.source, file.sha256) for file in raw]
    version = versions.documents(job, inputs)
    units = _document_units(job, raw)
    recorded = [{"raw": file.source, "file": file.path.name, "sha256": file.sha256} for file in raw]
    return build(job, "documents", version, units, inputs=recorded, config=versions.documents_config(job))


def candidates(job: Job, documents: Ref) -> Ref:
    """Clean text of the documents that pass the filters which look at one document alone."""
    config = versions.candidates_config(job)
    version = versions.candidates(job, documents.version)

    def unit(part: dict[str, Any], told: Callable[[int], None]) -> Unit:
        return Unit(part["index"], part_key(part, config), lambda: _clean(job, documents, part, told))

    units = _each(job, documents, job.listen("Clean"), unit)
    return build(job, "candidates", version, units, inputs=[vars(documents)], config=config)


def duplicates(job: Job, candidates: Ref) -> Ref:
    """Exact and near duplicates among all candidates, and which document stands for each."""
    version = versions.duplicates(job, candidates.version)
    config = versions.dedup_config(job)
    key = fingerprint([candidates.version, config])
    unit = Unit(0, key, lambda: _find_duplicates(job, candidates))
    return build(job, "duplicates", version, [unit], inputs=[vars(candidates)], config=config)


def corpus(job: Job, candidates: Ref, duplicates: Ref) -> Ref:
    """The candidates without the duplicates."""
    removed = read(job, duplicates)
    version = versions.corpus(candidates.version, duplicates.version)

    def unit(part: dict[str, Any], told: Callable[[int], None]) -> Unit:
        return _corpus_unit(job, candidates, part, removed, told)

    units = _each(job, candidates, job.listen("Deduplicate"), unit)
    return build(job, "corpus", version, units, inputs=[vars(candidates), vars(duplicates)], config={})


def read(job: Job, ref: Ref, columns: list[str] | None = None) -> pl.DataFrame:
    """A whole dataset version, or some columns of it."""
    paths = job.lake.parts(job.pipeline, ref.dataset, ref.version)
    return pl.read_parquet(paths, columns=columns) if paths else pl.DataFrame()


def read_part(job: Job, ref: Ref, part: dict[str, Any], columns: list[str] | None = None) -> pl.DataFrame:
    """One part of a dataset version."""
    return pl.read_parquet(job.path(ref) / part["file"], columns=columns)


def part_key(part: dict[str, Any], *decisions: Any) -> str:
    """Key of work on a part: its own key and hash, and whatever else decides the outcome."""
    return fingerprint([part["key"], part["sha256"], *decisions])


def tally(n_in: int, kept: int, rejects: pl.DataFrame) -> dict[str, Any]:
    """Counts of a stage from its rejects. Raises AccountingError if a record is missing."""
    counts: dict[str, Any] = {"in": n_in, "kept": kept, "filtered": {}, "failed": {}}
    for kind, reason in rejects.select("kind", "reason").iter_rows():
        counts[kind][reason] = counts[kind].get(reason, 0) + 1
    check_counts("stage", counts)
    return counts


def _each(
    job: Job, ref: Ref, listen: Progress, unit: Callable[[dict[str, Any], Callable[[int], None]], Unit]
) -> Iterator[Unit]:
    """A unit for each part of a dataset; progress counts rows, also those of parts that need no work."""
    done = 0

    def told(rows: int) -> None:
        listen(done + rows, max(ref.rows, 1))

    for part in job.manifest(ref)["parts"]:
        yield unit(part, told)
        done += part["rows"]
        told(0)


def _document_units(job: Job, raw: list[RawFile]) -> Iterator[Unit]:
    index = 0
    for number, file in enumerate(raw):
        source = next(source for source in job.sources if source.name == file.source)
        listen = job.listen(f"Extract {source.name}" if len(raw) > 1 else "Extract")
        for batch in _batches(_records(job, source, file, listen), job):
            key = fingerprint([file.sha256, index, number, versions.documents_config(job)])
            yield Unit(index, key, lambda batch=batch, source=source: _extract(job, source, batch))  # type: ignore[misc]
            index += 1


def _records(job: Job, source: Source, file: RawFile, listen: Progress) -> Iterable[Record]:
    name = source.reader or sources.reader_for(file.path)
    return sources.READERS[name](
        file.path, source=source.name, max_chars=job.recipe.page_chars, limit=job.limit, progress=listen
    )


def _batches(records: Iterable[Record], job: Job) -> Iterator[list[Record]]:
    """Records in groups of bounded pages and characters."""
    batch: list[Record] = []
    chars = 0
    for record in records:
        batch.append(record)
        chars += len(record.text)
        if len(batch) >= job.recipe.part_pages or chars >= job.recipe.part_chars:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def _extract(job: Job, source: Source, batch: list[Record]) -> Output:
    frame, rejects = extract.extract(batch, config=job.recipe.extract, lang=source.language)
    return Output(frame, tally(len(batch), frame.height, rejects), rejects)


def _clean(job: Job, ref: Ref, part: dict[str, Any], told: Callable[[int], None]) -> Output:
    frame = read_part(job, ref, part)
    told(0)
    kept, rejects = clean.clean(frame, config=versions.clean_config(job))
    return Output(kept, tally(frame.height, kept.height, rejects), rejects)


def _find_duplicates(job: Job, ref: Ref) -> Output:
    frame = read(job, ref, ["doc_id", "text_sha256", "n_chars", "minhash"])
    found = dedup.find_duplicates(frame, config=job.recipe.dedup)
    counts = {"in": frame.height, "kept": frame.height, "rows": found.height, "filtered": {}, "failed": {}}
    return Output(found, counts)


def _corpus_unit(job: Job, ref: Ref, part: dict[str, Any], removed: pl.DataFrame, told: Callable[[int], None]) -> Unit:
    """The key holds the decisions on this part's documents alone, so that other parts' leave it as it is."""
    ids = read_part(job, ref, part, ["doc_id"])
    decisions = removed.join(ids, on="doc_id", how="semi").sort("doc_id")

    def compute() -> Output:
        frame = read_part(job, ref, part)
        kept, rejects = dedup.apply(frame, decisions)
        told(frame.height)
        return Output(kept, tally(frame.height, kept.height, rejects), rejects)

    return Unit(part["index"], part_key(part, decisions.rows(), "corpus"), compute)
