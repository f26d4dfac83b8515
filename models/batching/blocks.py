"""Documents packed into blocks of equal length, without padding.

Documents stand in one stream, each after a separator; a block is `context + 1` tokens of it, and neighbours share one
token, so that every token of the stream is predicted once per epoch. Each epoch begins to cut somewhere else, and goes
on from the end of the stream to its beginning: tokens that stood early in their block, with little before them, do not
do so again. The stream is not made: where in it a position is, is computed from where the documents begin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from data.errors import TextmillError
from data.hashing import fingerprint
from data.token_store import TokenStore
from models.batching.order import Shuffled

Ids = npt.NDArray[np.int64]


class TooFewTokensError(TextmillError, ValueError):
    """The documents do not fill a single block."""


@dataclass(frozen=True)
class Blocks:
    """The stream of a store's documents cut into blocks; what is left is less than one and differs between epochs.

    With `borders`, batches tell which document each token belongs to, so that attention can stop there.
    Raises TooFewTokensError when there is not one block of `context + 1` tokens.
    """

    store: TokenStore
    separator: int
    context: int
    seed: int = 0
    borders: bool = False

    def __post_init__(self) -> None:
        if self.tokens <= self.context:
            raise TooFewTokensError(
                f"{self.tokens} tokens do not fill one block of {self.context + 1}; "
                "give more documents or a shorter context"
            )

    @property
    def tokens(self) -> int:
        """Tokens of the stream: those of the documents and a separator for each."""
        return int(self.store.offsets[-1]) + len(self.store)

    def __len__(self) -> int:
        """Number of blocks."""
        return max(0, self.tokens - 1) // self.context

    @property
    def fingerprint(self) -> str:
        """Of the documents, how they are packed, and their order; raise the number when cuts or order change."""
        return fingerprint([self.store.fingerprint, self.separator, self.context, self.seed, self.borders, 2])

    def batch(self, step: int, *, batch_size: int) -> dict[str, Tensor]:
        """`ids` int64 [batch_size, context + 1] of step `step` (from 0), and `documents` alike where borders count."""
        epochs = (step * batch_size + np.arange(batch_size)) // len(self)
        shifts = np.array([self._shift(int(epoch)) for epoch in epochs])
        return self._cut(self._order.of_step(step, batch_size) * self.context + shifts)

    def rows(self, blocks: Iterable[int]) -> dict[str, Tensor]:
        """The blocks with these numbers of the first epoch, as `batch` gives them."""
        return self._cut(np.fromiter(blocks, dtype=np.int64) * self.context)

    def _cut(self, starts: Ids) -> dict[str, Tensor]:
        """The blocks that begin at these positions of the stream, which is a ring."""
        laps, positions = np.divmod(starts[:, None] + np.arange(self.context + 1), self.tokens)
        ids, documents = self._at(positions)
        documents += laps * len(self.store)  # the end of the last document is no part of the first
        found = {"ids": torch.from_numpy(ids)}
        return {**found, "documents": torch.from_numpy(documents)} if self.borders else found

    def counts(self, vocab_size: int) -> Ids:
        """How often each token stands in the stream, int64 [vocab_size]."""
        found = np.bincount(self.store.ids, minlength=vocab_size).astype(np.int64)
        found[self.separator] += len(self.store)
        return found

    def _at(self, positions: Ids) -> tuple[Ids, Ids]:
        """Tokens at positions of the stream, and the documents they belong to, each shaped as `positions`."""
        documents = np.searchsorted(self._starts, positions, side="right") - 1
        inside = positions - self._starts[documents] - 1  # -1 is the separator
        found, real = np.full(positions.shape, self.separator, dtype=np.int64), inside >= 0
        found[real] = self.store.ids[self.store.offsets[documents[real]] + inside[real]]
        return found, documents

    def _shift(self, epoch: int) -> int:
        """How much later than in the first epoch the blocks of this one begin."""
        return int(np.random.default_rng((self.seed, epoch, 1)).integers(self.tokens)) if epoch else 0

    @cached_property
    def _starts(self) -> Ids:
        """Where in the stream each document's separator stands."""
        return np.asarray(self.store.offsets[:-1]) + np.arange(len(self.store))

    @cached_property
    def _order(self) -> Shuffled:
        return Shuffled(len(self), self.seed)


def pack(documents: Iterable[Sequence[int]], *, separator: int, context: int, seed: int = 0) -> Blocks:
    """Blocks of documents that are in memory (token ids each). Raises TooFewTokensError as `Blocks` does."""
    return Blocks(TokenStore.of(documents), separator, context, seed)
