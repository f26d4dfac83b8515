"""Options of deduplication, and the bands and rows that follow from a threshold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from data.errors import ConfigError
from pipelines.repeated import MIN_CHARS

STAGE = "dedup"
SIGMAS = 3.0

Part = Callable[[list[str]], pl.DataFrame]
"""Reads the named columns of one part of `candidates`; the rows come in the same order each time."""
Parts = Sequence[Part]


@dataclass(frozen=True, kw_only=True)
class RepeatedConfig:
    """Lines and paragraphs of `min_chars` or more that stand in more than `max_documents` documents are removed.

    0 documents: nothing is; None: what the recipe of a pipeline asks for, otherwise nothing. A document that would
    lose more than `max_share` of its characters is rejected instead; 0 rejects every document that holds such a line.
    Titles of sections stay.
    """

    max_documents: int | None = None
    min_chars: int = 40
    max_share: float = 0.5

    def __post_init__(self) -> None:
        if self.max_documents is not None and self.max_documents < 0:
            raise ConfigError(f"max_documents must be 0 or more, not {self.max_documents}")
        if not MIN_CHARS <= self.min_chars <= 255:
            raise ConfigError(f"min_chars must lie between {MIN_CHARS} and 255, not {self.min_chars}")
        if not 0 <= self.max_share <= 1:
            raise ConfigError(f"max_share must lie between 0 and 1, not {self.max_share}")


@dataclass(frozen=True, kw_only=True)
class DedupConfig:
    """Two texts are near duplicates from a Jaccard similarity of `threshold` on, counted on their runs of words.

    They are compared when all `rows` values of one of their `bands` agree; 0 for both takes the most rows with which
    a pair at the threshold is compared with a probability of `recall`. With `chains`, duplicates of duplicates form
    one cluster that keeps one document; without, a document goes only where it is itself near one that stays.
    """

    threshold: float = 0.8
    recall: float = 0.99
    bands: int = 0
    rows: int = 0
    chains: bool = True
    repeated: RepeatedConfig = field(default_factory=RepeatedConfig)

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"threshold must lie above 0 and not above 1, not {self.threshold}")
        if not 0 < self.recall < 1:
            raise ConfigError(f"recall must lie between 0 and 1, not {self.recall}")
        if min(self.bands, self.rows) < 0 or (self.bands == 0) != (self.rows == 0):
            raise ConfigError(f"bands and rows must both be 1 or more, or both 0, not {self.bands} and {self.rows}")

    def banding(self, permutations: int) -> tuple[int, int]:
        """Bands and rows for signatures of this length. Raises ConfigError where they do not suffice.

        A pair of similarity s agrees in one of b bands of r rows with a probability of 1 - (1 - s^r)^b (Leskovec,
        Rajaraman and Ullman, Mining of Massive Datasets, 3.4.2). More rows mean fewer pairs compared in vain.
        """
        if self.bands:
            if self.bands * self.rows > permutations:
                wanted = self.bands * self.rows
                raise ConfigError(
                    f"{self.bands} bands of {self.rows} rows need signatures of {wanted}, not {permutations}"
                )
            return self.bands, self.rows
        for rows in range(permutations, 0, -1):
            bands = permutations // rows
            if 1 - (1 - self.threshold**rows) ** bands >= self.recall:
                return bands, rows
        raise ConfigError(
            f"threshold {self.threshold} is too low for recall {self.recall} and signatures of {permutations}"
        )

    def doubtful(self, permutations: int) -> tuple[float, float]:
        """Estimates between these are checked on the texts: three standard deviations around the threshold."""
        width = SIGMAS * math.sqrt(self.threshold * (1 - self.threshold) / permutations)
        return self.threshold - width, self.threshold + width
