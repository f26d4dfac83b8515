"""Versions of the corpus datasets, known before the work: what decides each of them, in one place."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from data import files
from data.contracts import CONTRACTS
from data.hashing import fingerprint
from flows.job import Job, version_of
from pipelines import clean, dedup, extract, quality, sources, tokenise
from pipelines.clean import CleanConfig


def documents_config(job: Job) -> dict[str, Any]:
    """What decides how sources become documents."""
    return {
        "extract": job.recipe.of("extract"),
        "versions": extract.VERSION,
        "page_chars": job.recipe.page_chars,
        "part_pages": job.recipe.part_pages,
        "part_chars": job.recipe.part_chars,
        "limit": job.limit,
        "readers": sources.code(readers(job)),
    }


def candidates_config(job: Job) -> dict[str, Any]:
    """What decides which documents pass alone, and how they read."""
    config = clean_config(job)
    options = {name: value for name, value in asdict(config).items() if name != "modules"}
    versions = [clean.VERSION, quality.VERSION, dedup.VERSION]
    return {"clean": options, "versions": versions, "rules": config.code()}


def clean_config(job: Job) -> CleanConfig:
    """Options of `clean` for the sources of this job."""
    return job.recipe.clean_for(readers(job))


def readers(job: Job) -> list[str]:
    """Names of the readers of the sources, where the name or the ending of the file tells."""
    names = (source.reader or sources.known_reader(source.file_name) for source in job.sources)
    return sorted({name for name in names if name is not None})


def dedup_config(job: Job) -> dict[str, Any]:
    """What decides which documents are duplicates."""
    return {"dedup": job.recipe.of("dedup"), "versions": [dedup.VERSION]}


def documents(job: Job, raw: list[tuple[str, str]]) -> str:
    """Version from the (source, sha256) of the files."""
    return version_of(CONTRACTS["documents"], raw, documents_config(job))


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
