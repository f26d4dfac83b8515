"""Documents to candidates: normalise, mask, identify the language, drop lines, judge quality, account for every row."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import polars as pl

from data.contracts.corpus import CANDIDATES
from data.errors import AccountingError
from data.segment import sentence_count, word_count
from pipelines import decontaminate, quality
from pipelines.clean_config import DEFAULT_RECIPE, CleanConfig
from pipelines.language import UNDECIDED, identify
from pipelines.minhash import fingerprints
from pipelines.privacy.treatment import REASON as PERSONAL_DATA
from pipelines.quality.lines import drop_lines
from pipelines.rewriting import rewritten

__all__ = ["STAGE", "VERSION", "CleanConfig", "clean"]

VERSION = 4
STAGE = "clean"

_REJECTS = ("doc_id", "source", "origin", "stage", "kind", "reason", "detail", "n_chars")


def clean(documents: pl.DataFrame, *, config: CleanConfig | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Candidates and rejects, with the columns of the contracts `candidates` and `rejects`.

    Raises AccountingError where a document is in neither.
    """
    config = config or CleanConfig()
    lines, rules = config.chosen()
    citations = quality.recipe_named(config.recipe or DEFAULT_RECIPE).citations
    plain = rewritten(documents, citations=citations, privacy=config.privacy)
    shortened = drop_lines(_named(plain), lines)
    judged = _refused(_judged(_measured(shortened), rules, config), config)
    rejects = _rejects(judged.filter(pl.col("reason").is_not_null()))
    kept = judged.filter(pl.col("reason").is_null())
    candidates = kept.with_columns(fingerprints(kept["text"].to_list())).select(CANDIDATES.schema.names)
    if documents.height != candidates.height + rejects.height:
        raise AccountingError(
            f"clean: {documents.height} documents in, {candidates.height} kept and {rejects.height} rejected"
        )
    return candidates, rejects


def _named(documents: pl.DataFrame) -> pl.DataFrame:
    """Documents with the language of each text."""
    found = identify(documents["text"].to_list())
    languages = pl.DataFrame(found, schema={"lang": pl.String, "lang_score": pl.Float32}, orient="row")
    return documents.with_columns(languages["lang"], languages["lang_score"])


def _measured(documents: pl.DataFrame) -> pl.DataFrame:
    """Lengths and hash of every text."""
    text = pl.col("text")
    return documents.with_columns(
        pl.Series("text_sha256", _hashes(documents["text"]), pl.String),
        n_chars=text.str.len_chars().cast(pl.Int32),
        n_words=word_count(text).cast(pl.Int32),
        n_sentences=sentence_count(text).cast(pl.Int32),
    )


def _hashes(texts: pl.Series) -> list[str]:
    """SHA-256 of the UTF-8 of every text, read where Arrow holds it."""
    array = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1].tolist()
    view = memoryview(data or b"")
    return [hashlib.sha256(view[start:end]).hexdigest() for start, end in pairwise(ends)]


def _judged(documents: pl.DataFrame, rules: tuple[quality.Rule, ...], config: CleanConfig) -> pl.DataFrame:
    """Documents with `quality`, and `reason` and `detail` of their rejection, null where they are kept."""
    signals = quality.measure(documents, rules)
    verdict = quality.judge(signals, documents["lang"], rules)
    lang = pl.col("lang")
    language = pl.format("lang is {}, lang_score {}", lang, pl.col("lang_score").cast(pl.Float64).round(4))
    empty, wordless, unknown = pl.col("n_chars") == 0, pl.col("n_words") == 0, lang == UNDECIDED
    other = ~lang.is_in(config.languages) if config.languages else pl.lit(value=False)
    no_line = pl.when(pl.col("dropped_lines").list.len() > 0).then(pl.lit("no_line_left"))
    reason = (
        pl.when(empty)
        .then(no_line.otherwise(pl.lit("text_empty")))
        .when(other)
        .then(pl.lit("language_not_wanted"))
        .when(wordless)
        .then(pl.lit("too_few_words"))
        .otherwise(pl.coalesce(verdict["reason"], pl.when(unknown).then(pl.lit("no_language_found"))))
    )
    detail = (
        pl.when(empty)
        .then(pl.lit(None, dtype=pl.String))
        .when(other)
        .then(pl.concat_str(language, pl.lit(f"; wanted: {', '.join(map(str, config.languages))}")))
        .when(wordless)
        .then(pl.lit("n_words is 0, below 1"))
        .otherwise(pl.coalesce(verdict["detail"], pl.when(unknown).then(language)))
    )
    return documents.with_columns(quality.as_struct(signals), reason=reason, detail=detail)


def _refused(judged: pl.DataFrame, config: CleanConfig) -> pl.DataFrame:
    """Those that passed the rules, refused where they hold personal data or pieces of an evaluation set."""
    overlaps = pl.Series("overlaps", _overlaps(judged, config), pl.String)
    found = (pl.col("personal"), PERSONAL_DATA), (pl.col("overlaps"), decontaminate.REASON)
    more = [pl.when(detail.is_not_null()).then(pl.lit(reason)) for detail, reason in found]
    detail = pl.when(pl.col("reason").is_null()).then(pl.coalesce("personal", "overlaps")).otherwise("detail")
    return judged.with_columns(overlaps).with_columns(reason=pl.coalesce("reason", *more), detail=detail)


def _overlaps(judged: pl.DataFrame, config: CleanConfig) -> list[str | None]:
    if not config.decontamination.sets:
        return [None] * judged.height
    return decontaminate.overlaps(judged["text"].to_list(), decontaminate.index_of(config.decontamination))


def _rejects(rejected: pl.DataFrame) -> pl.DataFrame:
    return rejected.with_columns(
        origin=pl.concat_str(pl.lit("documents/"), pl.col("doc_id")),
        stage=pl.lit(STAGE),
        kind=pl.lit("filtered"),
        detail=pl.concat_str("detail", _told_lines(), separator="; ", ignore_nulls=True).replace("", None),
    ).select(_REJECTS)


def _told_lines() -> pl.Expr:
    """Which lines were dropped before the text was judged, and why; null where none were."""
    item = pl.element().struct
    each = pl.format("{} {}", item.field("count"), item.field("reason"))
    told = pl.col("dropped_lines").list.eval(each).list.join(", ")
    return pl.when(pl.col("dropped_lines").list.len() > 0).then(pl.format("lines dropped before: {}", told))
