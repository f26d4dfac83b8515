"""Tokenizer and tokens, and the rejects of all stages in one dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from data import files, memory, tables
from data.contracts import CONTRACTS
from data.hashing import fingerprint
from data.versions import Build, Part, add_counts
from flows.build import Output, Unit, build
from flows.job import Job, Ref, made_with, tools
from flows.judging import refuse_breaking
from flows.stages import versions
from flows.stages.corpus import part_key, read_batches
from pipelines import tokenise, validate
from pipelines.checks import observe

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_TOGETHER = 64
"""Parts of the rejects that are judged at once."""


def tokenizer(job: Job, corpus: Ref) -> str:
    """Fingerprint of the pipeline's tokenizer, trained on this corpus if there is none yet."""
    if (known := versions.current_tokenizer(job)) is not None:
        return known
    if job.pool is not None:
        job.pool.rest()  # no part is made meanwhile, and training takes as much memory as the workers
    try:
        return _trained(job, corpus)
    finally:
        memory.release()


def _trained(job: Job, corpus: Ref) -> str:
    sample = _sample(job, corpus)
    listen, texts = job.listen("Train tokenizer"), sample.learnt_from
    text = tokenise.train_tokenizer(
        texts, config=job.recipe.tokeniser, progress=lambda done, _total: listen(done, len(texts))
    )
    name = tokenise.fingerprint(text)
    folder = job.lake.tokenizers / job.pipeline
    files.write_bytes(folder / name / "tokenizer.json", text.encode("utf-8"))
    files.write_json(folder / name / "stats.json", tokenizer_stats(text, sample, config=job.recipe.tokeniser))
    return _kept(folder / "current.json", name, versions.tokenizer_config(job), corpus)


def _kept(path: Path, name: str, config: str, corpus: Ref) -> str:
    """The tokenizer that the pipeline keeps: this one, unless another run was faster with the same options."""

    def pointer(before: bytes | None) -> bytes | None:
        if before is not None and files.parsed(path, before)["config"] == config:
            return None
        return files.json_bytes({"fingerprint": name, "config": config, "corpus": corpus.version})

    found: str = files.parsed(path, files.change(path, pointer) or b"")["fingerprint"]
    return found


def _sample(job: Job, corpus: Ref) -> tokenise.Sample:
    """The documents of the corpus to learn from and to measure on."""
    sample = tokenise.Sample(job.recipe.tokeniser)
    for part in job.manifest(corpus)["parts"]:
        for frame in read_batches(job, corpus, part, ["doc_id", "text"]):
            sample.add(frame)
    memory.release()  # of the frames, before the training needs as much
    return sample


def tokenizer_stats(text: str, sample: tokenise.Sample, *, config: tokenise.TokeniserConfig) -> dict[str, Any]:
    """Fertility and compression of a tokenizer on documents held out, on those it learnt from where there are none."""
    encoder = tokenise.load(text)
    measured = tokenise.measure(sample.held_out or sample.learnt_from, encoder)
    return {
        "kind": config.kind,
        "vocab_size": encoder.get_vocab_size(),
        "held_out": bool(sample.held_out),
        "learnt_from": {"documents": len(sample.learnt_from), "characters": sum(map(len, sample.learnt_from))},
        **vars(measured),
    }


def tokenizer_text(job: Job, name: str) -> str:
    """The tokenizer as JSON text."""
    return tokenizer_path(job, name).read_text("utf-8")


def tokenizer_path(job: Job, name: str) -> Path:
    """The file of a tokenizer."""
    return job.lake.tokenizers / job.pipeline / name / "tokenizer.json"


def tokens_of(documents: pl.DataFrame, encoder: Tokenizer, name: str) -> Output:
    """Token ids of `doc_id` and `text`."""
    frame = tokenise.encode(documents, encoder)
    counts = {"in": documents.height, "kept": frame.height, "filtered": {}, "failed": {}}
    return Output(frame, counts, metadata={"tokenizer": name})


def tokens(job: Job, corpus: Ref, name: str) -> Ref:
    """The corpus as token ids; the manifest tells fertility and compression of the tokenizer."""
    listen = job.listen("Tokenise")
    path = tokenizer_path(job, name)

    def unit(part: dict[str, Any], done: int) -> Unit:
        compute = partial(_encode, job.path(corpus) / part["file"], path, name)
        told = partial(listen, done + part["rows"], corpus.rows)
        return Unit(part["index"], part_key(part, name, tokenise.VERSION), compute, told, light=not part["rows"])

    parts = job.manifest(corpus)["parts"]
    units = map(unit, parts, accumulate((part["rows"] for part in parts), initial=0))
    inputs = [corpus.recorded(), {"tokenizer": name}]
    version = versions.tokens(corpus.version, name)
    stats = files.read_json(job.lake.tokenizers / job.pipeline / name / "stats.json") or {}
    return build(job, "tokens", version, units, inputs=inputs, config={"tokenizer": stats}, pool=job.pool)


def _encode(corpus: Path, tokenizer: Path, name: str) -> Iterable[Output]:
    """A part of the corpus as token ids."""
    encode = partial(tokens_of, encoder=_loaded(tokenizer), name=name)
    return map(encode, tables.batches(corpus, ["doc_id", "text"]))


@lru_cache(maxsize=1)
def _loaded(tokenizer: Path) -> Tokenizer:
    """The tokenizer of a file, whose folder is named by its content."""
    return tokenise.load(tokenizer.read_text("utf-8"))


def rejects(job: Job, stages: list[Ref], corpus: Ref) -> Ref:
    """Every record that the corpus stages rejected: the parts are links to those that the stages wrote."""
    version = versions.rejects(corpus.version)
    target = Build(job.lake, job.pipeline, CONTRACTS["rejects"], version)
    if (manifest := target.published) is not None:
        return Ref("rejects", version, manifest["rows"], reused=True)
    refuse_breaking(job, target.contract)
    parts = list(_reject_parts(job, target, stages)) or [_no_rejects(target)]
    verdicts = _judge_rejects(target, parts)
    inputs = [ref.recorded() for ref in stages]
    recorded = {"inputs": inputs, "config": {}, "made_with": made_with(), "run": job.run_id, "validation": verdicts}
    manifest = target.commit(parts, recorded)
    return Ref("rejects", version, manifest["rows"], reused=False)


def _no_rejects(target: Build) -> Part:
    """A part without rows: readers by a glob, such as DuckDB, refuse a folder that holds no file."""
    key = fingerprint(["rejects", "none", target.contract.describe(), tools()])
    empty = target.contract.schema.empty_table()
    return target.find(0, key) or target.write(0, key, empty, counts=add_counts([]))


def _judge_rejects(target: Build, parts: list[Part]) -> list[dict[str, Any]]:
    """Verdicts on the rejects. A reject has nowhere else to go, so one that breaks the contract ends the run."""
    results = (result for first in range(0, len(parts), _TOGETHER) for result in _judged(target, parts, first))
    verdicts = validate.merge(results)
    if failed := next((verdict for verdict in verdicts if not verdict.success), None):
        raise validate.failure(failed)
    return [verdict.as_json() for verdict in verdicts]


def _judged(target: Build, parts: list[Part], first: int) -> list[validate.PartResult]:
    """The judgements on some parts from `first` on, which are one if no row breaks the contract."""
    frames = (pl.read_parquet(target.folder / part.file) for part in parts[first : first + _TOGETHER])
    seen = [(observe(frame, target.contract), validate.ids_of(frame)) for frame in frames]
    return [result for _, result in validate.validate_lights(seen, target.contract)]


def _reject_parts(job: Job, target: Build, stages: list[Ref]) -> Iterator[Part]:
    index = 0
    for ref in stages:
        for part in job.manifest(ref)["parts"]:
            if not part["rejects_file"]:
                continue
            rows = sum(sum(part["counts"][kind].values()) for kind in ("filtered", "failed"))
            source = job.path(ref) / part["rejects_file"]
            key = fingerprint([ref.dataset, part["key"]])
            yield target.adopt(index, key, source, rows=rows, sha256=part["rejects_sha256"])
            index += 1
