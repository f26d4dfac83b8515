"""How often words stand near each other, counted out of core (Pennington et al. 2014, sections 3 and 4.2).

X_ij sums 1/d over the places where the words i and j stand d ≤ `window` words apart in a line, to either side, rare
words left out before. X is symmetric: only i ≤ j is kept. Sums of blocks of text are merged in memory until they are
`in_memory` pairs, then written as a sorted run; in the end the runs are merged, one range of keys after another. All
of it is sorting and summing of arrays, in a fixed order, so equal texts give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from models.embeddings.lines import Ids, Lines
from models.features import salted

Floats = npt.NDArray[np.float64]
Sums = tuple[Ids, Floats]
"""Keys in rising order, none twice, with the sum of each."""

IN_MEMORY = 16_000_000
"""Pairs that are kept before a run is written: 16 bytes each, five times that while they are merged."""
_BLOCK = 1 << 20
_SAMPLES = 1_000


@dataclass(frozen=True)
class Cooccurrences:
    """The sums X_ij > 0 with i ≤ j of `words` words on disk; the key of a pair is i * words + j."""

    keys: npt.NDArray[np.int64]
    sums: npt.NDArray[np.float64]
    words: int

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.keys)


def count(
    lines: Lines, words: pl.Series, folder: Path, *, window: int, in_memory: int = IN_MEMORY, block: int = _BLOCK
) -> Cooccurrences:
    """Count the pairs of `words` in a file; `folder` gets files of 16 bytes a pair, and twice that on the way."""
    runs: list[Sums] = []
    waiting: list[Sums] = []
    for line, place in lines.ids(words, block):
        waiting.append(in_block(line, place, words=len(words), window=window))
        if sum(len(keys) for keys, _ in waiting) > in_memory:
            waiting = [merged(waiting)]
            if len(waiting[0][0]) > in_memory // 2:
                runs.append(_write(iter(waiting), folder / f"run-{len(runs)}"))
                waiting = []
    parts = iter([merged(waiting)]) if not runs else _merged_runs([*runs, merged(waiting)], in_memory)
    return Cooccurrences(*_write(parts, folder / "pairs"), len(words))


def in_block(line: Ids, place: Ids, *, words: int, window: int) -> Sums:
    """The sums of some lines: the line and the place among the words of each word, a place of -1 for a rare word."""
    known = place >= 0
    line, place = line[known], place[known]
    found = []
    for d in range(1, min(window, len(place) - 1) + 1):
        first, second = place[:-d], place[d:]
        low, high = np.minimum(first, second), np.maximum(first, second)
        # The distance is in the low digits: one sort of integers orders pairs and distances.
        found.append(((low * words + high) * window + d - 1)[line[:-d] == line[d:]])
    packed = np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
    keys, distances = np.divmod(packed, window)
    keys, sums = _summed(keys, 1.0 / (distances + 1))
    is_same = keys // words == keys % words
    return keys, np.where(is_same, 2.0 * sums, sums)  # a word near itself is met from either side


def merged(parts: list[Sums]) -> Sums:
    """The sums of several parts."""
    if not parts:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
    keys, sums = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.argsort(keys, kind="stable")
    return _summed(keys[order], sums[order])


def shuffled(pairs: Cooccurrences, folder: Path, *, batches: int, seed: int) -> tuple[Cooccurrences, Ids]:
    """The same pairs dealt into random batches, on disk, and where each batch begins, int64 [batches + 1].

    A hash of the pair and the seed decides its batch; inside a batch keys rise.
    """
    sizes = np.zeros(batches, dtype=np.int64)
    for _, _, batch in _dealt(pairs, batches, seed):
        sizes += np.bincount(batch, minlength=batches)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    keys, sums = _create(folder / "shuffled", len(pairs))
    free = starts[:-1].copy()
    for some_keys, some_sums, batch in _dealt(pairs, batches, seed):
        order = np.argsort(batch, kind="stable")
        taken = np.bincount(batch, minlength=batches)
        places = np.arange(len(order)) + np.repeat(free - np.cumsum(taken) + taken, taken)
        keys[places], sums[places] = some_keys[order], some_sums[order]
        free += taken
    return Cooccurrences(keys, sums, pairs.words), starts


def with_absent(
    pairs: Cooccurrences, counts: Ids, folder: Path, *, share: float, seed: int, in_memory: int = IN_MEMORY
) -> Cooccurrences:
    """The pairs with `share` times as many drawn at random; those that were never seen have a sum of 0.

    Either word of a pair is drawn by its count to the power 0.75, as the noise of word2vec. `folder` gets files of 16
    bytes a pair, twice.
    """
    noise = np.cumsum(counts.astype(np.float64) ** 0.75)
    runs: list[Sums] = [(pairs.keys, pairs.sums)]
    for start in range(0, wanted := round(share * len(pairs)), _BLOCK):
        drawn = np.random.default_rng((seed, start)).random((2, min(_BLOCK, wanted - start)))
        words = np.searchsorted(noise[:-1], drawn * noise[-1], side="right")
        keys = np.unique(words.min(axis=0) * pairs.words + words.max(axis=0))
        runs.append(_write(iter([(keys, np.zeros(len(keys)))]), folder / f"absent-{start}"))
    return Cooccurrences(*_write(_merged_runs(runs, in_memory), folder / "pairs-and-absent"), pairs.words)


def _dealt(pairs: Cooccurrences, batches: int, seed: int) -> Iterator[tuple[Ids, Floats, Ids]]:
    """Blocks of pairs with the batch of each pair."""
    for start in range(0, len(pairs), _BLOCK):
        keys, sums = np.asarray(pairs.keys[start : start + _BLOCK]), np.asarray(pairs.sums[start : start + _BLOCK])
        yield keys, sums, (salted(keys.astype(np.uint64), seed) % np.uint64(batches)).astype(np.int64)


def _summed(keys: Ids, values: Floats) -> Sums:
    """One sum for each of the sorted keys."""
    if not len(keys):
        return keys, values
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], np.add.reduceat(values, starts)


def _merged_runs(runs: list[Sums], in_memory: int) -> Iterator[Sums]:
    """The sums of all runs, in ranges of keys that hold about `in_memory` entries each."""
    total = sum(len(keys) for keys, _ in runs)
    sampled = np.sort(np.concatenate([keys[:: max(1, len(keys) // _SAMPLES)] for keys, _ in runs]))
    ranges = max(1, -(-total // in_memory))
    borders = [sampled[len(sampled) * n // ranges] for n in range(1, ranges)]
    cuts = [[0, *np.searchsorted(keys, borders).tolist(), len(keys)] for keys, _ in runs]
    for n in range(ranges):
        pieces = [slice(cut[n], cut[n + 1]) for cut in cuts]
        yield merged([(keys[piece], sums[piece]) for (keys, sums), piece in zip(runs, pieces, strict=True)])


def _write(parts: Iterator[Sums], name: Path) -> Sums:
    """Write sums one after another into two files, and open them as arrays."""
    length = 0
    with name.with_suffix(".keys").open("wb") as key_file, name.with_suffix(".sums").open("wb") as sum_file:
        for keys, sums in parts:
            key_file.write(np.ascontiguousarray(keys, dtype=np.int64).data)
            sum_file.write(np.ascontiguousarray(sums, dtype=np.float64).data)
            length += len(keys)
    return _open(name, length, "r")


def _create(name: Path, length: int) -> Sums:
    """Two new files as arrays that can be written."""
    for suffix in (".keys", ".sums"):
        with name.with_suffix(suffix).open("wb") as file:
            file.truncate(8 * length)
    return _open(name, length, "r+")


def _open(name: Path, length: int, mode: Literal["r", "r+"]) -> Sums:
    if not length:  # the kernel maps no empty file
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
    keys = np.memmap(name.with_suffix(".keys"), dtype=np.int64, mode=mode, shape=(length,))
    return keys, np.memmap(name.with_suffix(".sums"), dtype=np.float64, mode=mode, shape=(length,))
