"""Runs of n tokens that occur more than once in their document, found without writing any of them down.

A run of n tokens can only repeat where both of its runs of n - 1 tokens do, so each length looks at the
few places that the length before left over. Numbers stand for runs, so nothing is hashed and nothing collides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.quality.arrays import Flags, Floats, Ints

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_MOST_BUCKETS = 20


@dataclass(frozen=True)
class Runs:
    """Where runs of `n` tokens begin that occur twice or more in their document, in order, and a number for each.

    Equal runs of one document have equal numbers, and runs of two documents never have.
    """

    n: int
    places: Ints
    numbers: Ints


def repeated(tokens: Ints, docs: Ints, longest: int) -> Iterator[Runs]:
    """The repeated runs of 2 tokens, 3 tokens, and so on; `docs` is the document of each token, ascending."""
    width = np.int64(tokens.max() + 1) if len(tokens) else np.int64(1)
    places = np.flatnonzero(docs[1:] == docs[:-1])
    numbers = (docs[places] * width + tokens[places]) * width + tokens[places + 1]
    for n in range(2, longest + 1):
        if n > 2:
            # A run goes on where the next place is left too, and where it ends in the document that it began in.
            follows = np.flatnonzero(np.diff(places) == 1)
            follows = follows[docs[places[follows]] == docs[np.minimum(places[follows] + n - 1, len(docs) - 1)]]
            places, numbers = places[follows], numbers[follows] * width + tokens[places[follows] + n - 1]
        places, numbers = _repeating(places, numbers)
        yield Runs(n, places, numbers)


def top_chars(runs: Runs, sizes: Ints, docs: Ints, n_docs: int, *, once: bool = True) -> Floats:
    """Characters of the most frequent run of each document times its frequency; the first one where several are.

    `once` counts a run that occurs only once too. `sizes` are the lengths of tokens; a blank stands between two.
    [documents]
    """
    n, places, numbers = runs.n, runs.places, runs.numbers
    best = np.zeros(n_docs, dtype=np.int64)
    ends = np.concatenate(([0], np.cumsum(sizes)))
    if once:
        firsts = _first_runs(n, docs)
        best[docs[firsts]] = ends[firsts + n] - ends[firsts] + n - 1
    if len(places):
        counts = np.bincount(numbers)
        at = np.empty(len(counts), dtype=np.int64)
        at[numbers[::-1]] = places[::-1]  # the first place of each number is written last
        order = np.lexsort((-at, counts, docs[at]))
        last = order[np.append(np.diff(docs[at][order]) != 0, True)]
        best[docs[at[last]]] = counts[last] * (ends[at[last] + n] - ends[at[last]] + n - 1)
    return best.astype(np.float64)


def duplicate_chars(runs: Runs, sizes: Ints, docs: Ints, n_docs: int) -> Floats:
    """Characters of each document in runs that stood before in it, no character counted twice. [documents]"""
    n, places, numbers = runs.n, runs.places, runs.numbers
    ends = np.concatenate(([0], np.cumsum(sizes)))
    seen: set[int] = set()
    taken: list[int] = []
    free = 0
    for place, number in zip(places.tolist(), numbers.tolist(), strict=True):
        if place < free:
            continue
        if number in seen:
            taken.append(place)
            free = place + n
        else:
            seen.add(number)
    at = np.array(taken, dtype=np.int64)
    return np.bincount(docs[at], weights=ends[at + n] - ends[at], minlength=n_docs).astype(np.float64)


def _first_runs(n: int, docs: Ints) -> Ints:
    """Where the first run of n tokens of each document begins, for documents that have so many."""
    starts = np.flatnonzero(np.diff(docs, prepend=-1))
    return starts[np.diff(np.append(starts, len(docs))) >= n]


def _repeating(places: Ints, numbers: Ints) -> tuple[Ints, Ints]:
    """Those whose number occurs twice or more, numbered 0, 1, 2, … so that the next product fits into 64 bits."""
    left = np.flatnonzero(_may_repeat(numbers))
    places, numbers = places[left], numbers[left]
    order = np.argsort(numbers, kind="stable")
    ranked = numbers[order]
    is_first = np.ones(len(ranked), dtype=np.bool_)
    is_first[1:] = ranked[1:] != ranked[:-1]
    group = np.cumsum(is_first) - 1
    sizes = np.bincount(group) if len(group) else group
    dense = np.empty_like(group)
    dense[order] = group
    many = np.flatnonzero((sizes > 1)[dense] if len(group) else group)
    renumbered = np.cumsum(sizes > 1) - 1
    return places[many], renumbered[dense[many]] if len(group) else numbers


def _may_repeat(numbers: Ints) -> Flags:
    """False for numbers that occur once, and for all but few of them: those alone in a bucket of a hash table."""
    if not len(numbers):
        return np.zeros(0, dtype=np.bool_)
    bits = min(_MOST_BUCKETS, len(numbers).bit_length() + 2)
    buckets = ((numbers.view(np.uint64) * _SPREAD) >> np.uint64(64 - bits)).astype(np.int64)
    shared: Flags = (np.bincount(buckets) > 1)[buckets]
    return shared
