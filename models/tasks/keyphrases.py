"""Keyphrases without labels: the phrases of a document that are frequent in it and rare elsewhere.

TF-IDF (Spärck Jones 1972) of each candidate, raised for proper names, an early first occurrence, words that
stick together, and closeness to the meaning of the whole document in trained word vectors (in the
manner of EmbedRank, Bennani-Smires et al. 2018, and YAKE, Campos et al. 2020).
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from safetensors.numpy import load_file, save_file

from data import segment
from data.errors import ConfigError
from data.progress import Progress, ignore
from models.embeddings.vectors import WordVectors, normalise, tokens
from models.tasks.phrases import Candidate, candidates, words_of

VERSION = 1
CONFIG = "keyphrases.json"
FREQUENCIES = "frequencies.safetensors"
_MANY_WORDS = 3
SCHEMA = {"row": pl.UInt32, "rank": pl.Int16, "phrase": pl.String, "score": pl.Float32}


class KeyphraseConfigError(ConfigError):
    """A field of `KeyphraseConfig` cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class KeyphraseConfig:
    """Options of the extraction.

    At most `top` phrases a document, of which the first `max_words` words are read. Words in more
    than `common_share` of at least `min_documents` documents count as function words. The `*_weight` fields are
    exponents or factors of the parts of the score; 0 switches a part off. `min_count` keeps words seen in so many
    documents in the model; rarer ones get the highest rarity anyway.
    """

    top: int = 10
    max_words: int = 20_000
    min_count: int = 2
    common_share: float = 0.8
    min_documents: int = 50
    name_weight: float = 0.5
    position_weight: float = 3.0
    rarity_weight: float = 0.5
    nested_weight: float = 0.2
    length_weight: float = 0.75
    meaning_weight: float = 2.0
    title_weight: float = 0.5

    def __post_init__(self) -> None:
        """Refuse values that give no phrases."""
        for name in ("top", "max_words", "min_count", "min_documents"):
            if (value := getattr(self, name)) < 1:
                raise KeyphraseConfigError(f"{name} is {value}; it must be at least 1")
        if not 0 < self.common_share <= 1:
            raise KeyphraseConfigError(f"common_share is {self.common_share}; it must lie above 0 and at most at 1")
        for name in [field.name for field in dataclasses.fields(self) if field.name.endswith("_weight")]:
            if (value := getattr(self, name)) < 0:
                raise KeyphraseConfigError(f"{name} is {value}; it must be at least 0")


@dataclass(frozen=True)
class KeyphraseModel:
    """Document frequencies of a corpus, with its word vectors.

    `words` are in lower case; `frequencies` int64 [words] counts the documents, of `documents`, that have each.
    """

    config: KeyphraseConfig
    vectors: WordVectors
    words: tuple[str, ...]
    frequencies: npt.NDArray[np.int64]
    documents: int

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],
        vectors: WordVectors,
        config: KeyphraseConfig | None = None,
        *,
        progress: Progress = ignore,
    ) -> KeyphraseModel:
        """Count in how many texts each word stands; progress counts texts, their total being unknown (0)."""
        config = config or KeyphraseConfig()
        counts: Counter[str] = Counter()
        documents = 0
        for text in texts:
            counts.update({word.lower() for word in segment.words(text)})
            documents += 1
            progress(documents, 0)
        known = [word for word, count in counts.items() if count >= config.min_count]
        kept = sorted(known, key=lambda word: (-counts[word], word))
        frequencies = np.array([counts[word] for word in kept], dtype=np.int64)
        return cls(config, vectors, tuple(kept), frequencies, documents)

    @cached_property
    def _rarity(self) -> dict[str, float]:
        """Inverse document frequency of the words known."""
        rarity = np.log((1 + self.documents) / (1 + self.frequencies))
        return dict(zip(self.words, rarity.tolist(), strict=True))

    @cached_property
    def _common(self) -> frozenset[str]:
        """Words of so many documents that they cannot tell one from another."""
        if self.documents < self.config.min_documents:
            return frozenset()
        shared = np.flatnonzero(self.frequencies > self.config.common_share * self.documents)
        return frozenset(self.words[i] for i in shared)

    def extract(
        self, titles: Sequence[str | None], texts: Sequence[str], *, progress: Progress = ignore
    ) -> pl.DataFrame:
        """Phrases of each document, best first: row (number of the document), rank from 1, phrase, score (0 to 1)."""
        rows: list[tuple[int, int, str, float]] = []
        for number, (title, text) in enumerate(zip(titles, texts, strict=True)):
            phrases = self.phrases(title or "", text)
            rows += [(number, rank, phrase, score) for rank, (phrase, score) in enumerate(phrases, start=1)]
            progress(number + 1, len(texts))
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    def phrases(self, title: str, text: str) -> list[tuple[str, float]]:
        """At most `top` phrases of one document with their scores relative to the best, best first."""
        found = candidates(text, common=self._common, limit=self.config.max_words)
        if not found:
            return []
        phrases = list(found.values())
        score = self._scores(found, title)
        best: list[int] = []
        for i in np.argsort(-score, kind="stable").tolist():
            if not any(_repeats(phrases[i], phrases[j]) for j in best):
                best.append(i)
            if len(best) == self.config.top:
                break
        highest = float(score[best[0]]) or 1.0
        return [(phrases[i].surface, float(score[i]) / highest) for i in best]

    def _scores(self, found: dict[str, Candidate], title: str) -> npt.NDArray[np.float64]:
        """Score of each candidate, float64 [candidates], at least 0."""
        config = self.config
        rows = list(found.values())
        unknown = math.log(1 + self.documents) if self.documents else 1.0
        count = np.array([row.count for row in rows], dtype=np.float64)
        independent = np.array([row.independent for row in rows])
        size = np.array([len(row.words) for row in rows], dtype=np.float64)
        rarity = np.array([sum(self._rarity.get(w, unknown) for w in row.words) for row in rows]) / size
        first = np.array([row.first for row in rows], dtype=np.float64)
        names = np.array([row.names for row in rows]) / count
        in_title = np.array([f" {key} " in f" {title.lower()} " for key in found], dtype=np.float64)
        alone = np.maximum(independent, 0.0)
        frequency = np.log1p(alone) + config.nested_weight * np.log1p(count - alone)
        return np.asarray(
            frequency
            * rarity**config.rarity_weight
            * size**config.length_weight
            * (1 + config.name_weight * names)
            * (1 + config.position_weight / (1 + np.log1p(first)))
            * (1 + config.title_weight * in_title)
            * (1 + config.meaning_weight * self._closeness(rows))
        )

    def _closeness(self, rows: Sequence[Candidate]) -> npt.NDArray[np.float64]:
        """Cosine, 0 to 1, of each phrase to the document, whose vector is the mean of its single words."""
        words = [[normalise(word) for word in row.words] for row in rows]
        document = [word for row, part in zip(rows, words, strict=True) if len(part) == 1 for word in part * row.count]
        vectors = self.vectors.embed([*words, document])
        return np.asarray(np.maximum(vectors[:-1] @ vectors[-1], 0.0), dtype=np.float64)

    def save(self, directory: Path) -> None:
        """Write options, document frequencies and vectors into an existing directory."""
        content = {"config": dataclasses.asdict(self.config), "documents": self.documents, "words": self.words}
        (directory / CONFIG).write_text(json.dumps(content, ensure_ascii=False, indent=0) + "\n", "utf-8")
        save_file({"frequencies": self.frequencies}, directory / FREQUENCIES)
        self.vectors.save(directory)

    @classmethod
    def load(cls, directory: Path) -> KeyphraseModel:
        """Read what `save` wrote."""
        content = json.loads((directory / CONFIG).read_text("utf-8"))
        return cls(
            config=KeyphraseConfig(**content["config"]),
            vectors=WordVectors.load(directory),
            words=tuple(content["words"]),
            frequencies=load_file(directory / FREQUENCIES)["frequencies"],
            documents=content["documents"],
        )


def frequent_words(text: str, *, k: int) -> list[str]:
    """The baseline: the k content words that a text uses most, in lower case."""
    counts = Counter(word.lower for word in words_of(text) if word.content)
    return [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:k]]


def title_recall(titles: Sequence[str], phrases: Sequence[Sequence[str]], *, k: int = 10) -> npt.NDArray[np.float64]:
    """Per document 1.0 where its title, without what stands in brackets, is among the first k phrases."""
    wanted = (tokens(title.split(" (")[0]) for title in titles)
    return np.array(
        [float(any(tokens(p) == title for p in found[:k])) for title, found in zip(wanted, phrases, strict=True)]
    )


def _repeats(phrase: Candidate, chosen: Candidate) -> bool:
    """Whether a phrase says what a chosen one says: part of it, shifted along it, or with another ending."""
    shorter = min(len(phrase.words), len(chosen.words))
    shared = len(set(phrase.words) & set(chosen.words))
    if len(phrase.words) < len(chosen.words) and shared == len(phrase.words):
        return True
    if shorter >= _MANY_WORDS and 2 * shared >= shorter:
        return True
    return len(phrase.words) == len(chosen.words) and all(map(_same_stem, phrase.words, chosen.words))


def _same_stem(first: str, second: str) -> bool:
    shorter, longer = sorted((first, second), key=len)
    return first == second or (len(longer) - len(shorter) <= 2 and len(shorter) > 3 and longer.startswith(shorter[:-1]))
