"""Rows of different lengths in one batch: padded on the right, rows of like length together.

A row may have several columns (source and target, text and label). What is longer than the model can take is truncated,
dropped or refused, as the option says, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from data.errors import ConfigError, TextmillError
from data.hashing import fingerprint
from data.token_store import Ids, TokenStore
from models.batching.order import Bucketed

POLICIES = ("truncate", "drop", "fail")


class TooLongError(TextmillError, ValueError):
    """A row is longer than the model can take, and the option is to fail."""


class NoRowsError(TextmillError, ValueError):
    """There is no row to learn from."""


@dataclass(frozen=True)
class Rows:
    """Aligned columns of token ids, with numbers beside them (`labels`, say), one a row.

    `longest` is how many tokens of a column the model can take; `too_long` what happens to rows with more.
    Raises NoRowsError where none is left, TooLongError, and ConfigError for another policy.
    """

    columns: Mapping[str, TokenStore]
    pad: int
    longest: int
    seed: int = 0
    too_long: str = "truncate"
    numbers: Mapping[str, npt.NDArray[np.int64]] | None = None

    def __post_init__(self) -> None:
        if self.too_long not in POLICIES:
            raise ConfigError(f"too_long is {self.too_long}; it must be one of {', '.join(POLICIES)}")
        if self.too_long == "fail" and self.n_long:
            raise TooLongError(
                f"{self.n_long} rows have more than {self.longest} tokens (the longest {int(self._lengths.max())}); "
                "raise the context of the model, or set too_long to truncate or drop"
            )
        if not len(self):
            raise NoRowsError(
                f"no row to learn from is left of {len(self._lengths)}; give more data or a longer context"
            )

    def __len__(self) -> int:
        """Rows that are kept."""
        return len(self._kept)

    @property
    def n_long(self) -> int:
        """Rows with a column that is too long."""
        return int((self._lengths > self.longest).sum())

    @property
    def about(self) -> dict[str, Any]:
        """What happened to rows that are long, or without a token in some column, for the record of the training."""
        about = {"rows": len(self._lengths), "longer_than_context": self.n_long, "policy": self.too_long}
        empty = int((self._shortest == 0).sum())
        return {**about, "without_tokens": empty} if empty else about

    @property
    def fingerprint(self) -> str:
        """Of all columns and of their order."""
        stores = {name: store.fingerprint for name, store in self.columns.items()}
        numbers = {name: values.tolist() for name, values in (self.numbers or {}).items()}
        return fingerprint([stores, fingerprint(numbers), self.pad, self.longest, self.seed, self.too_long])

    def batch(self, step: int, *, batch_size: int) -> dict[str, Tensor]:
        """For each column its ids int64 [batch_size, longest of them] and `<name>_lengths` int64 [batch_size]."""
        return self.rows(self._kept[self._order.of_step(step, batch_size)])

    def rows(self, numbers: npt.NDArray[np.int64]) -> dict[str, Tensor]:
        """The rows with these numbers, as `batch` gives them."""
        found: dict[str, Tensor] = {}
        for name, store in self.columns.items():
            kept = [store.row(number)[: self.longest] for number in numbers]
            found[name], found[f"{name}_lengths"] = padded(kept, self.pad)
        for name, values in (self.numbers or {}).items():
            found[name] = torch.from_numpy(values[numbers])
        return found

    @cached_property
    def _lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of the longest column of each row."""
        longest: npt.NDArray[np.int64] = np.max([store.lengths for store in self.columns.values()], axis=0)
        return longest

    @cached_property
    def _shortest(self) -> npt.NDArray[np.int64]:
        """Tokens of the shortest column of each row."""
        shortest: npt.NDArray[np.int64] = np.min([store.lengths for store in self.columns.values()], axis=0)
        return shortest

    @cached_property
    def _kept(self) -> npt.NDArray[np.int64]:
        """Rows to learn from: those with a token in every column, and not too long where such are dropped."""
        keep = (self._shortest > 0) & ((self._lengths <= self.longest) | (self.too_long != "drop"))
        return np.flatnonzero(keep)

    @cached_property
    def _order(self) -> Bucketed:
        return Bucketed(self._lengths[self._kept], self.seed)


def padded(rows: Sequence[Sequence[int] | Ids], pad: int) -> tuple[Tensor, Tensor]:
    """Rows of ids as int64 [rows, longest of them], padded on the right, and their lengths int64 [rows]."""
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    ids = np.full((len(rows), max(1, int(lengths.max()))), pad, dtype=np.int64)
    ids[np.arange(ids.shape[1]) < lengths[:, None]] = np.concatenate(rows)
    return torch.from_numpy(ids), torch.from_numpy(lengths)
