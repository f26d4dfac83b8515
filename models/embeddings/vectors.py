"""A table of word vectors: what the embedding models learn and what summaries and keyphrases build on.

Sentences are embedded by smooth inverse frequency (SIF): the mean of the word vectors weighted by
a / (a + p(word)), minus the direction that all sentences share (Arora, Liang and Ma 2017, "A simple
but tough-to-beat baseline for sentence embeddings").
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from data import segment

Floats = npt.NDArray[np.float32]

SMOOTHING = 1e-3
WEIGHTS = "vectors.safetensors"
WORDS = "vocabulary.json"
_DIGIT = re.compile(r"\d")


class UnknownWordError(KeyError):
    """A word has no vector."""


def normalise(text: str) -> str:
    """The form in which words are counted and looked up: lower case, every digit as 0 (all years are `0000`)."""
    return _DIGIT.sub("0", text.lower())


def tokens(text: str) -> list[str]:
    """Words of a text in their normalised form."""
    words: list[str] = segment.words(normalise(text))
    return words


@dataclass(frozen=True)
class WordVectors:
    """Words with their vectors, most frequent first.

    `vectors` is float32 [words, dim], `counts` int64 [words], `common` float32 [dim] the unit
    direction shared by all sentences of the training text (zeros: nothing is removed).
    """

    words: tuple[str, ...]
    vectors: Floats
    counts: npt.NDArray[np.int64]
    common: Floats

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])

    @cached_property
    def index(self) -> dict[str, int]:
        """Row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @cached_property
    def _weighted(self) -> Floats:
        """Vectors times their SIF weight; a last row of zeros stands for unknown words."""
        weight = SMOOTHING / (SMOOTHING + self.counts / max(1, int(self.counts.sum())))
        return np.vstack([self.vectors * weight[:, None], np.zeros(self.dim)]).astype(np.float32)

    @cached_property
    def _unit(self) -> Floats:
        return unit_rows(self.vectors)

    def __contains__(self, word: str) -> bool:
        """Whether the normalised word has a vector."""
        return normalise(word) in self.index

    def embed(self, sentences: Sequence[Sequence[str]]) -> Floats:
        """Unit SIF vectors float32 [sentences, dim] of normalised tokens; zeros where no word is known."""
        return unit_rows(without(self.sums(sentences), self.common))

    def sums(self, sentences: Sequence[Sequence[str]]) -> Floats:
        """Weighted sums of the word vectors, float32 [sentences, dim], before the shared direction goes."""
        unknown = len(self.words)
        rows = [self.index.get(word, unknown) for sentence in sentences for word in (*sentence, "")]
        lengths = np.fromiter((len(sentence) + 1 for sentence in sentences), dtype=np.int64, count=len(sentences))
        starts = np.cumsum(lengths) - lengths
        if not rows:
            return np.zeros((0, self.dim), dtype=np.float32)
        sums: Floats = np.add.reduceat(self._weighted[rows], starts, axis=0)
        return sums

    def embed_sentence(self, sentence: str) -> Floats:
        """Unit SIF vector float32 [dim] of a text."""
        return self.embed([tokens(sentence)]).reshape(self.dim)

    def similarity(self, first: str, second: str) -> float:
        """Cosine of two words; raises UnknownWordError for one without a vector."""
        return float(self._unit[self._row(first)] @ self._unit[self._row(second)])

    def most_similar(self, word: str, *, k: int = 10) -> list[tuple[str, float]]:
        """The k words with the highest cosine to `word`, best first; raises UnknownWordError."""
        found = self.nearest(self.vectors[self._row(word)], k=k + 1)
        return [(other, cosine) for other, cosine in found if other != normalise(word)][:k]

    def nearest(self, vector: Floats, *, k: int = 10) -> list[tuple[str, float]]:
        """The k words with the highest cosine to a vector float32 [dim], best first."""
        cosines = self._unit @ unit_rows(vector[None])[0]
        best = np.argsort(-cosines, kind="stable")[:k]
        return [(self.words[i], float(cosines[i])) for i in best]

    def _row(self, word: str) -> int:
        try:
            return self.index[normalise(word)]
        except KeyError:
            raise UnknownWordError(f"no vector for {word!r} among the {len(self.words)} words of the model") from None

    def save(self, directory: Path) -> None:
        """Write `vectors.safetensors` and `vocabulary.json` into an existing directory."""
        arrays = {"vectors": self.vectors, "counts": self.counts, "common": self.common}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, directory / WEIGHTS)
        (directory / WORDS).write_text(json.dumps(self.words, ensure_ascii=False, indent=0) + "\n", "utf-8")

    @classmethod
    def load(cls, directory: Path) -> WordVectors:
        """Read what `save` wrote."""
        return cls(words=tuple(json.loads((directory / WORDS).read_text("utf-8"))), **load_file(directory / WEIGHTS))


def shared_direction(sums: Floats) -> Floats:
    """First singular direction float32 [dim] of unit sentence vectors, the one that SIF removes."""
    rows = unit_rows(sums).astype(np.float64)
    _, directions = np.linalg.eigh(rows.T @ rows)
    return directions[:, -1].astype(np.float32)


def without(rows: Floats, direction: Floats) -> Floats:
    """Rows [n, dim] minus their part along a unit direction [dim]."""
    return rows - np.outer(rows @ direction, direction)


def unit_rows(rows: Floats) -> Floats:
    """Rows scaled to length 1; rows (almost) of zeros become zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(lengths > 1e-9, rows / np.maximum(lengths, 1e-9), 0.0).astype(np.float32)
