"""Phrases found by counting pairs of neighbours (Mikolov et al. 2013, arXiv 1310.4546, section 4).

A pair is joined to one word where

    score(a, b) = (count(a b) - discount) / (count(a) count(b)) * words          (equation 6)

exceeds a threshold; `words`, the size of the corpus, comes from the authors' word2phrase.c, so that a threshold suits
corpora of any size. Each pass joins pairs of words or of phrases of the pass before, with half its threshold. Of
overlapping pairs in a line the leftmost is joined first. No word of `data.segment` holds a `_`, so what was joined is
seen.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from data.errors import ConfigError
from models.embeddings.counting import LIMIT, Counts
from models.embeddings.lines import Ids, Lines, Writer, split_lines

JOINER = "_"
MAX_PASSES = 4


@dataclass(frozen=True, kw_only=True)
class PhraseConfig:
    """How phrases are found; `passes` 1 finds pairs, 2 phrases of up to four words; 0 finds none."""

    passes: int = 1
    threshold: float = 100.0
    discount: int = 5

    def __post_init__(self) -> None:
        """Refuse values that no phrases can be found with."""
        if not 0 <= self.passes <= MAX_PASSES:
            raise ConfigError(f"passes is {self.passes}; it must lie from 0 (none) to {MAX_PASSES}")
        if self.threshold <= 0:
            raise ConfigError(f"threshold is {self.threshold}; it must be above 0 (100 is usual)")
        if self.discount < 1:
            raise ConfigError(f"discount is {self.discount}; it must be at least 1 (5 is usual)")


def join_lines(lines: Lines, config: PhraseConfig, *, limit: int = LIMIT) -> Lines:
    """Write another file beside that of `lines`, its phrases joined; pairs are counted for up to `limit` distinct."""
    for number in range(config.passes):
        found = scores(lines, discount=config.discount, limit=limit)
        phrases = found.filter(pl.col("score") > config.threshold / 2**number)
        if phrases.is_empty():
            break
        lines = _joined(lines, phrases, lines.path.with_name(f"{lines.path.name}.{number + 1}"), limit=limit)
    return lines


def scores(lines: Lines, *, discount: int, limit: int = LIMIT) -> pl.DataFrame:
    """Pairs seen more than `discount` times: `first`, `second`, `count` and `score`, the most frequent first."""
    # Neither word of such a pair is rarer than the pair; the others need no counting.
    known = lines.counts.filter(pl.col("count") > discount)
    counted = Counts({"pair": pl.Int64}, limit=limit)
    for line, word in lines.ids(known["word"]):
        pairs = _pairs(line, word, known.height)
        counted.add(pl.Series("pair", pairs[pairs >= 0]).value_counts(name="count"))
    found = counted.total().filter(pl.col("count") > discount)
    first, second = (known[place.to_numpy()] for place in _places(found["pair"], known.height))
    score = (found["count"] - discount) / (first["count"] * second["count"]) * lines.words
    return pl.DataFrame({"first": first["word"], "second": second["word"], "count": found["count"], "score": score})


def join(words: Sequence[str], known: Container[str], *, passes: int = 1) -> list[str]:
    """The words of a new text with the phrases joined that are among the `known` words."""
    found = list(words)
    for _ in range(passes):
        is_pair = np.array([f"{a}{JOINER}{b}" in known for a, b in pairwise(found)] + [False] * bool(found), dtype=bool)
        starts = _leftmost(is_pair).tolist()
        found = "".join(f"{word}{JOINER if start else ' '}" for word, start in zip(found, starts, strict=True)).split()
    return found


def _joined(lines: Lines, phrases: pl.DataFrame, path: Path, *, limit: int) -> Lines:
    """Write the lines with these phrases joined."""
    known = pl.concat([phrases["first"], phrases["second"]]).unique().sort()
    places = {word: place for place, word in enumerate(known)}
    wanted = [places[a] * len(known) + places[b] for a, b in phrases.select("first", "second").iter_rows()]
    with Writer(path, limit=limit) as writer:
        for block, (line, word) in zip(lines.read(), lines.ids(known), strict=True):
            starts = _leftmost(np.isin(_pairs(line, word, len(known)), wanted))
            ends = np.append(line[1:] != line[:-1], True)
            after = pl.Series(np.where(starts, 1, np.where(ends, 2, 0))).replace_strict({0: " ", 1: JOINER, 2: "\n"})
            text: str = (block.str.split(" ").explode() + after).str.join("").item()
            writer.add(split_lines(text).str.split(" "))
        return writer.written()


def _pairs(line: Ids, word: Ids, words: int) -> Ids:
    """A number for each word with the next one of its line, int64 [words]; -1 where one is missing or unknown."""
    is_pair = (line[1:] == line[:-1]) & (word[1:] >= 0) & (word[:-1] >= 0)
    return np.append(np.where(is_pair, word[:-1] * words + word[1:], -1), -1)


def _places(pairs: pl.Series, words: int) -> tuple[pl.Series, pl.Series]:
    return pairs // words, pairs % words


def _leftmost(is_pair: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Of pairs (each a word with the next one) those that are joined: in a run of overlapping ones every other."""
    place = np.arange(len(is_pair))
    before_run = np.maximum.accumulate(np.where(is_pair, -1, place)) if len(is_pair) else place
    return np.asarray(is_pair & ((place - before_run) % 2 == 1))
