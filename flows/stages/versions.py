"""Versions of the corpus datasets, known before the work: what decides each of them, in one place."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from data import files, segment
from data.catalogue import Source
from data.contracts import CONTRACTS
from data.hashing import fingerprint
from flows.job import Job, exact, version_of
from flows.stages import forgotten
from pipelines import (
    clean,
    decontaminate,
    dedup,
    extract,
    language,
    main_text,
    minhash,
    normalise,
    privacy,
    quality,
    sources,
    tokenise,
)
from pipelines.clean import CleanConfig
from pipelines.dedup import DedupConfig
from pipelines.download import RawFile, known
from pipelines.download.shelf import Shelf
from pipelines.sources import wikipedia
from pipelines.sources.config import SourceConfig
from pipelines.sources.folders import Entry

_WITHOUT_MARKUP = ("wikipedia", "text", "jsonl", "csv", "parquet")
"""Readers of which no record is a web page, unless `markup` says so."""
_TOLD_APART = ("modules", "decontamination")
"""Options of `clean` that hold paths; what is in those files decides."""


def reading(job: Job, source: Source) -> dict[str, Any]:
    """The reader of a source, None where the file's ending tells, and its options: keywords of `sources.read`."""
    config = job.recipe.sources.get(source.name, SourceConfig())
    return {"reader": config.reader or source.reader, "options": config.options(source.fields)}


def documents_config(job: Job) -> dict[str, Any]:
    """What decides how sources become documents."""
    return {
        "extract": job.recipe.of("extract"),
        "versions": [extract.VERSION, sources.VERSION, wikipedia.VERSION, main_text.VERSION],
        "on_bad_file": job.recipe.on_bad_file,
        "page_seconds": job.recipe.page_seconds,
        "page_chars": job.recipe.page_chars,
        "part_pages": job.recipe.part_pages,
        "part_chars": job.recipe.part_chars,
        **({"part_batches": job.recipe.part_batches} if job.recipe.part_batches else {}),
        "limit": job.limit,
        "readers": sources.code(readers(job)),
        "libraries": exact("trafilatura", "lxml") if _may_read_html(job) else {},
    }


def _may_read_html(job: Job) -> bool:
    """Whether a source may hold web pages, as far as can be told before it is read."""
    found = [(_reader(job, source), reading(job, source)["options"].get("markup")) for source in job.sources]
    return any(markup == "html" or reader not in _WITHOUT_MARKUP for reader, markup in found)


def candidates_config(job: Job) -> dict[str, Any]:
    """What decides which documents pass alone, and how they read."""
    config = clean_config(job)
    options = {name: value for name, value in asdict(config).items() if name not in _TOLD_APART}
    steps = (clean, normalise, privacy, language, segment, quality, minhash)
    sets = decontaminate.fingerprint(config.decontamination) if config.decontamination.sets else None
    options["decontamination"] = sorted(config.decontamination.sets)
    versions = [step.VERSION for step in steps]
    rules = {"chosen": config.decisions(), "code": config.code()}
    checks = ("python-stdnum",) if "national_id" in config.privacy.kinds else ()
    libraries = exact("pycld2", "py3langid", *checks)
    return {"clean": options, "versions": versions, "rules": rules, "evaluation_sets": sets, "libraries": libraries}


def clean_config(job: Job) -> CleanConfig:
    """Options of `clean` for the sources of this job."""
    return job.recipe.clean_for(readers(job))


def readers(job: Job) -> list[str]:
    """Names of the readers of the sources, as far as names, endings and the content of folders tell."""
    return sorted({name for source in job.sources if (name := _reader(job, source)) is not None})


def _reader(job: Job, source: Source) -> str | None:
    """The reader that is named, else that of the file or most files; of a glob or an address those in the lake."""
    named: str | None = reading(job, source)["reader"]
    if named:
        return named
    place = None if source.is_remote else source.path()
    if place and place.is_dir():
        return sources.reader_for(place)
    folder = job.lake.raw / source.name
    if not (place and place.exists()) and (kept := known(source, folder) or Shelf(source, folder).listed()):
        return sources.reader_for([Entry(file.name, file.path) for file in kept])
    return sources.known_reader(source.file_name)


def dedup_config(job: Job) -> dict[str, Any]:
    """What decides which documents are duplicates."""
    return {"dedup": asdict(dedup_options(job)), "versions": [dedup.VERSION]}


def dedup_options(job: Job) -> DedupConfig:
    """Options of `dedup` for the sources of this job."""
    return job.recipe.dedup_for(readers(job))


def documents(job: Job, raw: list[RawFile]) -> str:
    """Version from the bytes of the files, and from the names of those that are no dumps: they tell reader and ids."""
    read_as = [[source.name, reading(job, source), _reader(job, source), source.language] for source in job.sources]
    named = {source.name: _reader(job, source) for source in job.sources}
    files_read = [
        [file.source, file.sha256, None if _is_dump(named.get(file.source), file.name) else file.name] for file in raw
    ]
    ids = forgotten_ids(job, raw)
    out = [ids] if ids else []
    return version_of(CONTRACTS["documents"], files_read, documents_config(job), read_as, *out)


def forgotten_ids(job: Job, raw: list[RawFile]) -> tuple[str, ...]:
    """Ids of documents that were taken out, of the sources of this job."""
    return forgotten.ids_of(job, raw, {source.name: _reader(job, source) for source in job.sources})


def _is_dump(reader: str | None, name: str) -> bool:
    return (reader or sources.known_reader(name)) == "wikipedia"


def candidates(job: Job, documents_version: str) -> str:
    """Version from the documents."""
    return version_of(CONTRACTS["candidates"], documents_version, candidates_config(job))


def duplicates(job: Job, candidates_version: str) -> str:
    """Version from the candidates."""
    return version_of(CONTRACTS["duplicates"], candidates_version, dedup_config(job))


def corpus(candidates_version: str, duplicates_version: str) -> str:
    """Version from candidates and duplicates."""
    return version_of(CONTRACTS["corpus"], candidates_version, duplicates_version)


def rejects(corpus_version: str) -> str:
    """Version from the corpus, whose stages rejected the records."""
    return version_of(CONTRACTS["rejects"], corpus_version)


def tokens(corpus_version: str, tokenizer: str) -> str:
    """Version from the corpus and the fingerprint of the tokenizer."""
    return version_of(CONTRACTS["tokens"], corpus_version, tokenizer, tokenise.VERSION)


def current_tokenizer(job: Job) -> str | None:
    """Fingerprint of the tokenizer that the pipeline keeps, None before the first."""
    pointer = files.read_json(job.lake.tokenizers / job.pipeline / "current.json")
    if pointer is None or pointer["config"] != tokenizer_config(job):
        return None
    found: str = pointer["fingerprint"]
    return found


def tokenizer_config(job: Job) -> str:
    """Fingerprint of the options that a tokenizer is trained with; a change asks for a new one."""
    return fingerprint([job.recipe.of("tokeniser"), tokenise.VERSION])
