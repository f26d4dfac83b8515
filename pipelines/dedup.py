"""Exact and near duplicates over a whole corpus, by SHA-256 and by banded MinHash (Indyk and Motwani 1998)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from data.errors import AccountingError, ConfigError

VERSION = 1
STAGE = "dedup"

_DUPLICATES = pl.Schema(
    {"doc_id": pl.String, "kept_doc_id": pl.String, "cluster_id": pl.String, "similarity": pl.Float32}
)
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_REJECTS = ("doc_id", "source", "origin", "stage", "kind", "reason", "detail", "n_chars")


@dataclass(frozen=True, kw_only=True)
class DedupConfig:
    """Two texts are compared when all `rows` values of one of their `bands` agree.

    They are near duplicates from an estimated Jaccard similarity of `threshold` on. With 14 bands of 8 rows, pairs
    of similarity 0.8 are compared with a probability of 0.92.
    """

    bands: int = 14
    rows: int = 8
    threshold: float = 0.8

    def __post_init__(self) -> None:
        if self.bands < 1 or self.rows < 1:
            raise ConfigError(f"bands and rows must be 1 or more, not {self.bands} and {self.rows}")
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"threshold must lie above 0 and not above 1, not {self.threshold}")


def find_duplicates(frame: pl.DataFrame, *, config: DedupConfig | None = None) -> pl.DataFrame:
    """The contract `duplicates` for documents with `doc_id`, `text_sha256`, `n_chars` and `minhash`.

    The longest document stays, of equally long ones that with the smallest id. Each document is compared with those
    that stay, never with one that goes, so a chain of small changes removes nothing that is unlike what is kept.
    The order of the rows does not matter.
    """
    config = config or DedupConfig()
    ranked = frame.select("doc_id", "text_sha256", "n_chars", "minhash").sort(
        ["n_chars", "doc_id"], descending=[True, False]
    )
    first = ranked.unique("text_sha256", keep="first", maintain_order=True).with_row_index("row")
    kept, similarity = _near(_signatures(first, config), config)
    near = first.select(
        "row", "text_sha256", kept_row=pl.Series(kept, dtype=pl.UInt32), near=pl.Series(similarity, dtype=pl.Float32)
    )
    keepers = first.select(kept_row="row", kept_doc_id="doc_id")
    found = ranked.select("doc_id", "text_sha256").join(near, on="text_sha256").join(keepers, on="kept_row")
    smallest = found.group_by("kept_doc_id").agg(cluster_id=pl.col("doc_id").min())
    return (
        found.filter(pl.col("doc_id") != pl.col("kept_doc_id"))
        .join(smallest, on="kept_doc_id")
        .select("doc_id", "kept_doc_id", "cluster_id", similarity="near")
        .cast(_DUPLICATES)
        .sort("doc_id")
    )


def _signatures(frame: pl.DataFrame, config: DedupConfig) -> npt.NDArray[np.uint32]:
    """uint32 [documents, permutations]."""
    lengths = frame["minhash"].list.len().unique().to_list()
    if not lengths:
        return np.empty((0, config.bands * config.rows), dtype=np.uint32)
    if len(lengths) > 1 or lengths[0] < config.bands * config.rows:
        wanted = config.bands * config.rows
        raise ConfigError(f"{config.bands} bands of {config.rows} rows need signatures of {wanted}, found {lengths}")
    return frame["minhash"].explode().to_numpy().reshape(frame.height, lengths[0])


def _near(signatures: npt.NDArray[np.uint32], config: DedupConfig) -> tuple[list[int], list[float]]:
    """For each document, in order of rank, the row of the one kept for it (itself where it stays), and the similarity.

    Texts are known to differ here, so the similarity of two documents stays below 1 even where signatures agree.
    """
    kept, similarity = list(range(len(signatures))), [1.0] * len(signatures)
    most = 1 - 0.5 / max(1, signatures.shape[1])
    buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, keys in _shared_bands(signatures, config).items():
        rivals = sorted({rival for key in keys for rival in buckets[key]})
        shares = (signatures[rivals] == signatures[row]).mean(axis=1) if rivals else np.zeros(1)
        best = int(shares.argmax())
        if shares[best] >= config.threshold:
            kept[row], similarity[row] = rivals[best], min(float(shares[best]), most)
            continue
        for key in keys:
            buckets[key].append(row)
    return kept, similarity


def _shared_bands(signatures: npt.NDArray[np.uint32], config: DedupConfig) -> dict[int, list[tuple[int, int]]]:
    """Band and value of every band that a document shares with another, by row in order of rank."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for band in range(config.bands):
        keys = np.zeros(len(signatures), dtype=np.uint64)
        for column in range(band * config.rows, (band + 1) * config.rows):
            keys = (keys ^ signatures[:, column]) * _FACTOR
            keys ^= keys >> np.uint64(29)
        _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        for row in np.flatnonzero(counts[inverse] > 1).tolist():
            found[row].append((band, int(inverse[row])))
    return dict(sorted(found.items()))


def apply(candidates: pl.DataFrame, duplicates: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Candidates that stay, without `minhash`, and the rejects; `duplicates` may name documents of other parts.

    Raises AccountingError where a candidate is in neither or in both.
    """
    joined = candidates.join(duplicates, on="doc_id", how="left", maintain_order="left")
    is_duplicate = pl.col("kept_doc_id").is_not_null()
    corpus = joined.filter(~is_duplicate).select([name for name in candidates.columns if name != "minhash"])
    rejects = _rejects(joined.filter(is_duplicate))
    if candidates.height != corpus.height + rejects.height:
        raise AccountingError(
            f"dedup: {candidates.height} candidates in, {corpus.height} kept and {rejects.height} rejected; "
            "a document is named twice in duplicates"
        )
    return corpus, rejects


def _rejects(duplicates: pl.DataFrame) -> pl.DataFrame:
    is_exact = pl.col("similarity") == 1
    return duplicates.with_columns(
        origin=pl.concat_str(pl.lit("candidates/"), pl.col("doc_id")),
        stage=pl.lit(STAGE),
        kind=pl.lit("filtered"),
        reason=pl.when(is_exact).then(pl.lit("exact_duplicate")).otherwise(pl.lit("near_duplicate")),
        detail=pl.concat_str(pl.lit("kept "), pl.col("kept_doc_id")),
    ).select(_REJECTS)
