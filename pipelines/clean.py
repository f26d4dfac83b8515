"""Documents to candidates: normalise, mask, identify the language, measure quality, and account for every row."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import polars as pl

from data.contracts.corpus import CANDIDATES
from data.errors import AccountingError
from data.segment import sentence_count, word_count
from pipelines import quality
from pipelines.language import UNDECIDED, identify
from pipelines.minhash import fingerprints
from pipelines.normalise import normalised, without_boilerplate
from pipelines.privacy import mask
from pipelines.quality import QualityConfig
from pipelines.sections import Pieces, moved, rejoin

VERSION = 2
STAGE = "clean"

_PII = pl.List(pl.Struct({"type": pl.String, "count": pl.Int32}))
_SECTIONS = pl.List(pl.Struct({"level": pl.Int8, "title": pl.String, "start": pl.Int32, "end": pl.Int32}))
_REJECTS = ("doc_id", "source", "origin", "stage", "kind", "reason", "detail", "n_chars")


@dataclass(frozen=True, kw_only=True)
class CleanConfig:
    """`languages` to keep (empty: all), thresholds of quality, and whether personal data is masked."""

    languages: tuple[str, ...] = ()
    quality: QualityConfig = field(default_factory=QualityConfig)
    mask: bool = True


def clean(documents: pl.DataFrame, *, config: CleanConfig | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Candidates and rejects, with the columns of the contracts `candidates` and `rejects`.

    Raises AccountingError where a document is in neither.
    """
    config = config or CleanConfig()
    judged = _judged(_measured(_rewritten(documents, masked=config.mask)), config)
    rejects = _rejects(judged.filter(pl.col("reason").is_not_null()))
    kept = judged.filter(pl.col("reason").is_null())
    candidates = kept.with_columns(fingerprints(kept["text"].to_list())).select(CANDIDATES.schema.names)
    if documents.height != candidates.height + rejects.height:
        raise AccountingError(
            f"clean: {documents.height} documents in, {candidates.height} kept and {rejects.height} rejected"
        )
    return candidates, rejects


def _rewritten(documents: pl.DataFrame, *, masked: bool) -> pl.DataFrame:
    """Documents with plain, masked text, their sections moved along, and `pii`."""
    cut = [Pieces.of(text, sections) for text, sections in documents.select("text", "sections").iter_rows()]
    texts = pl.DataFrame({"text": pl.Series([text for pieces in cut for text in pieces.texts], dtype=pl.String)})
    changed: list[str] = texts.select(without_boilerplate(normalised(pl.col("text"))))["text"].to_list()
    changed, found = mask(changed) if masked else (changed, [[] for _ in changed])
    rows, start = [], 0
    for pieces, sections in zip(cut, documents["sections"].to_list(), strict=True):
        end = start + len(pieces.texts)
        text, offsets = rejoin(pieces, changed[start:end])
        rows.append((text, moved(sections, offsets, pieces.cuts[-1]), _summed(found[start:end])))
        start = end
    schema = pl.Schema({"text": pl.String(), "sections": _SECTIONS, "pii": _PII})
    return documents.with_columns(pl.DataFrame(rows, schema=schema, orient="row"))


def _summed(found: list[list[dict[str, str | int]]]) -> list[dict[str, str | int]]:
    """Counts of all pieces of one document, by type."""
    counts: dict[str, int] = {}
    for item in (item for piece in found for item in piece):
        counts[str(item["type"])] = counts.get(str(item["type"]), 0) + int(item["count"])
    return [{"type": name, "count": count} for name, count in sorted(counts.items())]


def _measured(documents: pl.DataFrame) -> pl.DataFrame:
    """Language, lengths, hash and quality of every text."""
    texts = documents["text"].to_list()
    languages = pl.DataFrame(identify(texts), schema={"lang": pl.String, "lang_score": pl.Float32}, orient="row")
    hashes = pl.Series("text_sha256", [hashlib.sha256(text.encode("utf-8")).hexdigest() for text in texts], pl.String)
    text = pl.col("text")
    return quality.signals(
        documents.with_columns(
            languages["lang"],
            languages["lang_score"],
            hashes,
            n_chars=text.str.len_chars().cast(pl.Int32),
            n_words=word_count(text).cast(pl.Int32),
            n_sentences=sentence_count(text).cast(pl.Int32),
        )
    )


def _judged(documents: pl.DataFrame, config: CleanConfig) -> pl.DataFrame:
    """Documents with `reason` and `detail` of their rejection, null where they are kept."""
    lang = pl.col("lang")
    language = pl.concat_str(lang, pl.lit(" "), pl.col("lang_score").cast(pl.Float64).round(4).cast(pl.String))
    empty = pl.col("n_chars") == 0
    other = ~lang.is_in(config.languages) if config.languages else pl.lit(value=False)
    unknown = lang == UNDECIDED
    return documents.with_columns(
        reason=pl.when(empty)
        .then(pl.lit("text_empty"))
        .when(other)
        .then(pl.lit("language_not_wanted"))
        .otherwise(pl.coalesce(quality.reason(config.quality), pl.when(unknown).then(pl.lit("no_language_found")))),
        detail=pl.when(empty)
        .then(pl.lit(None, dtype=pl.String))
        .when(other)
        .then(language)
        .otherwise(pl.coalesce(quality.detail(config.quality), pl.when(unknown).then(language))),
    )


def _rejects(rejected: pl.DataFrame) -> pl.DataFrame:
    return rejected.with_columns(
        origin=pl.concat_str(pl.lit("documents/"), pl.col("doc_id")),
        stage=pl.lit(STAGE),
        kind=pl.lit("filtered"),
    ).select(_REJECTS)
