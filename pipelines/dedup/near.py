"""Near duplicates: pairs by bands of MinHash values (Indyk and Motwani 1998), verified, one partition at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelines.dedup.config import DedupConfig
from pipelines.dedup.documents import Documents
from pipelines.dedup.ranks import Clusters
from pipelines.dedup.scratch import Partitions, Records
from pipelines.dedup.similarity import Similarity
from pipelines.minhash import NO_WORDS

UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]

WINDOW = 8
"""A document is compared with this many before it of the same band value, and with the first: linear in any case."""
LOOKS = 12
"""The texts of a document are compared with those of this many before it, the ones with the highest estimates."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_KEYED = np.dtype([("key", "<u8"), ("next", "<u4"), ("rank", "<u4")])
_PAIR = np.dtype([("low", "<u4"), ("high", "<u4"), ("estimate", "<f4")])
_SLICE = 1 << 14


@dataclass(frozen=True)
class Sizes:
    """How much of the work is in memory at a time."""

    records: int = 1 << 20


def join_near(clusters: Clusters, first: UInt32s, similarity: Similarity, folder: Path, sizes: Sizes) -> None:
    """Make one cluster of each two documents that are similar enough.

    `first` holds the ranks to compare, of which no two have the same normalised text; uint32 [ranks], in order.
    """
    documents, config = similarity.documents, similarity.config
    pairs = Partitions(folder, "pairs", 1 + len(first) // sizes.records, _PAIR)
    # In order of rank over all partitions, so that what is before a document is settled when its turn comes.
    share = np.uint64((1 << 32) // max(1, len(documents.table)))
    for one, other in _candidates(documents, first, config, folder, sizes):
        for i in range(0, len(one), _SLICE):
            found = _estimated(clusters, one[i : i + _SLICE], other[i : i + _SLICE], similarity)
            pairs.append(found, found["high"].astype(np.uint64) * share << np.uint64(32))
    settle = _settle_chains if config.chains else _settle_stars
    settle(clusters, pairs, similarity)


def _estimated(clusters: Clusters, low: UInt32s, high: UInt32s, similarity: Similarity) -> Records:
    """Join pairs whose estimate leaves no doubt; the result are those that need another look."""
    documents, config = similarity.documents, similarity.config
    least, most = config.doubtful(documents.permutations)
    if config.chains:
        apart = clusters.apart(low, high)
        low, high = low[apart], high[apart]
    estimates = documents.estimates(low, high)
    look = estimates >= least
    if config.chains:
        sure = estimates > most
        clusters.join(zip(low[sure].tolist(), high[sure].tolist(), strict=True))
        look &= ~sure
    found = np.empty(int(look.sum()), dtype=_PAIR)
    found["low"], found["high"], found["estimate"] = low[look], high[look], estimates[look]
    return found


def _settle_chains(clusters: Clusters, pairs: Partitions, similarity: Similarity) -> None:
    for found in _unique(pairs):
        apart = found[clusters.apart(found["low"], found["high"])]
        for i in range(0, len(apart), _SLICE):
            some = apart[i : i + _SLICE]
            some = some[clusters.apart(some["low"], some["high"])]
            near = similarity.exact(some["low"], some["high"]) >= similarity.config.threshold
            clusters.join(zip(some["low"][near].tolist(), some["high"][near].tolist(), strict=True))


def _settle_stars(clusters: Clusters, pairs: Partitions, similarity: Similarity) -> None:
    """Join each document to the first one that stays and that it is near to."""
    goes = np.zeros(len(similarity.documents.table), dtype=np.bool_)
    for found in _unique(pairs):
        for i in range(0, len(found), _SLICE):
            some = found[i : i + _SLICE]
            values = similarity.settled(some["low"], some["high"], some["estimate"])
            some = some[values >= similarity.config.threshold]
            for low, high in zip(some["low"].tolist(), some["high"].tolist(), strict=True):
                if not goes[low] and not goes[high]:
                    clusters.join([(low, high)])
                    goes[high] = True


def _unique(pairs: Partitions) -> Iterator[Records]:
    """The pairs of each partition once, by `high` and then by `low`; of those of one `high` the most similar."""
    for i in range(pairs.count):
        found = pairs.take(i)
        found = found[np.lexsort((found["low"], -found["estimate"], found["high"]))]
        is_new = np.ones(len(found), dtype=np.bool_)
        is_new[1:] = (found["low"][1:] != found["low"][:-1]) | (found["high"][1:] != found["high"][:-1])
        found = found[is_new]
        place = np.arange(len(found)) - np.searchsorted(found["high"], found["high"])
        found = found[place < LOOKS]
        yield found[np.lexsort((found["low"], found["high"]))]


def _candidates(
    documents: Documents, first: UInt32s, config: DedupConfig, folder: Path, sizes: Sizes
) -> Iterator[tuple[UInt32s, UInt32s]]:
    """Pairs of ranks that agree in a band, the smaller rank first; a pair may come once for every band."""
    bands, rows = config.banding(documents.permutations)
    keyed = Partitions(folder, "bands", 1 + len(first) * bands // sizes.records, _KEYED)
    positions = documents.table["position"].to_numpy()
    for i in range(0, len(first), _SLICE):
        ranks = first[i : i + _SLICE]
        signatures = documents.signatures.many(positions[ranks]).reshape(-1, documents.permutations)
        has_words = (signatures != NO_WORDS).any(axis=1)
        records = np.empty((int(has_words.sum()), bands), dtype=_KEYED)
        keys = band_keys(signatures[has_words], bands, rows)
        records["key"], records["next"] = keys, np.roll(keys, -1, axis=1) >> np.uint64(32)
        records["rank"] = ranks[has_words][:, None]
        keyed.append(records.reshape(-1), keys.reshape(-1))
    for i in range(keyed.count):
        yield from _agreeing(keyed.take(i))


def band_keys(signatures: UInt32s, bands: int, rows: int) -> UInt64s:
    """A hash of each band of each signature and of its number; uint64 [documents, bands]."""
    cut = signatures[:, : bands * rows].reshape(-1, bands, rows)
    keys = np.tile(np.arange(bands, dtype=np.uint64) + np.uint64(1), (len(cut), 1)) * _FACTOR
    for row in range(rows):
        keys = (keys ^ cut[:, :, row]) * _FACTOR
        keys ^= keys >> np.uint64(29)
    return keys * _FACTOR


def _agreeing(records: Records) -> Iterator[tuple[UInt32s, UInt32s]]:
    """Pairs of ranks with the same key: each with its neighbours, and with the smallest rank of its key.

    Neighbours agree in the next band where they can, so that of many documents of one template the most similar
    ones stand side by side (the sorted neighbourhood of Hernández and Stolfo 1995).
    """
    records = _shared(records)
    records = records[np.lexsort((records["rank"], records["next"], records["key"]))]
    keys, ranks = records["key"], records["rank"]
    numbers = np.arange(len(keys))
    is_first = np.ones(len(keys), dtype=np.bool_)
    is_first[1:] = keys[1:] != keys[:-1]
    begin = np.maximum.accumulate(np.where(is_first, numbers, 0))
    for back in range(1, WINDOW + 1):
        here = np.flatnonzero(numbers - begin >= back)
        yield _ordered(ranks[here - back], ranks[here])
    starts = np.flatnonzero(is_first)
    smallest = np.repeat(np.minimum.reduceat(ranks, starts) if len(ranks) else ranks, np.diff(starts, append=len(keys)))
    far = numbers - begin > WINDOW
    yield _ordered(smallest[far], ranks[far])


def _shared(records: Records) -> Records:
    """The records whose key another one has too: few of all, and sorting by three columns is slow."""
    order = np.argsort(records["key"])
    keys = records["key"][order]
    is_shared = np.zeros(len(keys), dtype=np.bool_)
    is_shared[1:] = keys[1:] == keys[:-1]
    is_shared[:-1] |= is_shared[1:]
    return records[order[is_shared]]


def _ordered(one: UInt32s, other: UInt32s) -> tuple[UInt32s, UInt32s]:
    """The smaller rank of each pair first, without pairs of one document."""
    differ = one != other
    return np.minimum(one, other)[differ], np.maximum(one, other)[differ]
