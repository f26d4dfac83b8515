"""Sums of counts over batches in bounded memory, for vocabularies and pairs of words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from data.errors import ConfigError

LIMIT = 20_000_000
"""Distinct keys that are kept: about 1 GB of words."""
_COUNT = pl.col("count")


class Counts:
    """How often each key was counted; `keys` names the columns that make one, with their Polars types.

    Up to `limit` distinct keys the counts are exact. Past it the rarest go, the threshold rising by one each time
    (as in gensim and in lossy counting, Manku and Motwani 2002): `floor` is the last threshold, and a count
    is at most 1 + 2 + … + floor too low. Twice the limit is in memory at most, and one batch.
    """

    def __init__(self, keys: Mapping[str, Any], *, limit: int = LIMIT) -> None:
        if limit < 1:
            raise ConfigError(f"limit is {limit}; at least 1 distinct key must be kept")
        self.schema = {**keys, "count": pl.Int64}
        self.keys = list(keys)
        self.limit = limit
        self.floor = 0
        self._merged: pl.DataFrame | None = None
        self._waiting: list[pl.DataFrame] = []

    def add(self, counted: pl.DataFrame) -> None:
        """Add a frame with the keys and a column `count`; a key may stand there more than once."""
        self._waiting.append(counted.select(*self.keys, _COUNT.cast(pl.Int64)))
        waiting = sum(frame.height for frame in self._waiting)
        if waiting > max(100_000, 0 if self._merged is None else self._merged.height) or waiting > self.limit:
            self._merge()

    def total(self) -> pl.DataFrame:
        """Every key with its count, the most frequent first, equal counts in the order of their keys."""
        self._merge()
        if self._merged is None:
            return pl.DataFrame(schema=self.schema)
        return self._merged.sort("count", *self.keys, descending=[True, *(False for _ in self.keys)])

    def _merge(self) -> None:
        if not self._waiting:
            return
        frames = [*([] if self._merged is None else [self._merged]), *self._waiting]
        merged = pl.concat(frames).group_by(self.keys).agg(_COUNT.sum())
        while merged.height > self.limit:
            self.floor += 1
            merged = merged.filter(self.floor < _COUNT)
        self._merged, self._waiting = merged, []
