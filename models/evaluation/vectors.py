"""Do vectors know which words people call similar: rank correlation with human judgements.

WordSim-353 (Finkelstein et al. 2002, "Placing search in context: the concept revisited") comes with gensim.
Random vectors have correlation 0, which is the baseline.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from data.errors import TextmillError
from models.embeddings.vectors import WordVectors

Floats = npt.NDArray[np.float64]


class WordPairsError(TextmillError, ValueError):
    """A file of word pairs cannot be read."""


@dataclass(frozen=True)
class Similarities:
    """Judgements of people and of a model for the pairs whose words it knows, float64 [known pairs] each."""

    human: Floats
    model: Floats
    pairs: int

    @property
    def coverage(self) -> float:
        """Share of the pairs of which both words have a vector."""
        return len(self.human) / max(1, self.pairs)


def wordsim353() -> list[tuple[str, str, float]]:
    """The 353 pairs inside gensim: word, word, mean human judgement from 0 to 10."""
    from gensim.test.utils import datapath

    return read_pairs(Path(datapath("wordsim353.tsv")))


def read_pairs(path: Path) -> list[tuple[str, str, float]]:
    """Read word, word, judgement from a tab-separated file; lines that begin with # are comments."""
    pairs = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            first, second, judgement = line.split("\t")
            pairs.append((first, second, float(judgement)))
        except ValueError:
            raise WordPairsError(
                f"{path.name}, line {number}: found {line!r}, expected word, word and number separated by tabs"
            ) from None
    return pairs


def similarities(vectors: WordVectors, pairs: Iterable[tuple[str, str, float]]) -> Similarities:
    """What the model says to each pair; pairs with an unknown word are counted and left out."""
    pairs = list(pairs)
    known = [pair for pair in pairs if pair[0] in vectors and pair[1] in vectors]
    return Similarities(
        human=np.array([judgement for _, _, judgement in known], dtype=np.float64),
        model=np.array([vectors.similarity(first, second) for first, second, _ in known], dtype=np.float64),
        pairs=len(pairs),
    )


def rows_of(vectors: WordVectors, pairs: Iterable[tuple[str, str, float]]) -> Floats:
    """Judgements of people and of the model for all pairs, float64 [pairs, 2]: 0 where the model lacks a word.

    So models with other vocabularies are compared on the same rows, and one that knows fewer words gains nothing by it.
    """
    found = [
        (judgement, vectors.similarity(first, second) if first in vectors and second in vectors else 0.0)
        for first, second, judgement in pairs
    ]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def spearman(first: Floats, second: Floats) -> float:
    """Rank correlation of two float64 [n], ties at their mean rank; 0 where one of them does not vary."""
    ranks = [pl.Series(values).rank("average").to_numpy() for values in (first, second)]
    if len(first) < 2 or any(rank.std() == 0 for rank in ranks):
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
