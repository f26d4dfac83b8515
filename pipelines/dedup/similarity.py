"""Jaccard similarity of pairs of documents: estimated where that suffices, counted on the texts where it does not."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelines.dedup.config import DedupConfig
from pipelines.dedup.documents import Documents
from pipelines.dedup.scratch import Rows

UInt32s = npt.NDArray[np.uint32]
Float64s = npt.NDArray[np.float64]

Int64s = npt.NDArray[np.int64]

_NONE = np.int64(-1)
_IN_MEMORY = 1 << 17
"""Shingles of pairs that are compared at a time."""


class Similarity:
    """Similarity of pairs of ranks. Shingles of documents that were looked at once are kept on disk."""

    def __init__(self, documents: Documents, config: DedupConfig, folder: Path) -> None:
        self.documents = documents
        self.config = config
        self._shingles = Rows(folder / "shingles")
        self._row = np.full(len(documents.table), _NONE, dtype=np.int64)

    def __enter__(self) -> Similarity:
        return self

    def __exit__(self, *_: object) -> None:
        self._shingles.__exit__()

    def exact(self, low: UInt32s, high: UInt32s) -> Float64s:
        """Exact similarity of each pair, counted on the distinct shingles of both texts; 0 for two without words."""
        self._read(np.unique(np.concatenate([low, high])))
        one, other = self._row[low], self._row[high]
        lengths = np.diff(self._shingles.starts)
        filled = np.cumsum(lengths[one] + lengths[other]) // _IN_MEMORY
        cuts = [0, *(np.flatnonzero(np.diff(filled)) + 1), len(one)]
        made = [self._some(one[start:end], other[start:end]) for start, end in pairwise(cuts)]
        return np.concatenate(made)

    def _some(self, one: Int64s, other: Int64s) -> Float64s:
        """Exact similarity of pairs of rows on disk, as many as are read at a time."""
        rows, places = np.unique(np.concatenate([one, other]), return_inverse=True)
        bounds = np.concatenate([[0], np.cumsum(np.diff(self._shingles.starts)[rows])])
        return _jaccards(self._shingles.many(rows), bounds, places[: len(one)], places[len(one) :])

    def settled(self, low: UInt32s, high: UInt32s, estimates: npt.NDArray[np.floating]) -> Float64s:
        """The estimate where it is certain enough to exceed the threshold, else the exact similarity; below 1."""
        permutations = self.documents.permutations
        doubt = estimates <= self.config.doubtful(permutations)[1]
        values = estimates.astype(np.float64)
        values[doubt] = self.exact(low[doubt], high[doubt])
        return np.minimum(values, 1 - 0.5 / max(1, permutations))

    def _read(self, ranks: npt.NDArray[np.integer]) -> None:
        """Put the shingles of these documents on disk, part by part."""
        new = ranks[self._row[ranks] == _NONE]
        parts = self.documents.table["part"].gather(new).to_numpy()
        for part in np.unique(parts):
            here = new[parts == part]
            sets = self.documents.shingles(here)
            self._row[here] = len(self._shingles) + np.arange(len(here))
            lengths = np.array([len(each) for each in sets], dtype=np.int64)
            self._shingles.append(np.concatenate(sets), lengths)


def _jaccards(values: UInt32s, bounds: Int64s, one: Int64s, other: Int64s) -> Float64s:
    """Jaccard similarity of sets that lie behind each other in `values`, for pairs of their numbers; one sort for all.

    A value that two sets share stands twice in the sorted values of their pair, side by side.
    """
    sizes = np.diff(bounds)[np.stack([one, other], axis=1)]  # [pairs, 2]
    flat = np.repeat(np.arange(len(one), dtype=np.uint64) << np.uint64(32), sizes.sum(axis=1))
    lengths, starts = sizes.reshape(-1), bounds[np.stack([one, other], axis=1)].reshape(-1)
    offsets = np.cumsum(lengths) - lengths
    flat |= values[np.arange(len(flat)) + np.repeat(starts - offsets, lengths)]
    flat.sort()
    pair = (flat[1:][flat[1:] == flat[:-1]] >> np.uint64(32)).astype(np.int64)
    shared = np.bincount(pair, minlength=len(one))
    found: Float64s = shared / np.maximum(1, sizes.sum(axis=1) - shared)
    return found
