"""Word vectors by skip-gram or continuous bag of words, trained by gensim from a file of words.

Mikolov, Chen, Corrado and Dean 2013, "Efficient estimation of word representations in vector space" (arXiv 1301.3781)
and Mikolov, Sutskever, Chen, Corrado and Dean 2013, "Distributed representations of words and phrases and
their compositionality" (arXiv 1310.4546). Skip-gram learns from each pair of a word w and a neighbour c

    log σ(v_c · v_w) + Σ_{k noise words n} log σ(-v_n · v_w)                      (equation 4)

or, as hierarchical softmax, the turns from the root of a Huffman tree to c (equation 3); CBOW predicts w from the
mean of its neighbours. Words more frequent than `sample` are thinned out (equation 5).

Polars writes sentences to a scratch file and counts them; gensim's compiled loop reads that file without the GIL.
With one worker equal texts, options and seed give equal bytes; more of them race for the same rows (Hogwild) and no two
trainings agree. gensim's own file format is a pickle and is never written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from data.errors import ConfigError
from data.progress import Progress, ignore
from models.embeddings.counting import LIMIT
from models.embeddings.lines import CONTEXTS, Lines, TooFewWordsError, write
from models.embeddings.phrases import MAX_PASSES, PhraseConfig, join_lines
from models.embeddings.vectors import Floats, WordVectors, shared_direction

if TYPE_CHECKING:
    from gensim.models import Word2Vec

__all__ = ["TooFewWordsError", "Word2VecConfig", "Word2VecConfigError", "fit", "train"]

VERSION = 2

ARCHITECTURES = ("skip-gram", "cbow")
OBJECTIVES = ("negative-sampling", "hierarchical-softmax")

_SENTENCES_FOR_DIRECTION = 20_000
_TEXTS_AT_ONCE = 1_000


class Word2VecConfigError(ConfigError):
    """A field of `Word2VecConfig` cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class Word2VecConfig:
    """Options of the training.

    `window` counts words to either side, `negative` the noise words per pair; words rarer than `min_count` get no
    vector; `sample` is the frequency above which words are thinned out. The number of epochs suits a corpus of a
    million words; one of a hundred million needs 3 to 5. Windows end with the `context`, a sentence or a paragraph.
    `phrases` is the number of passes that join phrases, 0 for none. `add_contexts` adds to each word's vector the one
    it has as a neighbour, as GloVe does (Levy, Goldberg and Dagan 2015, section 3.3): it helps where text is little.
    `max_words` is how many distinct words are counted before the rarest are dropped.
    """

    architecture: str = "skip-gram"
    objective: str = "negative-sampling"
    dim: int = 100
    window: int = 10
    negative: int = 5
    epochs: int = 10
    min_count: int = 3
    sample: float = 1e-3
    learning_rate: float = 0.05
    final_learning_rate: float = 1e-4
    context: str = "sentence"
    phrases: int = 0
    phrase_threshold: float = 100.0
    add_contexts: bool = False
    max_words: int = LIMIT
    workers: int = 1

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with."""
        for name, known in (("architecture", ARCHITECTURES), ("objective", OBJECTIVES), ("context", CONTEXTS)):
            if (value := getattr(self, name)) not in known:
                raise Word2VecConfigError(f"{name} is {value!r}; it must be one of {', '.join(known)}")
        for name in ("dim", "window", "negative", "epochs", "min_count", "max_words", "workers"):
            if (value := getattr(self, name)) < 1:
                raise Word2VecConfigError(f"{name} is {value}; it must be at least 1")
        if not 0 < self.sample <= 1:
            raise Word2VecConfigError(f"sample is {self.sample}; it must lie above 0 and at most at 1")
        if not 0 < self.final_learning_rate <= self.learning_rate:
            raise Word2VecConfigError(
                f"final_learning_rate is {self.final_learning_rate}; it must lie above 0 and at most at "
                f"learning_rate ({self.learning_rate})"
            )
        if self.add_contexts and self.objective != "negative-sampling":
            raise Word2VecConfigError(
                f"add_contexts needs objective negative-sampling and found {self.objective}, which has no such vectors"
            )
        if not 0 <= self.phrases <= MAX_PASSES:
            raise Word2VecConfigError(f"phrases is {self.phrases}; it must lie from 0 (none) to {MAX_PASSES}")
        if self.phrase_threshold <= 0:
            raise Word2VecConfigError(f"phrase_threshold is {self.phrase_threshold}; it must be above 0")


def fit(
    batches: Iterable[pl.Series],
    config: Word2VecConfig | None = None,
    *,
    seed: int = 0,
    folder: Path,
    progress: Progress = ignore,
) -> WordVectors:
    """Learn vectors from batches of texts, which are read once; `folder` is for scratch files, as large as the texts.

    In memory are one batch, the counts of the distinct words (at most 2 `max_words`) and the model, 8 `dim` bytes for
    each word of the vocabulary. Progress counts epochs. Raises TooFewWordsError when no word reaches `min_count`.
    """
    config = config or Word2VecConfig()
    lines = lines_of(batches, config, folder)
    return vectors_of(trained(lines, config, seed=seed, progress=progress), lines, add_contexts=config.add_contexts)


def train(
    texts: Iterable[str], config: Word2VecConfig | None = None, *, seed: int = 0, progress: Progress = ignore
) -> WordVectors:
    """Learn vectors from texts one after another, as `fit` does, with the scratch files in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="word2vec-") as folder:
        return fit(batches_of(texts), config, seed=seed, folder=Path(folder), progress=progress)


def batches_of(texts: Iterable[str]) -> Iterator[pl.Series]:
    """Texts in batches."""
    left = iter(texts)
    while batch := list(islice(left, _TEXTS_AT_ONCE)):
        yield pl.Series("text", batch, dtype=pl.String)


def lines_of(batches: Iterable[pl.Series], config: Word2VecConfig, folder: Path) -> Lines:
    """The file that gensim reads."""
    lines = write(batches, folder / "lines.txt", context=config.context, limit=config.max_words)
    lines.vocabulary(config.min_count)
    phrases = PhraseConfig(passes=config.phrases, threshold=config.phrase_threshold)
    return join_lines(lines, phrases, limit=config.max_words)


def trained(lines: Lines, config: Word2VecConfig, *, seed: int, progress: Progress = ignore) -> Word2Vec:
    """A model of gensim that has learnt from a file."""
    from gensim.models import Word2Vec

    model = Word2Vec(**options_of(config, seed=seed))
    run(model, lines, config, progress)
    return model


def options_of(config: Word2VecConfig, *, seed: int) -> dict[str, Any]:
    """The options under gensim's names."""
    is_hierarchical = config.objective == "hierarchical-softmax"
    return {
        "sg": int(config.architecture == "skip-gram"),
        "hs": int(is_hierarchical),
        "negative": 0 if is_hierarchical else config.negative,
        "vector_size": config.dim,
        "window": config.window,
        "min_count": config.min_count,
        "sample": config.sample,
        "alpha": config.learning_rate,
        "min_alpha": config.final_learning_rate,
        "workers": config.workers,
        "sorted_vocab": 0,  # words come sorted; gensim's order of equal counts depends on the processor
        "seed": seed,
        "epochs": config.epochs,
    }


def run(model: Any, lines: Lines, config: Word2VecConfig, progress: Progress) -> None:
    """Train a model of gensim on a file: its words are counted already, so gensim need not read it for that."""
    words = lines.vocabulary(config.min_count)
    model.build_vocab_from_freq(dict(words.iter_rows()), corpus_count=lines.lines)
    model.train(
        corpus_file=str(lines.path),
        total_examples=lines.lines,
        total_words=lines.words,
        epochs=config.epochs,
        callbacks=[_epoch_listener(progress, config.epochs)],
    )


def vectors_of(model: Any, lines: Lines, *, add_contexts: bool = False) -> WordVectors:
    """The vectors of a model of gensim, with the direction that the sentences it learnt from share."""
    vectors = model.wv.vectors + model.syn1neg if add_contexts else model.wv.vectors
    words = tuple(model.wv.index_to_key)
    counts = np.array([model.wv.get_vecattr(word, "count") for word in words], dtype=np.int64)
    return with_direction(words, counts, np.ascontiguousarray(vectors, dtype=np.float32), lines)


def with_direction(words: tuple[str, ...], counts: Any, vectors: Floats, lines: Lines) -> WordVectors:
    """A table of vectors [words, dim] with the direction that the first sentences of the file share."""
    plain = WordVectors(words=words, vectors=vectors, counts=counts, common=np.zeros(vectors.shape[1], np.float32))
    first = (line.split() for block in lines.read() for line in block)
    sample = list(islice(first, _SENTENCES_FOR_DIRECTION))
    return WordVectors(words=words, vectors=vectors, counts=counts, common=shared_direction(plain.sums(sample)))


def _epoch_listener(progress: Progress, epochs: int) -> Any:
    from gensim.models.callbacks import CallbackAny2Vec

    class Listener(CallbackAny2Vec):  # type: ignore[misc]
        done = 0

        def on_epoch_end(self, model: Word2Vec) -> None:  # noqa: ARG002 - gensim's signature
            self.done += 1
            progress(self.done, epochs)

    return Listener()
