"""Second tier: naive Bayes over byte n-grams (langid), weighed with the shares that the first tier found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipelines.language.codes import iso
from pipelines.language.compact import Evidence

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
_CANDIDATES = 15
_TOGETHER = 256
"""Texts that are walked through together."""
_SHARE_WEIGHT = 0.5
_UNSEEN = 0.03
_UNSHARED = 0.1
_LOADING = Lock()
_COUNT_UNIT, _WEIGHT_UNIT = 2.0**10, 2.0**16
"""Parts of 1 that logarithms of counts and weights are rounded to: their sums are whole numbers below 2^53."""


def combined(samples: Sequence[str], found: Sequence[Evidence]) -> list[dict[str, float]]:
    """For each sample probabilities of the languages that either tier names.

    The product of both, each with a floor; a language that naive Bayes was never taught (Maori, Tsonga, Tswana, …)
    is judged by its share alone. Weight and floors were chosen on one half of the benchmark's sentences.
    """
    model = classifier()
    return [
        _weighed(ranked, each.shares, model.known) for ranked, each in zip(model.ranks(samples), found, strict=True)
    ]


def _weighed(ranked: dict[str, float], shares: dict[str, float], known: frozenset[str]) -> dict[str, float]:
    weights = {
        code: (ranked.get(code, 0.0 if code in known else 1.0) + _UNSEEN)
        * (shares.get(code, 0.0) + _UNSHARED) ** _SHARE_WEIGHT
        for code in sorted(set(ranked) | set(shares))
    }
    total = sum(weights.values())
    return {code: weight / total for code, weight in weights.items()}


class Classifier:
    """langid's model, asked of many texts at once; it is only read, so threads share it.

    Its automaton makes a step in all texts together, which costs a twentieth of walking through them one by one. Sums
    are of whole numbers, which are the same in any order: BLAS has one for each CPU.
    """

    def __init__(self, model: LanguageIdentifier) -> None:
        self.known = frozenset(map(iso, model.labels))
        self._encode = model._encode
        self._codes = [iso(label) for label in model.nb_classes]
        self._places = [model.nb_classes.index(label) for label in model.nb_classes]
        self._next = np.asarray(model.tk_nextmove, dtype=np.int64)
        self._rows = np.asarray(model.tk_row, dtype=np.int64) << 8
        self._output = np.asarray(model.tk_output, dtype=np.int64)
        self._priors = model.nb_pc
        self._weights = np.rint(model.nb_ptc.astype(np.float64) * _WEIGHT_UNIT)

    def ranks(self, samples: Sequence[str]) -> list[dict[str, float]]:
        """The likeliest languages of each sample and their probabilities."""
        texts = [self._encode(sample) for sample in samples]
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        ranks: list[dict[str, float]] = [{} for _ in texts]
        for start in range(0, len(order), _TOGETHER):
            rows = order[start : start + _TOGETHER]
            for row, scores in zip(rows, self._scores([texts[row] for row in rows]), strict=True):
                ranks[row] = self._rank(scores, len(texts[row]))
        return ranks

    def _scores(self, texts: Sequence[bytes]) -> list[Floats]:
        """Logarithms of the likelihoods, float64 [languages] each; equal ones for a text without features."""
        places, counts, bounds = self.visits(texts)
        logarithms = np.rint(np.log1p(counts.astype(np.float64)) * _COUNT_UNIT)
        return [
            logarithms[start:end] @ self._weights[places[start:end]] / (_COUNT_UNIT * _WEIGHT_UNIT) + self._priors
            if end > start
            else np.zeros(len(self._priors), dtype=np.float32)
            for start, end in pairwise(bounds.tolist())
        ]

    def visits(self, texts: Sequence[bytes]) -> tuple[Ints, Ints, Ints]:
        """The features of texts, which come from the longest to the shortest, and how often each has them.

        int64 [visits] twice, those of each text together, and int64 [texts + 1] where they begin.
        """
        lengths = np.array([len(text) for text in texts])
        letters = np.zeros((len(texts), max(map(len, texts), default=0)), dtype=np.uint8)
        for row, text in enumerate(texts):
            letters[row, : len(text)] = np.frombuffer(text, dtype=np.uint8)
        active = np.searchsorted(-lengths, -np.arange(letters.shape[1]), side="left")  # texts longer than each place
        states = np.zeros(len(texts), dtype=np.int64)
        width = len(self._weights)
        found = [np.empty(0, dtype=np.int64)]
        firsts = np.arange(len(texts)) * width
        for letter, some in zip(np.ascontiguousarray(letters.T), active.tolist(), strict=True):
            states = self._next[self._rows[states[:some]] + letter[:some]]
            features = self._output[states]
            hits = features >= 0
            found.append((firsts[:some] + features)[hits])
        keys, counts = np.unique(np.concatenate(found), return_counts=True)
        return keys % width, counts, np.searchsorted(keys, np.arange(len(texts) + 1) * width)

    def _rank(self, scores: Floats, n_bytes: int) -> dict[str, float]:
        """Probabilities, calibrated over lengths by the square root of the bytes as langid does, the best ones."""
        scaled = scores * (1.0 / math.sqrt(n_bytes or 1))
        scaled = np.exp(scaled - scaled.max())
        scaled /= scaled.sum()
        merged = np.bincount(self._places, weights=scaled, minlength=len(scaled))
        ranked: dict[str, float] = {}
        for place in np.argsort(-merged, kind="stable")[:_CANDIDATES].tolist():
            ranked[self._codes[place]] = ranked.get(self._codes[place], 0.0) + float(merged[place])
        return ranked


def classifier() -> Classifier:
    """The one classifier of the process."""
    with _LOADING:
        return _load()


@cache
def _load() -> Classifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return Classifier(LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True))
