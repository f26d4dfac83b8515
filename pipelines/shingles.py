"""Words of normalised text as 64-bit hashes, many texts at a time, and the runs of words that are compared.

Case, white space, punctuation, symbols and compatibility forms (NFKC) do not count. Scripts written without blanks
give a word per character. All of it is integer arithmetic over a table of characters from Unicode 3.2, which every
Python has, so the values are the same on every machine and with every version of every library.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]
Int64s = npt.NDArray[np.int64]

BATCH_CHARS = 1 << 17
"""Characters handled at a time: arrays of this size stay in the cache."""
GAP = "\n\n"
"""Between two texts of a batch: no word and no paragraph reaches over it."""
_CHUNK = 1 << 15
_LETTER, _SINGLE, _EXPANDS = 1, 2, 3
_CODE = np.uint32((1 << 24) - 1)
_PLANES = 0x20000
_JOINERS = "\u200c\u200d"
# Han, kana, Thai, Lao, Tibetan, Burmese and Khmer stand without blanks between words.
_UNSPACED = (
    (0x0E01, 0x0EFF), (0x0F40, 0x0FBC), (0x1000, 0x109F), (0x1780, 0x17D3), (0x3005, 0x3007), (0x3041, 0x30FF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip
_EDGES = [edge for first, last in _UNSPACED for edge in (first, last + 1)]
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_RUN = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True, slots=True)
class Words:
    """Words of a batch of texts: `hashes`, uint64 [words], and where in the batch each begins and ends, int64 [words].

    Words `bounds[i]` to `bounds[i + 1]` are those of text i; int64 [texts + 1]. `codes` is the batch itself.
    """

    hashes: UInt64s
    at: Int64s
    ends: Int64s
    bounds: Int64s
    codes: UInt32s


def batches(texts: Sequence[str], chars: int = BATCH_CHARS) -> Iterator[tuple[int, list[str]]]:
    """Neighbouring texts of about `chars` characters together, with the index of the first."""
    start = size = 0
    for i, text in enumerate(texts):
        size += len(text)
        if size >= chars:
            yield start, list(texts[start : i + 1])
            start, size = i + 1, 0
    if start < len(texts):
        yield start, list(texts[start:])


def read_words(texts: Sequence[str]) -> Words:
    """Words of a batch; each text gives the same words whatever stands beside it."""
    codes = _codes(texts)
    offsets = np.cumsum([0, *(len(text) + len(GAP) for text in texts)])
    entries = np.take(_characters(), codes, mode="clip")
    kinds = (entries >> np.uint32(24)).astype(np.uint8)
    if len(expanding := np.flatnonzero(kinds == _EXPANDS)):
        long = set((np.searchsorted(offsets, expanding, side="right") - 1).tolist())
        return read_words([_expand(text) if i in long else text for i, text in enumerate(texts)])
    at, ends = _word_spans(kinds)
    hashes = _word_hashes(entries & _CODE, at, ends)
    return Words(hashes, at, ends, np.searchsorted(at, offsets), codes)


def runs(words: Words, length: int) -> tuple[UInt64s, Int64s]:
    """Hashes of the runs of `length` words of every text, and where those of each text begin; int64 [texts + 1].

    A text of fewer words is one run; one without a word has a run of its own, which equals no other.
    """
    counts = np.diff(words.bounds)
    bounds = np.concatenate([[0], np.cumsum(np.maximum(counts - length + 1, 1))])
    made = np.zeros(bounds[-1], dtype=np.uint64)
    whole = np.repeat(counts >= length, np.diff(bounds))
    first = np.arange(bounds[-1]) + np.repeat(words.bounds[:-1] - bounds[:-1], np.diff(bounds))
    made[whole] = _polynomial(words.hashes, first[whole], length)
    for short in range(1, length):
        at = np.flatnonzero(counts == short)
        made[bounds[at]] = _polynomial(words.hashes, words.bounds[at], short)
    return mix(made), bounds


def spans_hash(words: Words, first: Int64s, last: Int64s) -> UInt64s:
    """One hash for each sequence of words `first` to `last`, exclusive."""
    up, down = _powers(len(words.hashes) + 1)
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(words.hashes * up[:-1])])
    return mix((sums[last] - sums[first]) * down[first] + (last - first).astype(np.uint64) * _RUN)


def mix(values: UInt64s) -> UInt64s:
    """Finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit depends on every bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _polynomial(hashes: UInt64s, first: Int64s, length: int) -> UInt64s:
    total = np.zeros(len(first), dtype=np.uint64)
    for i in range(length):
        total = (total + hashes[first + i]) * _RUN
    return total


def _codes(texts: Sequence[str]) -> UInt32s:
    """Code points of the texts, each followed by a gap."""
    joined = GAP.join([*texts, ""])
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32, copy=False)


def _word_spans(kinds: npt.NDArray[np.uint8]) -> tuple[Int64s, Int64s]:
    """Start and end of every word: a run of letters, or a single character of an unspaced script."""
    begins = np.empty(len(kinds), dtype=np.bool_)
    begins[:1] = True
    np.not_equal(kinds[1:], kinds[:-1], out=begins[1:])
    begins |= kinds == _SINGLE
    edges = np.flatnonzero(begins)
    is_word = kinds[edges] > 0
    # Every batch ends with a gap, so the last edge begins no word.
    return edges[is_word], edges[1:][is_word[:-1]]


def _word_hashes(codes: UInt32s, at: Int64s, ends: Int64s) -> UInt64s:
    """Sum of code · base^i over each word (Karp and Rabin 1987), modulo 2^64, then mixed.

    Prefix sums give all words of a chunk at once; the inverse power takes out where in the chunk a word stands.
    """
    made = np.empty(len(at), dtype=np.uint64)
    first = 0
    while first < len(at):
        start = int(at[first])
        last = max(first + 1, int(np.searchsorted(ends, start + _CHUNK, side="right")))
        up, down = _powers(int(ends[last - 1]) - start + 1)
        sums = np.zeros(len(up), dtype=np.uint64)
        np.cumsum(codes[start : start + len(up) - 1] * up[:-1], out=sums[1:])
        place = at[first:last] - start
        made[first:last] = (sums[ends[first:last] - start] - sums[place]) * down[place]
        first = last
    return mix(made)


def _powers(length: int) -> tuple[UInt64s, UInt64s]:
    """Powers of the base and of its inverse modulo 2^64, 0 to `length` - 1; uint64 [length] each."""
    if length <= _CHUNK + 1:
        up, down = _chunk_powers()
        return up[:length], down[:length]
    return _power_table(_BASE, length), _power_table(_INVERSE, length)


@cache
def _chunk_powers() -> tuple[UInt64s, UInt64s]:
    return _power_table(_BASE, _CHUNK + 1), _power_table(_INVERSE, _CHUNK + 1)


def _power_table(base: int, length: int) -> UInt64s:
    table = np.full(length, base, dtype=np.uint64)
    table[0] = 1
    return np.multiply.accumulate(table)


@cache
def _characters() -> UInt32s:
    """For every code point its kind, in the high 8 bits, and its normalised form; 0 for what parts words."""
    table = np.arange(0x110000, dtype=np.uint32) | np.uint32(_LETTER << 24)
    table[:_PLANES] = [_entry(chr(code)) for code in range(_PLANES)]
    for first, last in _UNSPACED:
        parts_words = table[first : last + 1] == 0
        table[first : last + 1] = (table[first : last + 1] & _CODE) | np.uint32(_SINGLE << 24)
        table[first : last + 1][parts_words] = 0
    return table


def _entry(char: str) -> int:
    category = unicodedata.ucd_3_2_0.category(char)
    if category[0] in "PSZC" and category not in {"Cn", "Co", "Cs"} and char not in _JOINERS:
        return 0
    normal = _normal(char)
    if len(normal) > 1:
        return ord(char) | (_LETTER if _is_unspaced(char) else _EXPANDS) << 24
    # A compatibility form of a character that stands alone stands alone too.
    return ord(normal) | (_SINGLE if _is_unspaced(normal) else _LETTER) << 24


def _is_unspaced(char: str) -> bool:
    """Whether it lies within one of the ranges: past an odd number of their edges."""
    return bool(bisect(_EDGES, ord(char)) & 1)


def _normal(char: str) -> str:
    """NFKC and case folding; what folding makes longer (`ß`) is only set in lower case."""
    if unicodedata.ucd_3_2_0.category(char) == "Cn":  # newer than Unicode 3.2: Pythons may differ on it
        return char
    plain = unicodedata.ucd_3_2_0.normalize("NFKC", char)
    folded = plain.casefold()
    return folded if len(folded) == len(plain) else plain.lower()


def _expand(text: str) -> str:
    """Ligatures, fractions and the like written out; none of what they become expands again."""
    return _expanding().sub(lambda match: _normal(match[0]), text)


@cache
def _expanding() -> re.Pattern[str]:
    codes = np.flatnonzero(_characters() >> np.uint32(24) == _EXPANDS).tolist()
    return re.compile(f"[{''.join(map(chr, codes))}]")
