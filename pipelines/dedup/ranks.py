"""Which of two documents stays: an order over all documents, and clusters that keep their first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Int64s = npt.NDArray[np.int64]

_NUMBER = r":(\d{1,18})$"


def ranked(documents: pl.DataFrame, sources: Sequence[str]) -> Int64s:
    """Rows of `documents` (`doc_id`, `source`) from the one that stays before all others to the last; int64 [rows].

    Sources come in the order given and then by name, ids by their number where they are numbers.
    """
    priority = pl.DataFrame(
        {"source": pl.Series(sources, dtype=pl.String), "priority": pl.int_range(len(sources), eager=True)}
    )
    return _sorted(documents.join(priority, on="source", how="left", maintain_order="left"), ["priority", "source"])


def by_id(documents: pl.DataFrame) -> Int64s:
    """Rows in the order of their ids alone."""
    return _sorted(documents, ["source"])


def _sorted(documents: pl.DataFrame, first: list[str]) -> Int64s:
    number = pl.col("doc_id").str.extract(_NUMBER).cast(pl.Int64)
    keyed = documents.select(*first, "doc_id", number.alias("number")).with_row_index("row")
    rows = keyed.sort([*first, "number", "doc_id"], nulls_last=True)["row"]
    return rows.to_numpy().astype(np.int64)


class Clusters:
    """Union-find over ranks (Tarjan 1975, with path halving); the root of a cluster is its smallest rank."""

    def __init__(self, size: int) -> None:
        self._parent = np.arange(size, dtype=np.uint32)

    def join(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Make one cluster of the two clusters of each pair."""
        for one, other in pairs:
            left, right = self._root(one), self._root(other)
            self._parent[max(left, right)] = min(left, right)

    def apart(self, low: npt.NDArray[np.uint32], high: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
        """Which pairs are in different clusters so far."""
        roots = self.roots()
        differ: npt.NDArray[np.bool_] = roots[low] != roots[high]
        return differ

    def roots(self) -> npt.NDArray[np.uint32]:
        """Root of every rank; all paths are one step long afterwards."""
        while True:
            above = self._parent[self._parent]
            if np.array_equal(above, self._parent):
                return self._parent
            self._parent = above

    def _root(self, rank: int) -> int:
        parent = self._parent
        while (above := int(parent[rank])) != rank:
            parent[rank] = parent[above]
            rank = int(parent[rank])
        return rank
