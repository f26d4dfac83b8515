"""The language of a text: a naive Bayes model over byte n-grams (Lui and Baldwin 2012, langid.py)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

VERSION = 1
UNDECIDED = "und"
_NO_LANGUAGE = "zxx"
READ_CHARS = 2_000
_LOADING = Lock()


def identify(texts: Sequence[str]) -> list[tuple[str, float]]:
    """ISO 639-1 code and probability (0 to 1) of each text, from its first 2,000 code points.

    `und` where no letter is found (probability 0) and where the text is none of a natural language, as code is.
    """
    classifier = _classifier()
    return [_identify(text[:READ_CHARS], classifier) for text in texts]


def _identify(text: str, classifier: LanguageIdentifier) -> tuple[str, float]:
    if not any(map(str.isalpha, text)):
        return UNDECIDED, 0.0
    # Text all in capitals looks foreign to a model of small letters.
    language, probability = classifier.classify(text.lower() if text.isupper() else text)
    code = UNDECIDED if language == _NO_LANGUAGE else str(language)
    return code, min(1.0, max(0.0, float(probability)))


def _classifier() -> LanguageIdentifier:
    """The one classifier of the process; classifying reads it only, so threads share it."""
    with _LOADING:
        return _load()


@cache
def _load() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
