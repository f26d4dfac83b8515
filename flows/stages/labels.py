"""Labelled sets as datasets, split by hash of the text."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from data.catalogue import Source, catalogue, find
from data.contracts import CONTRACTS
from data.errors import TextmillError
from data.forgotten import forgotten, of_sources
from data.hashing import fingerprint
from flows.build import Output, Unit, build, tally
from flows.job import Job, Ref, version_of
from flows.stages.corpus import fetch
from flows.stages.forgotten import without
from pipelines import labelled
from pipelines.download import RawFile


def dataset_of(job: Job, dataset: str) -> Ref:
    """A labelled set as a dataset. Raises TextmillError for a set that no reader reads, or that has other labels."""
    source = find(getattr(job.recipe, dataset), raw=job.lake.raw)
    raw = fetch(job, source)
    reader, column = reader_of(source, raw), CONTRACTS[dataset].columns[2].name
    _check(source, reader, dataset, column)
    inputs = [{"raw": file.source, "file": file.name, "sha256": file.sha256} for file in raw]
    version = version_for(job, dataset, source, raw)
    ids = of_sources(forgotten(job.lake, job.pipeline), {source.name})
    compute = partial(_made, [file.path for file in raw], reader, dataset, source.name)
    unit = Unit(0, fingerprint([version]), compute)
    return build(job, dataset, version, [unit], inputs=inputs, config={}, settle=without(ids))


def version_for(job: Job, dataset: str, source: Source, raw: list[RawFile]) -> str:
    """Version of a labelled dataset made of these files; a row that was taken out is called `<source>:<row_id>`."""
    sums = [file.sha256 for file in raw]
    ids = of_sources(forgotten(job.lake, job.pipeline), {source.name})
    out = [ids] if ids else []
    return version_of(CONTRACTS[dataset], source.name, reader_of(source, raw), sums, labelled.VERSION, *out)


def reader_of(source: Source, raw: list[RawFile]) -> str:
    """The reader of a labelled set: that of the catalogue, also for its file under another name; or JSONL."""
    names = [Path(file.name or file.path.name).name for file in raw]
    if all(name.endswith((".jsonl", ".ndjson")) for name in names):
        return "jsonl"
    known = {file.name: entry.reader for entry in catalogue().values() for file in entry.listed}
    found = source.reader or next((known[name] for name in names if known.get(name)), None)
    if found not in labelled.READERS:
        raise TextmillError(
            f"{source.name} is fetched, but is no JSONL file that textmill can learn from; "
            "convert it to lines with text and label (or spans) and name that file in the config"
        )
    return str(found)


def _check(source: Source, reader: str, dataset: str, column: str) -> None:
    gives = labelled.GIVES.get(reader, column)
    if gives != column:
        fits = [name for name, entry in catalogue().items() if entry.kind == dataset]
        raise TextmillError(
            f"{dataset}: {source.name} has a {gives} for each text and no {column}; "
            f"take {', '.join(fits)} or a JSONL file"
        )


def _made(paths: list[Path], reader: str, dataset: str, source: str) -> Output:
    contract = CONTRACTS[dataset]
    column = contract.columns[2].name
    schema = pl.Schema(pl.DataFrame(contract.schema.empty_table()).schema)
    examples = labelled.jsonl(paths, column) if reader == "jsonl" else labelled.examples(reader, paths)
    found = labelled.rows(examples, column=column, source=source, schema=schema)
    n_in = found.frame.height + found.rejects.height
    return Output(found.frame, tally(n_in, found.frame.height, found.rejects), found.rejects)
