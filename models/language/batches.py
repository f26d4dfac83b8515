"""Token ids packed into blocks, and the order in which training sees them.

Documents stand in one stream, each after a separator; a block is `context + 1` tokens of it, and
neighbours share one token, so that every token of the stream is predicted once per epoch. The order
is a permutation drawn from (seed, epoch) and indexed by the step: any step can be computed without
those before it, which makes a resumed run equal to an undisturbed one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from data.errors import TextmillError

Ids = npt.NDArray[np.int64]


class TooFewTokensError(TextmillError, ValueError):
    """The documents do not fill a single block."""


@dataclass(frozen=True)
class Blocks:
    """A stream of token ids (int32 [tokens]) cut into blocks; the incomplete tail is left out."""

    stream: npt.NDArray[np.int32]
    context: int
    seed: int = 0
    _orders: dict[int, Ids] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        """Number of blocks."""
        return max(0, len(self.stream) - 1) // self.context

    def rows(self, blocks: Iterable[int]) -> Ids:
        """The blocks with these numbers, int64 [blocks, context + 1]."""
        starts = np.fromiter(blocks, dtype=np.int64)[:, None] * self.context
        rows: Ids = self.stream[starts + np.arange(self.context + 1)].astype(np.int64)
        return rows

    def batch(self, step: int, *, batch_size: int) -> Ids:
        """What step `step` (from 0) trains on, int64 [batch_size, context + 1]; it may straddle two epochs."""
        samples = range(step * batch_size, (step + 1) * batch_size)
        return self.rows(self._order(sample // len(self))[sample % len(self)] for sample in samples)

    def _order(self, epoch: int) -> Ids:
        if epoch not in self._orders:
            self._orders.pop(epoch - 2, None)
            self._orders[epoch] = np.random.default_rng((self.seed, epoch)).permutation(len(self))
        return self._orders[epoch]


def pack(documents: Iterable[Sequence[int]], *, separator: int, context: int, seed: int = 0) -> Blocks:
    """Join documents (token ids each) into a stream with `separator` before each, and cut it into blocks.

    Raises TooFewTokensError when there is not one block of `context + 1` tokens.
    """
    pieces: list[npt.NDArray[np.int32]] = []
    for ids in documents:
        pieces.append(np.asarray([separator], dtype=np.int32))
        pieces.append(np.asarray(ids, dtype=np.int32))
    stream = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int32)
    if len(stream) <= context:
        raise TooFewTokensError(
            f"{len(stream)} tokens do not fill one block of {context + 1}; give more documents or a shorter context"
        )
    return Blocks(stream=stream, context=context, seed=seed)
