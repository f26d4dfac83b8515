"""Sparse features of text by hashing: no vocabulary to keep, the same buckets in every process.

The hashing trick of Weinberger et al. 2009 (arXiv 0902.2206). Python's own `hash` differs from process to
process; here strings go through CRC-32 and everything after that is arithmetic on uint64 arrays.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_SPACE = ord(" ")
_BASE = np.uint64(0x100000001B3)


@dataclass(frozen=True)
class Sparse:
    """Rows of a sparse matrix: row r has `columns[starts[r]:starts[r + 1]]` with their `values`."""

    starts: Ints
    columns: Ints
    values: Floats

    @property
    def rows(self) -> Ints:
        """Row of each value, int64 [values]."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


def mix(values: Hashes) -> Hashes:
    """Spread every bit of the input over the output (the finaliser of SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def salted(values: Hashes, salt: int) -> Hashes:
    """Another hash of the same values, one for each salt."""
    return mix(values + np.uint64(0x9E3779B97F4A7C15 * (salt + 1) % 2**64))


def of_strings(strings: Iterable[str]) -> Hashes:
    """Hashes of strings, uint64 [strings]."""
    return mix(np.array([zlib.crc32(text.encode("utf-8", "surrogatepass")) for text in strings], dtype=np.uint64))


def char_ngrams(texts: Sequence[str], *, shortest: int, longest: int) -> tuple[Ints, Hashes]:
    """Hashes of the character n-grams inside the words of each text, with the row of each.

    Words are what single spaces separate; an n-gram holds a space at its ends at most.
    """
    lengths = np.array([len(text) + 2 for text in texts], dtype=np.int64)
    joined = "".join(f" {text} " for text in texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    row_of = np.repeat(np.arange(len(texts)), lengths)
    spaces = np.concatenate([[0], np.cumsum(codes == _SPACE)])
    rows, hashes = [], []
    rolling = np.zeros(len(codes), dtype=np.uint64)
    for n in range(1, longest + 1):
        rolling = rolling[: len(codes) - n + 1] * _BASE + codes[n - 1 :] + np.uint64(1)
        if n >= shortest and len(rolling):
            inner = _inside_word(spaces, n) & (row_of[: len(rolling)] == row_of[n - 1 :])
            rows.append(row_of[: len(rolling)][inner])
            hashes.append(salted(rolling[inner], n))
    return np.concatenate(rows or [row_of[:0]]), np.concatenate(hashes or [rolling[:0]])


def counted(rows: Ints, hashes: Hashes, weights: Floats, *, n_rows: int, buckets: int) -> Sparse:
    """Sum the weights that fall into the same bucket of the same row; weights of 0 leave no entry."""
    rows, hashes, weights = (column[weights != 0] for column in (rows, hashes, weights))
    keys = rows * buckets + (hashes % np.uint64(buckets)).astype(np.int64)
    unique, inverse = np.unique(keys, return_inverse=True)
    values = np.bincount(inverse, weights=weights, minlength=len(unique))
    starts = np.searchsorted(unique // buckets, np.arange(n_rows + 1))
    return Sparse(starts.astype(np.int64), unique % buckets, values.astype(np.float64))


def _inside_word(spaces: Ints, n: int) -> npt.NDArray[np.bool_]:
    """Whether the n-gram at each place has no space but at its ends, and is not spaces alone."""
    whole = spaces[n:] - spaces[:-n]
    if n <= 2:
        return np.asarray(whole == 0) if n == 1 else np.asarray(whole < 2)
    inner = spaces[n - 1 : -1] - spaces[1 : len(spaces) - n + 1]
    return np.asarray(inner == 0)
