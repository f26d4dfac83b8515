"""MinHash signatures of word 5-grams (Broder 1997): equal on every machine, estimates of Jaccard similarity."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from data.errors import ConfigError
from data.segment import extract_words

VERSION = 1
_BLOCK = 2048
_POWER = np.uint64(0x9E3779B97F4A7C15)

UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class MinHashConfig:
    """Length of the signature, and of the runs of words that are compared."""

    permutations: int = 112
    ngram: int = 5
    seed: int = 1

    def __post_init__(self) -> None:
        if self.permutations < 1 or self.ngram < 1:
            raise ConfigError(f"permutations and ngram must be 1 or more, not {self.permutations} and {self.ngram}")


def signatures(texts: Sequence[str], *, config: MinHashConfig | None = None) -> UInt32s:
    """uint32 [texts, permutations]; the share of equal columns estimates how many 5-grams two texts share.

    Words count in lower case and without punctuation. A text of fewer words than a 5-gram is one shingle.
    """
    config = config or MinHashConfig()
    made = np.empty((len(texts), config.permutations), dtype=np.uint32)
    factors, offsets = _permutations(config)
    start = 0
    hashes, lengths = _word_hashes(texts)
    for row, length in enumerate(lengths):
        shingles = _shingles(hashes[start : start + length], config.ngram)
        made[row] = _minimum(shingles, factors, offsets)
        start += length
    return made


def _word_hashes(texts: Sequence[str]) -> tuple[UInt64s, list[int]]:
    """Hashes of the words of all texts in one row, uint64, and the number of words of each."""
    lists = pl.DataFrame({"word": pl.Series(texts, dtype=pl.String)}).select(
        extract_words(pl.col("word").str.to_lowercase())
    )
    words = lists.select(pl.col("word").explode(empty_as_null=False))
    unique = words["word"].unique()
    table = pl.DataFrame({"word": unique, "hash": pl.Series([_hash(word) for word in unique], dtype=pl.UInt64)})
    hashes = words.join(table, on="word", how="left", maintain_order="left")["hash"].to_numpy()
    return hashes.astype(np.uint64, copy=False), lists["word"].list.len().to_list()


def _hash(word: str) -> int:
    """64 bits of BLAKE2b: the same on every machine, unlike `hash()`."""
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _shingles(words: UInt64s, ngram: int) -> UInt64s:
    """Distinct hashes of the runs of `ngram` words: a polynomial modulo 2^64, then mixed."""
    length = min(ngram, len(words))
    runs = np.zeros(max(1, len(words) - length + 1), dtype=np.uint64)
    for i in range(length):
        runs = runs * _POWER + words[i : i + len(runs)]
    return np.unique(_mix(runs))


def _mix(values: UInt64s) -> UInt64s:
    """Finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit depends on every bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _minimum(shingles: UInt64s, factors: UInt64s, offsets: UInt64s) -> UInt32s:
    """Least value of each permutation, uint32 [permutations]; in blocks that stay in the cache."""
    best = np.full(len(factors), np.iinfo(np.uint32).max, dtype=np.uint32)
    for start in range(0, len(shingles), _BLOCK):
        block = shingles[start : start + _BLOCK]
        # [permutations, block]: multiply-shift (Dietzfelbinger et al. 1997), the high 32 bits of a·x + b.
        values = (factors[:, None] * block[None, :] + offsets[:, None]) >> np.uint64(32)
        best = np.minimum(best, values.min(axis=1).astype(np.uint32))
    return best


@cache
def _permutations(config: MinHashConfig) -> tuple[UInt64s, UInt64s]:
    """Odd factors and offsets, uint64 [permutations] each, from the seed alone."""
    count = 2 * config.permutations
    raw = np.array([_hash(f"{config.seed}:{i}") for i in range(count)], dtype=np.uint64)
    return raw[: config.permutations] | np.uint64(1), raw[config.permutations :]
