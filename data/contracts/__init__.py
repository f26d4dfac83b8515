"""One contract per dataset: Arrow schema, meaning of each column, and expectations."""

from __future__ import annotations

from data.contracts.base import Check, Column, Contract, Drift, Expectation
from data.contracts.corpus import CANDIDATES, CORPUS, DOCUMENTS, DUPLICATES, REJECTS, TOKENS
from data.contracts.labels import LABELLED_SPANS, LABELLED_TEXT
from data.contracts.predictions import ENTITIES, KEYPHRASES, METRICS, SENTIMENT, SUMMARIES

CONTRACTS: dict[str, Contract] = {
    "documents": DOCUMENTS,
    "candidates": CANDIDATES,
    "corpus": CORPUS,
    "rejects": REJECTS,
    "duplicates": DUPLICATES,
    "tokens": TOKENS,
    "labelled_text": LABELLED_TEXT,
    "labelled_spans": LABELLED_SPANS,
    "summaries": SUMMARIES,
    "sentiment": SENTIMENT,
    "entities": ENTITIES,
    "keyphrases": KEYPHRASES,
    "metrics": METRICS,
}

__all__ = ["CONTRACTS", "Check", "Column", "Contract", "Drift", "Expectation"]
