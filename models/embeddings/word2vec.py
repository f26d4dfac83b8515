"""Skip-gram word vectors with negative sampling, trained by gensim.

Mikolov, Sutskever, Chen, Corrado and Dean 2013, "Distributed representations of words and phrases
and their compositionality" (arXiv 1310.4546). One worker: more of them race for the same rows, so no two
trainings would agree. gensim's own file format is a pickle and is never written.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from data import segment
from data.errors import ConfigError, TextmillError
from data.progress import Progress, ignore
from models.embeddings.vectors import Floats, WordVectors, shared_direction, tokens

if TYPE_CHECKING:
    from gensim.models import Word2Vec

VERSION = 1

_SENTENCES_FOR_DIRECTION = 20_000


class Word2VecConfigError(ConfigError):
    """A field of `Word2VecConfig` cannot be used; the message names it."""


class TooFewWordsError(TextmillError, ValueError):
    """No word occurs often enough to get a vector."""


@dataclass(frozen=True, kw_only=True)
class Word2VecConfig:
    """Options of the training.

    `window` counts words to either side, `negative` the noise words per pair; words rarer than
    `min_count` get no vector; `sample` is the frequency above which words are thinned out. The number
    of epochs suits a corpus of a million words; one of a hundred million needs 3 to 5.
    """

    dim: int = 100
    window: int = 10
    negative: int = 5
    epochs: int = 10
    min_count: int = 3
    sample: float = 1e-3
    learning_rate: float = 0.05
    final_learning_rate: float = 1e-4

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with."""
        for name in ("dim", "window", "negative", "epochs", "min_count"):
            if (value := getattr(self, name)) < 1:
                raise Word2VecConfigError(f"{name} is {value}; it must be at least 1")
        if not 0 < self.sample <= 1:
            raise Word2VecConfigError(f"sample is {self.sample}; it must lie above 0 and at most at 1")
        if not 0 < self.final_learning_rate <= self.learning_rate:
            raise Word2VecConfigError(
                f"final_learning_rate is {self.final_learning_rate}; it must lie above 0 and at most at "
                f"learning_rate ({self.learning_rate})"
            )


def train(
    texts: Iterable[str], config: Word2VecConfig | None = None, *, seed: int = 0, progress: Progress = ignore
) -> WordVectors:
    """Learn vectors from texts, which are read once; equal texts, options and seed give equal bytes.

    Progress counts epochs. Raises TooFewWordsError when no word reaches `min_count`.
    """
    config = config or Word2VecConfig()
    # Words are found once and kept in a nameless scratch file, so that memory does not grow with the corpus.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as scratch:
        for text in texts:
            scratch.writelines(" ".join(words) + "\n" for words in sentences(text))
        corpus = _Lines(scratch)
        return _vectors(_fit(corpus, config, seed=seed, progress=progress), corpus)


def sentences(text: str) -> Iterator[list[str]]:
    """Normalised words of each sentence that has any."""
    for start, end in segment.sentence_spans(text):
        if words := tokens(text[start:end]):
            yield words


class _Lines:
    """Sentences in a scratch file, one a line, words separated by blanks; can be read again and again."""

    def __init__(self, scratch: IO[str]) -> None:
        self.scratch = scratch

    def __iter__(self) -> Iterator[list[str]]:
        self.scratch.seek(0)
        return (line.split() for line in self.scratch)


def _fit(corpus: _Lines, config: Word2VecConfig, *, seed: int, progress: Progress) -> Word2Vec:
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=config.dim,
        window=config.window,
        negative=config.negative,
        min_count=config.min_count,
        sample=config.sample,
        alpha=config.learning_rate,
        min_alpha=config.final_learning_rate,
        sg=1,
        workers=1,
        seed=seed,
        epochs=config.epochs,
        hashfxn=_stable_hash,
    )
    model.build_vocab(corpus)
    if not model.wv.index_to_key:
        raise TooFewWordsError(f"no word occurs {config.min_count} times; give more text or lower min_count")
    model.train(
        corpus,
        total_examples=model.corpus_count,
        epochs=config.epochs,
        callbacks=[_epoch_listener(progress, config.epochs)],
    )
    return model


def _epoch_listener(progress: Progress, epochs: int) -> Any:
    from gensim.models.callbacks import CallbackAny2Vec

    class Listener(CallbackAny2Vec):  # type: ignore[misc]
        done = 0

        def on_epoch_end(self, model: Word2Vec) -> None:  # noqa: ARG002 - gensim's signature
            self.done += 1
            progress(self.done, epochs)

    return Listener()


def _vectors(model: Word2Vec, corpus: _Lines) -> WordVectors:
    words = tuple(model.wv.index_to_key)
    counts = np.array([model.wv.get_vecattr(word, "count") for word in words], dtype=np.int64)
    vectors: Floats = np.ascontiguousarray(model.wv.vectors, dtype=np.float32)
    plain = WordVectors(words=words, vectors=vectors, counts=counts, common=np.zeros(model.vector_size, np.float32))
    sample = list(islice(corpus, _SENTENCES_FOR_DIRECTION))
    return WordVectors(words=words, vectors=vectors, counts=counts, common=shared_direction(plain.sums(sample)))


def _stable_hash(text: str) -> int:
    """A hash that no environment variable changes, unlike Python's own."""
    return zlib.crc32(text.encode("utf-8"))
