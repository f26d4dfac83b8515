"""ROUGE: how much of a reference a summary covers, and the references that Wikipedia gives for nothing.

ROUGE-1 and -2 count shared word n-grams, ROUGE-L the longest common subsequence (Lin 2004, "ROUGE: a
package for automatic evaluation of summaries"). Words are lower-cased and not stemmed. The lead of
an article is the reference; the article without it is the input.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data import segment

METRICS = ("rouge1", "rouge2", "rougeL")
MIN_LEAD_WORDS = 20
MIN_BODY_WORDS = 100

Section = Mapping[str, Any]


@dataclass(frozen=True)
class Overlap:
    """Precision, recall and F1 of a candidate against a reference, 0 to 1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Article:
    """An article cut in two: `lead` is the reference, `body` with its `sections` the input."""

    doc_id: str
    title: str
    lead: str
    body: str
    sections: tuple[Section, ...]


def rouge_words(text: str) -> list[str]:
    """Lower-cased words."""
    return [word.lower() for word in segment.words(text)]


def rouge_n(candidate: Sequence[str], reference: Sequence[str], *, n: int) -> Overlap:
    """Overlap of the word n-grams of two texts."""
    ours, theirs = _ngrams(candidate, n), _ngrams(reference, n)
    return _overlap((ours & theirs).total(), ours.total(), theirs.total())


def rouge_l(candidate: Sequence[str], reference: Sequence[str]) -> Overlap:
    """Overlap by the longest common subsequence of the words of two texts."""
    return _overlap(common_subsequence(candidate, reference), len(candidate), len(reference))


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence.

    One bit per word of `first`, one step per word of `second`: Hyyrö 2004, "Bit-parallel LCS-length
    computation revisited".
    """
    places: dict[str, int] = {}
    for i, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << i
    full = (1 << len(first)) - 1
    state = full
    for word in second:
        matches = state & places.get(word, 0)
        state = (state + matches | state - matches) & full
    return len(first) - state.bit_count()


def scores(candidate: str, reference: str) -> dict[str, Overlap]:
    """ROUGE-1, -2 and -L of one candidate."""
    ours, theirs = rouge_words(candidate), rouge_words(reference)
    return {
        "rouge1": rouge_n(ours, theirs, n=1),
        "rouge2": rouge_n(ours, theirs, n=2),
        "rougeL": rouge_l(ours, theirs),
    }


def outcomes(candidates: Sequence[str], references: Sequence[str]) -> dict[str, npt.NDArray[np.float64]]:
    """Per-document arrays by name: `rouge1_f1`, `rouge1_recall`, and so on for each metric."""
    rows = [scores(ours, theirs) for ours, theirs in zip(candidates, references, strict=True)]
    return {
        f"{metric}_{part}": np.array([getattr(row[metric], part) for row in rows], dtype=np.float64)
        for metric in METRICS
        for part in ("f1", "recall")
    }


def lead_and_body(text: str, sections: Sequence[Section]) -> tuple[str, str, tuple[Section, ...]] | None:
    """The lead (the section of level 0), the rest, and the rest's sections; None where one of the two is missing."""
    lead = next((section for section in sections if section["level"] == 0), None)
    if lead is None:
        return None
    cut = int(lead["end"])
    body = text[cut:]
    moved = tuple(
        {**section, "start": section["start"] - cut, "end": section["end"] - cut}
        for section in sections
        if section["start"] >= cut
    )
    reference = text[int(lead["start"]) : cut].strip()
    return (reference, body, moved) if reference and body.strip() else None


def articles(
    doc_ids: Sequence[str],
    titles: Sequence[str | None],
    texts: Sequence[str],
    sections: Sequence[Sequence[Section] | None],
) -> tuple[list[Article], dict[str, int]]:
    """Articles that can be evaluated on, and how many cannot by reason (`no_lead`, `short_lead`, `short_body`)."""
    kept: list[Article] = []
    skipped: Counter[str] = Counter()
    for doc_id, title, text, parts in zip(doc_ids, titles, texts, sections, strict=True):
        halves = lead_and_body(text, parts or ())
        if halves is None:
            skipped["no_lead"] += 1
        elif len(segment.words(halves[0])) < MIN_LEAD_WORDS:
            skipped["short_lead"] += 1
        elif len(segment.words(halves[1])) < MIN_BODY_WORDS:
            skipped["short_body"] += 1
        else:
            kept.append(Article(doc_id, title or "", *halves))
    return kept, dict(skipped)


def random_outcomes(
    kept: Sequence[Article],
    pools: Callable[[Article], Sequence[str]],
    *,
    k: int,
    draws: int = 20,
    seed: int = 0,
) -> dict[str, npt.NDArray[np.float64]]:
    """Expected outcomes of k random sentences of each pool, in the order of the text: means over seeded draws."""
    generator = np.random.default_rng(seed)
    references = [article.lead for article in kept]
    sentences = [pools(article) for article in kept]
    runs = [outcomes([_sample(pool, k, generator) for pool in sentences], references) for _ in range(draws)]
    return {name: np.mean([run[name] for run in runs], axis=0) for name in runs[0]}


def first_outcomes(
    kept: Sequence[Article], pools: Callable[[Article], Sequence[str]], *, k: int
) -> dict[str, npt.NDArray[np.float64]]:
    """Outcomes of the first k sentences of each pool."""
    return outcomes([" ".join(pools(article)[:k]) for article in kept], [article.lead for article in kept])


def _sample(pool: Sequence[str], k: int, generator: np.random.Generator) -> str:
    rows = np.sort(generator.choice(len(pool), size=min(k, len(pool)), replace=False))
    return " ".join(pool[row] for row in rows)


def _ngrams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[i:] for i in range(n)), strict=False))


def _overlap(shared: int, ours: int, theirs: int) -> Overlap:
    precision, recall = shared / max(1, ours), shared / max(1, theirs)
    f1 = 2 * precision * recall / (precision + recall) if shared else 0.0
    return Overlap(precision, recall, f1)
