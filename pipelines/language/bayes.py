"""Second tier: naive Bayes over byte n-grams (langid), weighed with the shares that the first tier found."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from pipelines.language.codes import iso
from pipelines.language.compact import Evidence

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_CANDIDATES = 15
_SHARE_WEIGHT = 0.5
_UNSEEN = 0.03
_UNSHARED = 0.1
_LOADING = Lock()


def combined(sample: str, found: Evidence) -> dict[str, float]:
    """Probabilities of the languages that either tier names.

    The product of both, each with a floor; a language that naive Bayes was never taught (Maori, Tsonga, Tswana, …)
    is judged by its share alone. Weight and floors were chosen on one half of the benchmark's sentences.
    """
    model, known = _classifier()
    ranked: dict[str, float] = {}
    for label, probability in model.rank(sample)[:_CANDIDATES]:
        ranked[iso(label)] = ranked.get(iso(label), 0.0) + probability
    weights = {
        code: (ranked.get(code, 0.0 if code in known else 1.0) + _UNSEEN)
        * (found.shares.get(code, 0.0) + _UNSHARED) ** _SHARE_WEIGHT
        for code in sorted(set(ranked) | set(found.shares))
    }
    total = sum(weights.values())
    return {code: weight / total for code, weight in weights.items()}


def _classifier() -> tuple[LanguageIdentifier, frozenset[str]]:
    """The one classifier of the process and the languages it knows; classifying reads it only, so threads share it."""
    with _LOADING:
        return _load()


@cache
def _load() -> tuple[LanguageIdentifier, frozenset[str]]:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return model, frozenset(map(iso, model.labels))
