"""Word vectors made of the vectors of character n-grams, so that every word has one; trained by gensim.

Bojanowski, Grave, Joulin and Mikolov 2017, "Enriching word vectors with subword information" (arXiv 1607.04606): the
vector of a word is the mean of its own and of those of the n-grams of `<word>`, which share `buckets` rows by a hash
(FNV-1a, as the authors' program has it). A word that was never seen is the mean of its n-grams. Training is that of
`models.embeddings.word2vec`, with its options and its promise. Nothing is pickled: words, vectors and n-grams are
safetensors and JSON, and the hash is here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from safetensors.numpy import load_file, save_file

from data.progress import Progress, ignore
from models.embeddings.vectors import Floats, UnknownWordError, WordVectors, normalise, unit_rows
from models.embeddings.word2vec import Word2VecConfig, Word2VecConfigError, lines_of, options_of, run, vectors_of

VERSION = 1

NGRAMS = "ngrams.safetensors"
CONFIG = "config.json"


@dataclass(frozen=True, kw_only=True)
class FastTextConfig(Word2VecConfig):
    """Options of word2vec, and the lengths of the n-grams in characters, `<` and `>` counted.

    The artefact has `buckets` rows of `dim` numbers (100 MB as it is); the authors' two million are for vocabularies
    of millions.
    """

    shortest: int = 3
    longest: int = 6
    buckets: int = 250_000

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with."""
        super().__post_init__()
        if self.add_contexts:
            raise Word2VecConfigError("add_contexts is for word2vec; a word that was never seen has no such vector")
        if not 1 <= self.shortest <= self.longest:
            raise Word2VecConfigError(
                f"shortest is {self.shortest} and longest {self.longest}; they must be at least 1 and in order"
            )
        if self.buckets < 1:
            raise Word2VecConfigError(f"buckets is {self.buckets}; it must be at least 1")


@dataclass(frozen=True)
class FastTextVectors:
    """Vectors of the vocabulary, n-grams counted in, and float32 [buckets, dim] of n-grams for all other words."""

    words: WordVectors
    ngrams: Floats
    shortest: int
    longest: int

    def vector(self, word: str) -> Floats:
        """Vector float32 [dim] of any word; raises UnknownWordError for one too short to have an n-gram."""
        word = normalise(word)
        if word in self.words.index:
            known: Floats = self.words.vectors[self.words.index[word]]
            return known
        rows = [of_bytes(ngram) % len(self.ngrams) for ngram in ngrams(word, self.shortest, self.longest)]
        if not rows:
            raise UnknownWordError(f"{word!r} is too short for n-grams of {self.shortest} characters")
        mean: Floats = self.ngrams[rows].mean(axis=0, dtype=np.float32)
        return mean

    def similarity(self, first: str, second: str) -> float:
        """Cosine of any two words."""
        pair = unit_rows(np.stack([self.vector(first), self.vector(second)]))
        return float(pair[0] @ pair[1])

    def most_similar(self, word: str, *, k: int = 10) -> list[tuple[str, float]]:
        """The k words of the vocabulary with the highest cosine to any `word`, best first."""
        found = self.words.nearest(self.vector(word), k=k + 1)
        return [(other, cosine) for other, cosine in found if other != normalise(word)][:k]

    def save(self, directory: Path) -> None:
        """Write what `WordVectors` writes, `ngrams.safetensors` and `config.json` into an existing directory."""
        self.words.save(directory)
        save_file({"ngrams": np.ascontiguousarray(self.ngrams)}, directory / NGRAMS)
        options = {"shortest": self.shortest, "longest": self.longest}
        (directory / CONFIG).write_text(json.dumps(options) + "\n", "utf-8")

    @classmethod
    def load(cls, directory: Path) -> FastTextVectors:
        """Read what `save` wrote."""
        options = json.loads((directory / CONFIG).read_text("utf-8"))
        return cls(WordVectors.load(directory), load_file(directory / NGRAMS)["ngrams"], **options)


def fit(
    batches: Iterable[pl.Series],
    config: FastTextConfig | None = None,
    *,
    seed: int = 0,
    folder: Path,
    progress: Progress = ignore,
) -> FastTextVectors:
    """Learn vectors from batches of texts as `word2vec.fit` does; the n-grams take 4 `buckets` `dim` bytes more."""
    from gensim.models import FastText

    config = config or FastTextConfig()
    lines = lines_of(batches, config, folder)
    model = FastText(
        **options_of(config, seed=seed), min_n=config.shortest, max_n=config.longest, bucket=config.buckets
    )
    run(model, lines, config, progress)
    table = np.ascontiguousarray(model.wv.vectors_ngrams, dtype=np.float32)
    return FastTextVectors(vectors_of(model, lines), table, config.shortest, config.longest)


def ngrams(word: str, shortest: int, longest: int) -> Iterator[bytes]:
    """The n-grams of `<word>` in UTF-8; `<` and `>` alone are none."""
    marked = f"<{word}>"
    for start in range(len(marked)):
        for end in range(start + shortest, min(start + longest, len(marked)) + 1):
            if end - start > 1 or 0 < start < len(marked) - 1:
                yield marked[start:end].encode("utf-8")


def of_bytes(text: bytes) -> int:
    """FNV-1a of 32 bits with the authors' slip: bytes are taken with their sign."""
    value = 2166136261
    for byte in text:
        value = ((value ^ (byte | 0xFFFFFF00 if byte > 127 else byte)) * 16777619) & 0xFFFFFFFF
    return value
