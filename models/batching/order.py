"""The order in which training sees its rows: a permutation for each epoch, drawn from (seed, epoch)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shuffled:
    """`rows` rows in a new order each epoch. Any step can be asked for; a batch may straddle two epochs.

    Takes 8 bytes of memory a row for each of the last two epochs asked for.
    """

    rows: int
    seed: int
    _orders: dict[int, Rows] = field(default_factory=dict, compare=False, repr=False)

    def of_step(self, step: int, batch_size: int) -> Rows:
        """Which rows step `step` (from 0) sees, int64 [batch_size]."""
        first = step * batch_size
        numbers = range(first, first + batch_size)
        return np.array([self._order(number // self.rows)[number % self.rows] for number in numbers], dtype=np.int64)

    def _order(self, epoch: int) -> Rows:
        if epoch not in self._orders:
            self._orders.pop(epoch - 2, None)
            self._orders[epoch] = np.random.default_rng((self.seed, epoch)).permutation(self.rows)
        return self._orders[epoch]


@dataclass(frozen=True)
class Bucketed:
    """Rows of like length together, in a new order each epoch: an epoch's permutation is sorted by length inside
    windows.

    A window holds `window` batches; the order of batches is shuffled again, so that lengths come at random. The rows
    that do not fill the last batch of an epoch are left out of it; another permutation leaves out others.
    """

    lengths: Rows
    seed: int
    window: int = 64
    _orders: dict[tuple[int, int], Rows] = field(default_factory=dict, compare=False, repr=False)

    def of_step(self, step: int, batch_size: int) -> Rows:
        """Which rows step `step` (from 0) sees, int64 [batch_size]; rows repeat where there are fewer than that."""
        per_epoch = max(1, len(self.lengths) // batch_size)
        epoch, number = divmod(step, per_epoch)
        batches: Rows = self._batches(epoch, batch_size)
        found: Rows = batches[number]
        return found

    def _batches(self, epoch: int, size: int) -> Rows:
        """The rows of an epoch, int64 [batches, size]."""
        if (epoch, size) not in self._orders:
            self._orders.clear()
            random = np.random.default_rng((self.seed, epoch))
            order = np.resize(random.permutation(len(self.lengths)), max(1, len(self.lengths) // size) * size)
            span = self.window * size
            pieces = [order[i : i + span] for i in range(0, len(order), span)]
            together = np.concatenate([piece[np.argsort(self.lengths[piece], kind="stable")] for piece in pieces])
            self._orders[epoch, size] = random.permutation(together.reshape(-1, size))
        return self._orders[epoch, size]
