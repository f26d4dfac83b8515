"""The whole of deduplication: who is a duplicate of whom, over parts that are read one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.dedup.config import DedupConfig, Parts
from pipelines.dedup.documents import read_documents
from pipelines.dedup.lines import count_lines
from pipelines.dedup.near import Sizes, join_near
from pipelines.dedup.ranks import Clusters, by_id
from pipelines.dedup.scratch import Rows
from pipelines.dedup.similarity import Similarity

UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]

_SLICE = 1 << 14
_SCHEMA = pl.Schema({"doc_id": pl.String, "kept_doc_id": pl.String, "cluster_id": pl.String, "similarity": pl.Float32})


def find_duplicates(
    parts: Parts,
    *,
    sources: Sequence[str] = (),
    repeated: UInt64s | None = None,
    config: DedupConfig | None = None,
    scratch: Path | None = None,
    sizes: Sizes | None = None,
) -> pl.DataFrame:
    """The contract `duplicates` for all documents of `parts`, whatever the order of parts and rows.

    Of each cluster the document of the first of `sources` stays, of one source that with the smallest id; sources
    that are not named come after, in the order of the parts where none is. `repeated` lines (by default counted here)
    do not take part, nor do documents that are rejected for them. Files stand in `scratch` meanwhile.
    """
    config, sizes = config or DedupConfig(), sizes or Sizes()
    if repeated is None:
        repeated = repeated_lines(parts, sources=sources, config=config, scratch=scratch)
    with TemporaryDirectory(dir=scratch, prefix="dedup-") as name, Rows(Path(name) / "signatures") as signatures:
        documents = read_documents(parts, signatures, sources=sources, repeated=repeated, config=config.repeated)
        first = _first(documents.table["normalised_hash"].to_numpy())
        clusters = Clusters(len(first))
        with Similarity(documents, config, Path(name)) as similarity:
            if len(first):
                join_near(clusters, np.unique(first), similarity, Path(name), sizes)
            return _decisions(similarity, first, clusters.roots()[first])


def repeated_lines(
    parts: Parts, *, sources: Sequence[str] = (), config: DedupConfig, scratch: Path | None = None
) -> UInt64s:
    """Hashes of the lines that stand in too many documents, in order; empty where the option is off.

    Counted among the documents that stay, so that an article copied often is not lost with its last copy.
    """
    none = np.empty(0, dtype=np.uint64)
    if not config.repeated.max_documents:
        return none
    found = find_duplicates(parts, sources=sources, repeated=none, config=config, scratch=scratch)
    return count_lines(parts, found["doc_id"], config=config.repeated, scratch=scratch)


def _first(hashes: UInt64s) -> UInt32s:
    """For each rank the smallest rank of the same normalised text."""
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    ranks: UInt32s = first.astype(np.uint32)[inverse]
    return ranks


def _decisions(similarity: Similarity, first: UInt32s, kept: UInt32s) -> pl.DataFrame:
    """Every document that goes, the one that stays for it, their cluster and how similar they are."""
    table = similarity.documents.table.select("doc_id", "source")
    goes = np.flatnonzero(kept != np.arange(len(kept))).astype(np.uint32)
    names = table["doc_id"]
    return (
        pl.DataFrame(
            {
                "doc_id": names.gather(goes),
                "kept_doc_id": names.gather(kept[goes]),
                "cluster_id": names.gather(_smallest(table, kept)[goes]),
                "similarity": _similarities(similarity, first, goes, kept[goes]),
            }
        )
        .cast(_SCHEMA)
        .sort("doc_id")
    )


def _smallest(table: pl.DataFrame, kept: UInt32s) -> npt.NDArray[np.int64]:
    """For each rank the member of its cluster with the smallest id."""
    order = by_id(table)
    _, index, inverse = np.unique(kept[order], return_index=True, return_inverse=True)
    smallest = np.empty(len(kept), dtype=np.int64)
    smallest[order] = order[index][inverse]
    return smallest


def _similarities(similarity: Similarity, first: UInt32s, goes: UInt32s, kept: UInt32s) -> npt.NDArray[np.float64]:
    """1 for the same normalised text, else what the texts or their signatures say."""
    values = np.ones(len(goes), dtype=np.float64)
    near = np.flatnonzero(first[goes] != kept)
    for i in range(0, len(near), _SLICE):
        some = near[i : i + _SLICE]
        low, high = kept[some], goes[some]
        values[some] = similarity.settled(low, high, similarity.documents.estimates(low, high))
    return values
