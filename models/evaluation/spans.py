"""How well mentions are found: exact match of start, end and type, counted over all sentences.

Micro precision, recall and F1 as in CoNLL-2003 (Tjong Kim Sang and De Meulder). Sentences are what the
bootstrap draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from data.errors import ConfigError
from models.evaluation import bootstrap
from models.evaluation.score import Score

Ints = npt.NDArray[np.int64]
Spans = Sequence[Mapping[str, Any]]


def counts(gold: Sequence[Spans], predicted: Sequence[Spans]) -> Ints:
    """Per sentence the spans found right, predicted and in the gold, int64 [sentences, 3]."""
    if len(gold) != len(predicted) or not gold:
        raise ConfigError(f"found {len(gold)} gold and {len(predicted)} predicted rows; both need the same rows, not 0")
    pairs = [(_keys(right), _keys(found)) for right, found in zip(gold, predicted, strict=True)]
    return np.array([[len(right & found), len(found), len(right)] for right, found in pairs], dtype=np.int64)


def precision(found: Ints) -> float:
    """Share of the predicted spans that are right, of counts int64 [sentences, 3]."""
    right, predicted, _ = found.sum(axis=0)
    return float(right / predicted) if predicted else 0.0


def recall(found: Ints) -> float:
    """Share of the gold spans that were found."""
    right, _, gold = found.sum(axis=0)
    return float(right / gold) if gold else 0.0


def f1(found: Ints) -> float:
    """Harmonic mean of precision and recall; 1 where there is nothing to find and nothing was found."""
    right, predicted, gold = found.sum(axis=0)
    return float(2 * right / (predicted + gold)) if predicted + gold else 1.0


def scores(gold: Sequence[Spans], predicted: Sequence[Spans], *, seed: int = 0) -> list[Score]:
    """`precision`, `recall` and `f1` with bootstrap intervals over the sentences."""
    found = counts(gold, predicted)
    return [
        _score("precision", precision, found, seed),
        _score("recall", recall, found, seed),
        _score("f1", f1, found, seed),
    ]


def _score(metric: str, measure: Callable[[Ints], float], found: Ints, seed: int) -> Score:
    return bootstrap.score(metric, lambda rows: measure(found[rows]), len(found), seed=seed)


def _keys(spans: Iterable[Mapping[str, Any]]) -> set[tuple[int, int, str]]:
    return {(int(span["start"]), int(span["end"]), str(span["type"])) for span in spans}
