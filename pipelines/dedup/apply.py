"""Candidates to corpus: without duplicates, and without lines that stand in many documents."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from data.errors import AccountingError
from data.segment import sentence_count, word_count
from pipelines.dedup.config import STAGE, RepeatedConfig
from pipelines.dedup.lines import trim

_INTERNAL = ("minhash", "normalised_hash", "line_hashes")
_REJECTS = ("doc_id", "source", "origin", "stage", "kind", "reason", "detail", "n_chars")


@dataclass(frozen=True)
class Applied:
    """Documents that stay, the rejects, and `facts`: how many `documents` lost `lines` and `chars`."""

    corpus: pl.DataFrame
    rejects: pl.DataFrame
    facts: dict[str, int] = field(default_factory=dict)


def apply(
    candidates: pl.DataFrame,
    duplicates: pl.DataFrame,
    *,
    repeated: npt.NDArray[np.uint64] | None = None,
    config: RepeatedConfig | None = None,
) -> Applied:
    """Candidates of one part that stay, without the columns only deduplication needs, and the rejects.

    `duplicates` may name documents of other parts. Raises AccountingError where a candidate is in neither or in both.
    """
    joined = candidates.join(duplicates, on="doc_id", how="left", maintain_order="left")
    is_duplicate = pl.col("kept_doc_id").is_not_null()
    kept, rejects = joined.filter(~is_duplicate).select(candidates.columns), [_duplicates(joined.filter(is_duplicate))]
    facts: dict[str, int] = {}
    if repeated is not None and len(repeated):
        kept, lost = trim(kept, repeated, config or RepeatedConfig())
        rejects.append(_repeated(lost, (config or RepeatedConfig()).max_share))
        changed = kept.filter(pl.col("lost_lines") > 0)
        facts = {
            "documents": changed.height,
            "lines": int(changed["lost_lines"].sum()),
            "chars": int(changed["lost_chars"].sum()),
        }
        kept = _measured(kept)
    corpus = kept.select([name for name in candidates.columns if name not in _INTERNAL])
    applied = Applied(corpus, pl.concat(rejects), facts)
    if candidates.height != corpus.height + applied.rejects.height:
        raise AccountingError(
            f"dedup: {candidates.height} candidates in, {corpus.height} kept and {applied.rejects.height} rejected; "
            "a document is named twice in duplicates"
        )
    return applied


def _measured(kept: pl.DataFrame) -> pl.DataFrame:
    """The lengths and the hash of texts as they are now; `quality` stays what the filter saw."""
    text = pl.col("text")
    hashes = [hashlib.sha256(each.encode("utf-8")).hexdigest() for each in kept["text"]]
    return kept.with_columns(
        pl.Series("text_sha256", hashes, pl.String),
        n_chars=text.str.len_chars().cast(pl.Int32),
        n_words=word_count(text).cast(pl.Int32),
        n_sentences=sentence_count(text).cast(pl.Int32),
    )


def _duplicates(found: pl.DataFrame) -> pl.DataFrame:
    is_exact = pl.col("similarity") == 1
    reason = pl.when(is_exact).then(pl.lit("exact_duplicate")).otherwise(pl.lit("near_duplicate"))
    detail = pl.format("similarity {} to {}, which is kept", pl.col("similarity").round(4), pl.col("kept_doc_id"))
    return _rejects(found, reason, pl.when(is_exact).then(pl.format("{} is kept", "kept_doc_id")).otherwise(detail))


def _repeated(lost: pl.DataFrame, most: float) -> pl.DataFrame:
    share = (pl.col("lost_chars") / pl.col("n_chars")).round(2)
    detail = pl.format(f"repeated lines ({{}}) are {{}} of the text, above {most:g}", pl.col("lost_lines"), share)
    return _rejects(lost, pl.lit("mostly_repeated_lines"), detail)


def _rejects(rejected: pl.DataFrame, reason: pl.Expr, detail: pl.Expr) -> pl.DataFrame:
    return rejected.with_columns(
        origin=pl.concat_str(pl.lit("candidates/"), pl.col("doc_id")),
        stage=pl.lit(STAGE),
        kind=pl.lit("filtered"),
        reason=reason,
        detail=detail,
    ).select(_REJECTS)
