"""MinHash signatures of word 5-grams (Broder 1997): equal on every machine, estimates of Jaccard similarity."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from data.errors import ConfigError
from pipelines import repeated
from pipelines.columns import lists
from pipelines.shingles import Int64s, UInt32s, UInt64s, Words, batches, read_words, runs, spans_hash

VERSION = 2
"""Covers `shingles` and `repeated` too: raise it when a value in `candidates` changes."""
NO_WORDS = np.uint32(0xFFFFFFFF)
"""Every value of the signature of a text without words, which is like no other text."""


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

    A text of fewer words than a 5-gram is one shingle. What counts as a word, `pipelines.shingles` says.
    """
    config = config or MinHashConfig()
    made = [_signatures(read_words(batch), config) for _, batch in batches(texts)]
    return np.concatenate(made) if made else np.empty((0, config.permutations), dtype=np.uint32)


def fingerprints(texts: Sequence[str], *, config: MinHashConfig | None = None) -> pl.DataFrame:
    """The columns of `candidates` that deduplication compares: `minhash`, `normalised_hash` and `line_hashes`."""
    config = config or MinHashConfig()
    frames = [_fingerprints(batch, config) for _, batch in batches(texts)]
    return pl.concat(frames) if frames else _fingerprints([], config)


def shingle_sets(texts: Sequence[str], *, ngram: int = 5) -> list[UInt32s]:
    """The distinct shingles of each text, in order: what exact Jaccard similarity is counted on."""
    sets: list[UInt32s] = []
    for _, batch in batches(texts):
        words = read_words(batch)
        hashes, bounds = runs(words, ngram)
        has_words = np.diff(words.bounds) > 0
        parts = np.split(_high(hashes), bounds[1:-1])
        sets += [np.unique(part) if some else part[:0] for part, some in zip(parts, has_words.tolist(), strict=True)]
    return sets


def jaccard(left: UInt32s, right: UInt32s) -> float:
    """Share of the shingles of both that stand in both; 0 for two texts without words."""
    both = len(np.intersect1d(left, right, assume_unique=True))
    return both / max(1, len(left) + len(right) - both)


def _fingerprints(texts: list[str], config: MinHashConfig) -> pl.DataFrame:
    words = read_words(texts)
    whole = spans_hash(words, words.bounds[:-1], words.bounds[1:])
    for i in np.flatnonzero(np.diff(words.bounds) == 0).tolist():
        whole[i] = _hash(texts[i])  # nothing but signs: the signs themselves are compared
    signed = _signatures(words, config)
    places = np.arange(len(texts) + 1) * config.permutations
    line_hashes, line_bounds = repeated.line_hashes(words)
    return pl.DataFrame(
        {
            "minhash": lists(pl.Series(signed.reshape(-1)), places),
            "normalised_hash": whole,
            "line_hashes": lists(pl.Series(line_hashes), line_bounds),
        }
    )


def _signatures(words: Words, config: MinHashConfig) -> UInt32s:
    hashes, bounds = runs(words, config.ngram)
    made = _least(_high(hashes), bounds[:-1], config)
    made[np.diff(words.bounds) == 0] = NO_WORDS
    return made


def _high(hashes: UInt64s) -> UInt32s:
    return (hashes >> np.uint64(32)).astype(np.uint32)


def _least(shingles: UInt32s, starts: Int64s, config: MinHashConfig) -> UInt32s:
    """Least value of each permutation a·x + b modulo 2^32 (Dietzfelbinger et al. 1997) for each text."""
    made = np.empty((config.permutations, len(starts)), dtype=np.uint32)
    values = np.empty_like(shingles)
    for row, (factor, offset) in zip(made, zip(*_permutations(config), strict=True), strict=True):
        np.multiply(shingles, factor, out=values)
        np.add(values, offset, out=values)
        np.minimum.reduceat(values, starts, out=row)
    return np.ascontiguousarray(made.T)


@cache
def _permutations(config: MinHashConfig) -> tuple[UInt32s, UInt32s]:
    """Odd factors and offsets, uint32 [permutations] each, from the seed alone."""
    raw = np.array([_hash(f"{config.seed}:{i}") for i in range(2 * config.permutations)], dtype=np.uint64)
    high = _high(raw)
    return high[: config.permutations] | np.uint32(1), high[config.permutations :]


def _hash(text: str) -> int:
    """64 bits of BLAKE2b: the same on every machine, unlike `hash()`."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
