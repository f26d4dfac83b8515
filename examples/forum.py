"""An extension of textmill: a rule, a line rule, a recipe and a reader for posts of a forum; see docs/extending.md."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import polars as pl

from data.progress import Progress, ignore
from pipelines.quality import SPACED, Batch, LineRule, QualityRecipe, Rule
from pipelines.sources import Entry, Place, Record
from pipelines.sources.folders import entries

VERSION = 1
"""Raise it when a rule or the reader gives other results: what was built with the old one is then built again."""


def capitals_ratio(batch: Batch) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Share of letters that are capitals, for each text of a batch."""
    capitals = batch.texts.str.count_matches(r"\p{Lu}").cast(pl.Float64)
    letters = batch.texts.str.count_matches(r"\p{L}").clip(1)
    return (capitals / letters).to_numpy()


def _is_quoted(_threshold: float) -> pl.Expr:
    return pl.col("line").str.starts_with(">")


TOO_SHOUTY = Rule(reason="too_shouty", signal=capitals_ratio, most=0.5, languages=SPACED, cites="this example")
QUOTED = LineRule(reason="line_quoted", drops=_is_quoted, cites="this example")
RULES = (TOO_SHOUTY, QUOTED)
RECIPES = (
    QualityRecipe(
        name="forum",
        rules=("line_quoted", "too_few_words", "too_shouty", "too_many_repeated_pairs"),
        thresholds={"too_few_words": 5},
    ),
)


def read(
    path: Place,
    *,
    source: str,
    max_chars: int = 10_000_000,
    limit: int | None = None,
    progress: Progress = ignore,
) -> Iterator[Record]:
    """One record for each post of a file, or of several; a line of three dashes parts two posts."""
    found = ((entry, number, post) for entry in entries(path) for number, post in _posts(entry))
    for entry, number, post in islice(found, limit):
        place = f"{entry.name}:{number}"
        size = entry.path.stat().st_size  # progress counts bytes
        progress(size, size)
        yield Record(doc_id=f"{source}:{place}", source=source, origin=place, text=post[:max_chars])


def _posts(entry: Entry) -> Iterator[tuple[int, str]]:
    return enumerate(entry.path.read_text("utf-8").split("\n---\n"), start=1)


READERS = {"forum": read}
ENDINGS = {"forum": (".forum",)}
