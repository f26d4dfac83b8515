"""Jaccard similarity of pairs of documents: estimated where that suffices, counted on the texts where it does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelines.dedup.config import DedupConfig
from pipelines.dedup.documents import Documents
from pipelines.dedup.scratch import Rows
from pipelines.minhash import jaccard

UInt32s = npt.NDArray[np.uint32]
Float64s = npt.NDArray[np.float64]

_NONE = np.int64(-1)


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
        """Exact similarity of each pair, counted on the distinct shingles of both texts."""
        self._read(np.unique(np.concatenate([low, high])))
        pairs = zip(self._row[low].tolist(), self._row[high].tolist(), strict=True)
        return np.array([self._jaccard(one, other) for one, other in pairs], dtype=np.float64)

    def settled(self, low: UInt32s, high: UInt32s, estimates: npt.NDArray[np.floating]) -> Float64s:
        """The estimate where it is certain enough to exceed the threshold, else the exact similarity; below 1."""
        permutations = self.documents.permutations
        doubt = estimates <= self.config.doubtful(permutations)[1]
        values = estimates.astype(np.float64)
        values[doubt] = self.exact(low[doubt], high[doubt])
        return np.minimum(values, 1 - 0.5 / max(1, permutations))

    def _jaccard(self, one: int, other: int) -> float:
        return jaccard(self._shingles.span(one, one + 1), self._shingles.span(other, other + 1))

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
