"""Bags of words and TF-IDF in the catalogue."""

from __future__ import annotations

from typing import Any

from models.embeddings import bow
from models.embeddings.bow import BagOfWords
from models.text_family import TextFamily

_TERMS = 20


def show(model: BagOfWords) -> dict[str, Any]:
    """The terms of most and of least weight; a hashed model has no names for them."""
    weights = sorted(zip(model.terms, model.idf.tolist(), strict=False), key=lambda pair: (pair[1], pair[0]))
    return {
        "Commonest terms": dict(weights[:_TERMS]),
        "Rarest terms": dict(weights[-_TERMS:]),
    }


FAMILY = TextFamily(
    name="bow",
    about="bag of words weighted by TF-IDF (Salton and Buckley 1988)",
    config=bow.BowConfig,
    version=bow.VERSION,
    fit=bow.fit,
    load=BagOfWords.load,
    show=show,
)
