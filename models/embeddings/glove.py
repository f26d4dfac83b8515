"""GloVe: word vectors from sums of co-occurrence.

Pennington, Socher and Manning 2014, "GloVe: Global vectors for word representation" (EMNLP). Vectors w and context
vectors w~ with biases b and b~ minimise

    J = Σ_ij f(X_ij) (w_i · w~_j + b_i + b~_j - log X_ij)²                (equation 8)
    f(x) = (x / x_max)^α where x < x_max, else 1                          (equation 9)

over the pairs that occur, by AdaGrad (Duchi, Hazan and Singer 2011); the result is w + w~.
`models.embeddings.cooccurrence` counts X.

That two words never meet says something too, and where text is little it is most of what there is to know. As in Swivel
(Shazeer et al. 2016, arXiv 1602.02215) pairs that do not occur are held down, here a sample of them: the difference to
log (1 / window), the least that could have been seen, counts where it is above 0. `absent=0` is the GloVe of the paper.

Biases are columns: w' = (w, b, 1) and w~' = (w~, 1, b~), so that w' · w~' is the whole prediction. A batch is a
random set of pairs, the same in all epochs, in another order each; its gradient is summed for each word before the
step, which makes it two products of a sparse matrix with a dense one. Every sum has one order: equal texts, options
and seed give equal bytes, on any number of threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn.functional import embedding_bag

from data.errors import ConfigError
from data.progress import Progress, ignore
from models.embeddings import cooccurrence
from models.embeddings.cooccurrence import IN_MEMORY, Cooccurrences
from models.embeddings.counting import LIMIT
from models.embeddings.lines import CONTEXTS, Ids, TooFewWordsError, write
from models.embeddings.vectors import WordVectors
from models.embeddings.word2vec import with_direction

VERSION = 2


class GloveConfigError(ConfigError):
    """A field of `GloveConfig` cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class GloveConfig:
    """Options of the training.

    `window` counts words to either side; words rarer than `min_count` get no vector; `x_max` and `alpha` are those of
    equation 9 (the authors' 100 is for billions of words). A step learns from about `pairs_per_word` pairs for each
    word of the vocabulary. `absent` is how many pairs are drawn to hold down those that do not occur, for each pair
    that does, and `absent_weight` their f. `pairs_in_memory` bounds the counting, `max_words` how many distinct words
    are counted exactly.
    """

    dim: int = 100
    window: int = 10
    min_count: int = 3
    x_max: float = 10.0
    alpha: float = 0.75
    epochs: int = 30
    learning_rate: float = 0.05
    pairs_per_word: int = 4
    absent: float = 1.0
    absent_weight: float = 0.2
    context: str = "sentence"
    pairs_in_memory: int = IN_MEMORY
    max_words: int = LIMIT

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with."""
        counts = ("dim", "window", "min_count", "epochs", "pairs_per_word", "pairs_in_memory", "max_words")
        for name in counts:
            if (value := getattr(self, name)) < 1:
                raise GloveConfigError(f"{name} is {value}; it must be at least 1")
        for name in ("x_max", "alpha", "learning_rate"):
            if not (value := getattr(self, name)) > 0:
                raise GloveConfigError(f"{name} is {value}; it must be above 0")
        for name in ("absent", "absent_weight"):
            if not (value := getattr(self, name)) >= 0:
                raise GloveConfigError(f"{name} is {value}; it must be at least 0")
        if self.context not in CONTEXTS:
            raise GloveConfigError(f"context is {self.context!r}; it must be one of {', '.join(CONTEXTS)}")


def fit(
    batches: Iterable[pl.Series],
    config: GloveConfig | None = None,
    *,
    seed: int = 0,
    folder: Path,
    progress: Progress = ignore,
) -> WordVectors:
    """Learn vectors from batches of texts, which are read once; `folder` is for scratch files.

    In memory are one batch of texts, then 80 bytes for each of `pairs_in_memory`, then the model: 24 (`dim` + 2) bytes
    and 100 `pairs_per_word` for each word. Progress counts epochs. Raises TooFewWordsError when no word reaches
    `min_count`, or no two of them share a window.
    """
    config = config or GloveConfig()
    lines = write(batches, folder / "lines.txt", context=config.context, limit=config.max_words)
    words = lines.vocabulary(config.min_count)
    pairs = cooccurrence.count(lines, words["word"], folder, window=config.window, in_memory=config.pairs_in_memory)
    if not len(pairs):
        raise TooFewWordsError(
            f"no two of the {words.height} words stand within {config.window} words of each other; "
            "give longer texts or lower min_count"
        )
    counts = words["count"].to_numpy()
    if config.absent:
        pairs = cooccurrence.with_absent(
            pairs, counts, folder, share=config.absent, seed=seed, in_memory=config.pairs_in_memory
        )
    model = Glove(words.height, config, seed=seed)
    for epoch, _ in enumerate(model.minimise(pairs, folder, seed=seed), start=1):
        progress(epoch, config.epochs)
    return with_direction(tuple(words["word"]), counts, model.vectors(), lines)


@dataclass(frozen=True)
class Batch:
    """Pairs i ≤ j as a sparse matrix by rows i, and the same by columns j.

    `columns` int32 [pairs] holds j, `rows` i in the other order, `order` the places of the pairs in that order;
    `starts` and `column_starts` int32 [words + 1] are where each row and each column begins. Float32 [pairs] are the
    logarithm of x and f(x), and bool [pairs] says which pairs are `absent`, where some may be.
    """

    starts: Tensor
    columns: Tensor
    column_starts: Tensor
    rows: Tensor
    order: Tensor
    log_x: Tensor
    weight: Tensor
    absent: Tensor | None = None


class Glove:
    """The parameters w' and w~', float32 [words, dim + 2] each, with AdaGrad's sums of squares."""

    def __init__(self, words: int, config: GloveConfig, *, seed: int) -> None:
        self.config = config
        generator = torch.Generator().manual_seed(seed)
        width = config.dim + 2
        self.tables = [(torch.rand(words, width, generator=generator) - 0.5) / config.dim for _ in range(2)]
        self.squares = [torch.zeros(words, width) for _ in range(2)]
        for table, constant in zip(self.tables, self._constants, strict=True):
            table[:, constant] = 1.0

    @property
    def _constants(self) -> tuple[int, int]:
        """The column of ones in w' and in w~'."""
        return self.config.dim + 1, self.config.dim

    def minimise(self, pairs: Cooccurrences, folder: Path, *, seed: int) -> Iterator[float]:
        """Train; gives the mean of the loss over the pairs in each epoch, as it was before each step."""
        batches = max(1, len(pairs) // (self.config.pairs_per_word * pairs.words))
        dealt, starts = cooccurrence.shuffled(pairs, folder, batches=batches, seed=seed)
        for epoch in range(self.config.epochs):
            order = np.random.default_rng((seed, epoch)).permutation(batches)
            losses = [self.step(batch_of(dealt, starts, number, self.config)) for number in order]
            yield sum(losses) / (2 * len(pairs))

    def step(self, batch: Batch) -> float:
        """One step of AdaGrad; returns the loss summed over both directions of the batch."""
        w, c = self.tables
        # X is symmetric: (i, j) is learnt with w_i and w~_j, and with w_j and w~_i.
        forward, forward_loss = errors(batch, w, c)
        backward, backward_loss = errors(batch, c, w)
        gradients = [
            by_rows(batch, c, forward) + by_columns(batch, c, backward),
            by_rows(batch, w, backward) + by_columns(batch, w, forward),
        ]
        for table, squares, gradient, constant in zip(
            self.tables, self.squares, gradients, self._constants, strict=True
        ):
            gradient[:, constant] = 0.0
            squares.addcmul_(gradient, gradient)
            table.addcdiv_(gradient, squares.sqrt().add_(1e-8), value=-self.config.learning_rate)
        return forward_loss + backward_loss

    def vectors(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """The result, w + w~, float32 [words, dim]."""
        w, c = self.tables
        return (w + c)[:, : self.config.dim].contiguous().numpy()


def batch_of(pairs: Cooccurrences, starts: Ids, number: int, config: GloveConfig) -> Batch:
    """Read a batch of pairs."""
    part = slice(int(starts[number]), int(starts[number + 1]))
    low, high = np.divmod(pairs.keys[part], pairs.words)
    x = torch.from_numpy(np.array(pairs.sums[part], dtype=np.float32))
    by_row = csr_array(
        (
            np.arange(len(low), dtype=np.int32),
            high.astype(np.int32),
            np.searchsorted(low, np.arange(pairs.words + 1)).astype(np.int32),
        ),
        shape=(pairs.words, pairs.words),
    )
    by_column = by_row.tocsc()  # a counting sort
    starts_, columns, column_starts, rows, order = map(
        torch.from_numpy, (by_row.indptr, by_row.indices, by_column.indptr, by_column.indices, by_column.data)
    )
    weight = (x / config.x_max).pow(config.alpha).clamp(max=1.0)  # equation 9
    # A pair of a word with itself has one direction, not two.
    halves = torch.from_numpy(low == high)
    if not config.absent:
        weight[halves] /= 2
        return Batch(starts_, columns, column_starts, rows, order, x.log(), weight)
    absent = x == 0
    weight[absent] = config.absent_weight
    weight[halves] /= 2
    x[absent] = 1 / config.window
    return Batch(starts_, columns, column_starts, rows, order, x.log(), weight, absent)


def errors(batch: Batch, w: Tensor, c: Tensor) -> tuple[Tensor, float]:
    """f(x) (w_i · c_j - log x), float32 [pairs], which is half the gradient of J in the prediction, and the loss J."""
    ones = torch.ones_like(batch.weight).requires_grad_()
    # The gradient of Σ_i w_i · Σ_j s_ij c_j in s_ij is w_i · c_j, without copies of the rows for each pair.
    sums = embedding_bag(batch.columns, c, batch.starts, mode="sum", per_sample_weights=ones, include_last_offset=True)
    (products,) = torch.autograd.grad(sums, ones, w)
    difference = products - batch.log_x
    if batch.absent is not None:
        difference = torch.where(batch.absent, difference.clamp_min(0), difference)
    error = batch.weight * difference
    return error, float(error @ difference)


def by_rows(batch: Batch, table: Tensor, error: Tensor) -> Tensor:
    """Σ_j e_ij table_j for each i, float32 [words, width]."""
    return embedding_bag(
        batch.columns, table, batch.starts, mode="sum", per_sample_weights=error, include_last_offset=True
    )


def by_columns(batch: Batch, table: Tensor, error: Tensor) -> Tensor:
    """Σ_i e_ij table_i for each j, float32 [words, width]."""
    return embedding_bag(
        batch.rows,
        table,
        batch.column_starts,
        mode="sum",
        per_sample_weights=error[batch.order],
        include_last_offset=True,
    )
