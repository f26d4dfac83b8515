"""How often a classifier is right: accuracy, and F1 averaged over the classes.

Macro-F1 gives every class the same weight (Sokolova and Lapalme 2009, "A systematic analysis of
performance measures for classification tasks"); a class that neither side names in a sample is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from data.errors import ConfigError
from models.evaluation import bootstrap
from models.evaluation.score import Score

Ints = npt.NDArray[np.int64]


def accuracy(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Share of the rows with the right label."""
    return float(correct(gold, predicted).mean())


def macro_f1(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Mean F1 of the classes."""
    return _macro_f1(*_encoded(gold, predicted))


def correct(gold: Sequence[str], predicted: Sequence[str]) -> npt.NDArray[np.float64]:
    """1 for each row with the right label, else 0, float64 [rows]: the rows of a paired comparison."""
    left, right, _ = _encoded(gold, predicted)
    return np.asarray(left == right, dtype=np.float64)


def scores(gold: Sequence[str], predicted: Sequence[str], *, seed: int = 0) -> list[Score]:
    """`accuracy` and `macro_f1` with bootstrap intervals over the rows."""
    left, right, classes = _encoded(gold, predicted)
    hits = (left == right).astype(np.float64)
    return [
        bootstrap.mean_score("accuracy", hits, seed=seed),
        bootstrap.score("macro_f1", lambda rows: _macro_f1(left[rows], right[rows], classes), len(left), seed=seed),
    ]


def majority_label(labels: Sequence[str]) -> str:
    """The most frequent label, the first by name among equals."""
    if not labels:
        raise ConfigError("found no labels; a majority needs at least one")
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def majority_baseline(train_labels: Sequence[str], n: int) -> list[str]:
    """The trivial answer to n rows: always the most frequent label of the training rows."""
    return [majority_label(train_labels)] * n


def _encoded(gold: Sequence[str], predicted: Sequence[str]) -> tuple[Ints, Ints, int]:
    """Labels as numbers, int64 [rows] each, and the number of classes."""
    if len(gold) != len(predicted) or not gold:
        raise ConfigError(f"found {len(gold)} gold and {len(predicted)} predicted labels; both need the same rows")
    codes = {label: i for i, label in enumerate(sorted({*gold, *predicted}))}
    left, right = (np.array([codes[label] for label in side], dtype=np.int64) for side in (gold, predicted))
    return left, right, len(codes)


def _macro_f1(gold: Ints, predicted: Ints, classes: int) -> float:
    named = np.bincount(gold, minlength=classes) + np.bincount(predicted, minlength=classes)
    hits = np.bincount(gold[gold == predicted], minlength=classes)
    present = named > 0
    return float((2 * hits[present] / named[present]).mean())
