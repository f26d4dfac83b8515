"""Lines and paragraphs that stand in many documents: menus, notices, templates (as in C4, Raffel et al. 2020)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipelines.shingles import Int64s, UInt64s, Words, spans_hash

MIN_CHARS = 20
"""Shorter lines are not kept track of; no option can ask for them."""
_LENGTHS = np.uint64(0xFF)


def line_hashes(words: Words) -> tuple[UInt64s, Int64s]:
    """The distinct lines, and paragraphs of several lines, of all texts, and where those of each begin.

    uint64 [lines], hash in the high 56 bits and size in the low 8, and int64 [texts + 1].

    The size counts letters and one blank between words, 255 for all longer ones.
    """
    first, last = (np.concatenate(pair) for pair in zip(_lines(words), _paragraphs(words), strict=True))
    sizes = _sizes(words, first, last)
    long = sizes >= MIN_CHARS
    keys = _keys(words, first[long], last[long])
    text = np.searchsorted(words.bounds, first[long], side="right") - 1
    order = np.lexsort((keys, text))
    keys, text = keys[order], text[order]
    is_new = np.ones(len(keys), dtype=np.bool_)
    is_new[1:] = (keys[1:] != keys[:-1]) | (text[1:] != text[:-1])
    return keys[is_new], np.searchsorted(text[is_new], np.arange(len(words.bounds)))


def is_repeated(words: Words, keys: UInt64s) -> npt.NDArray[np.bool_]:
    """Which lines of the batch are among these, alone or as a part of their paragraph; the gap is two lines."""
    gone = np.isin(_keys(words, *_lines(words)), keys)
    starts, _ = _edges(words)
    opening, closing = _paragraph_edges(words)
    bad = np.isin(_keys(words, *_paragraphs(words)), keys)
    steps = np.zeros(len(starts) + 1, dtype=np.int64)
    steps[np.searchsorted(starts, opening[bad])] += 1
    steps[np.searchsorted(starts, closing[bad])] -= 1
    return gone | (np.cumsum(steps[:-1]) > 0)


def _keys(words: Words, first: Int64s, last: Int64s) -> UInt64s:
    sizes = np.clip(_sizes(words, first, last), 0, 255).astype(np.uint64)
    return spans_hash(words, first, last) & ~_LENGTHS | sizes


def _sizes(words: Words, first: Int64s, last: Int64s) -> Int64s:
    sums = np.concatenate([[0], np.cumsum(words.ends - words.at + 1)])
    sizes: Int64s = sums[last] - sums[first] - 1
    return sizes


def _edges(words: Words) -> tuple[Int64s, Int64s]:
    """Offsets where lines begin and end."""
    breaks = np.flatnonzero(words.codes == ord("\n"))
    return np.concatenate([[0], breaks + 1]), np.append(breaks, len(words.codes))


def _lines(words: Words) -> tuple[Int64s, Int64s]:
    """First and last word, exclusive, of every line."""
    starts, ends = _edges(words)
    return np.searchsorted(words.at, starts), np.searchsorted(words.at, ends)


def _paragraphs(words: Words) -> tuple[Int64s, Int64s]:
    """First and last word, exclusive, of every paragraph."""
    opening, closing = _paragraph_edges(words)
    return np.searchsorted(words.at, opening), np.searchsorted(words.at, closing)


def _paragraph_edges(words: Words) -> tuple[Int64s, Int64s]:
    """Offsets where runs of lines without an empty one between them begin and end."""
    starts, ends = _edges(words)
    is_text = ends > starts
    before = np.concatenate([[False], is_text[:-1]])
    after = np.append(is_text[1:], [False])
    return starts[is_text & ~before], ends[is_text & ~after]
