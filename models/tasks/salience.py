"""How much each sentence of a document stands for the whole: similarities, centrality, and a choice without repeats.

Everything is a matrix over the sentences of one document, so that no pair is visited in Python.
Papers: LexRank, Erkan and Radev 2004; TextRank, Mihalcea and Tarau 2004; maximal marginal relevance,
Carbonell and Goldstein 1998.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.embeddings.vectors import Floats, unit_rows

_MAX_ITERATIONS = 50
_TOLERANCE = 1e-5


def lexical_rows(sentences: Sequence[Sequence[str]]) -> Floats:
    """Unit TF x inverse-sentence-frequency rows, float32 [sentences, distinct words]."""
    vocabulary: dict[str, int] = {}
    columns = [vocabulary.setdefault(word, len(vocabulary)) for sentence in sentences for word in sentence]
    lengths = [len(sentence) for sentence in sentences]
    cells = np.repeat(np.arange(len(sentences)), lengths) * len(vocabulary) + np.array(columns, dtype=np.int64)
    size = len(sentences) * len(vocabulary)
    counts = np.bincount(cells, minlength=size).reshape(len(sentences), len(vocabulary)).astype(np.float32)
    rarity = np.log((1 + len(sentences)) / (1 + np.count_nonzero(counts, axis=0))) + 1e-3
    return unit_rows(np.asarray(np.log1p(counts) * rarity))


def centrality(similarity: Floats, *, damping: float, threshold: float) -> Floats:
    """Stationary weight of each sentence in a random walk along similarities, scaled to a maximum of 1.

    `similarity` is float32 [n, n]; what lies below `threshold` is no link, and no sentence links to
    itself. `damping` is the share of steps that follow a link rather than jump anywhere.
    """
    n = len(similarity)
    links = np.where(similarity >= threshold, similarity, 0.0)
    np.fill_diagonal(links, 0.0)
    out = links.sum(axis=1, keepdims=True)
    links = np.divide(links, out, out=np.full_like(links, 1.0 / n), where=out > 0)
    weight = np.full(n, 1.0 / n, dtype=np.float32)
    for _ in range(_MAX_ITERATIONS):
        previous, weight = weight, (1 - damping) / n + damping * (weight @ links)
        if np.abs(weight - previous).sum() < _TOLERANCE:
            break
    return scaled(weight)


def scaled(values: npt.NDArray[np.floating]) -> Floats:
    """Values with those below 0 cut off, divided by the largest."""
    positive = np.maximum(values, 0.0)
    return np.asarray(positive / max(float(positive.max(initial=0.0)), 1e-9), dtype=np.float32)


def choose(
    salience: Floats, similarity: Floats, lengths: npt.NDArray[np.int64], *, k: int, novelty: float, budget: int | None
) -> list[int]:
    """At most k sentences by maximal marginal relevance, in the order in which they were chosen.

    Each choice has the most salience minus `novelty` times its similarity to the nearest sentence chosen
    before. With a `budget` (characters), sentences that no longer fit are passed over; the first
    choice always stands.
    """
    chosen: list[int] = []
    redundancy = np.zeros(len(salience), dtype=np.float32)
    free = np.ones(len(salience), dtype=bool)
    while free.any() and len(chosen) < k:
        best = int(np.argmax(np.where(free, salience - novelty * redundancy, -np.inf)))
        chosen.append(best)
        redundancy = np.maximum(redundancy, similarity[best])
        free[best] = False
        if budget is not None:
            free &= lengths <= budget - int(lengths[chosen].sum())
    return chosen
