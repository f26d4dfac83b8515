"""Words, as a compiled pattern of `re` and as the same rule for Polars."""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from data.segment.scripts import BASES, CLUSTER_TAIL, CLUSTERED, LEADING, SELECTORS, SIGNS, SINGLE, STACKERS

_JOINER = "['’\u200c\u200d]"
_BEYOND = "\U000101fd-\U0001efff\U000e0100-\U000e01ef"
"""Where the marks beyond the basic plane are."""
_MARK_BLOCKS = (
    (0x300, 0x1DFF),
    (0x20D0, 0x20FF),
    (0x2CEF, 0x30FF),
    (0xA66F, 0xABFF),
    (0xFB1E, 0xFE2F),
    (0x101FD, 0x1EFFF),
    (0xE0100, 0xE01EF),
)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of every word, in order."""
    return [match.span() for match in _word_pattern().finditer(text)]


def words(text: str) -> list[str]:
    """Every word as written, in order."""
    found: list[str] = _word_pattern().findall(text)
    return found


@cache
def _word_pattern() -> re.Pattern[str]:
    """The pattern of a word, written for the engine of `re`: one class first, so that it skips what is no word.

    `\\w` of `re` lacks the combining marks that most Indic scripts write their vowels with, and holds `_`.
    Classes are in the basic plane, where `re` looks them up in a table; the planes beyond are asked last.
    """
    basic, marks = list(map(chr, range(0x10000))), _marks()
    basic_marks = _ranges([mark for mark in marks if mark <= "\uffff"])
    letters = _ranges([code for code in basic if code.isalnum() or code in marks], without=SINGLE + CLUSTERED)
    beyond = rf"[^\W\x00-\uffff{SINGLE}]|[{_ranges([mark for mark in marks if mark > chr(0xFFFF)])}]"
    alphabetic = rf"[^\W\d_{_ranges([code for code in basic if code.isalnum() and not code.isalpha()])}]"
    rest = rf"[{letters}]*(?:{_JOINER}?(?![\x00-\uffff])(?:{beyond})[{letters}]*|{_JOINER}[{letters}]+)*"
    kinds = (
        rf"\.(?<={alphabetic}\.)(?:{alphabetic}\.)+",
        rf"(?<=[{letters}])(?:(?<=\d)\d*(?:[.,]\d+)*)?{rest}",
        rf"(?<=[{SINGLE}])[{SELECTORS}]*",
        rf"(?<=[{LEADING}])(?:[{BASES}]{CLUSTER_TAIL})?",
        rf"(?<=[{BASES}]){CLUSTER_TAIL}",
        rf"(?<=[{SIGNS}{STACKERS}])[{SIGNS}{STACKERS}]*",
        rf"(?<!_)(?<={beyond}){rest}",
    )
    return re.compile(rf"[\w{basic_marks}{_BEYOND}](?:{'|'.join(kinds)})")


def _marks() -> dict[str, None]:
    """All combining marks of Unicode, in order."""
    import unicodedata

    codes = (chr(code) for first, last in _MARK_BLOCKS for code in range(first, last + 1))
    return dict.fromkeys(code for code in codes if unicodedata.category(code).startswith("M"))


def _ranges(codes: list[str], *, without: str = "") -> str:
    """Code points in rising order as the inside of a class, those of the class `without` left out."""
    left_out = re.compile(f"[{without}]") if without else re.compile("(?!)")
    runs: list[list[int]] = []
    for code in (ord(code) for code in codes if not left_out.match(code)):
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in runs)


_LETTER = rf"[\p{{L}}\p{{N}}\p{{M}}--[{SINGLE}{CLUSTERED}]]"
_EXPRESSION = "|".join([
    r"(?:\p{L}\.){2,}",
    rf"[{SINGLE}][{SELECTORS}]*",
    rf"[{LEADING}]?[{BASES}]{CLUSTER_TAIL}",
    rf"[{LEADING}]",
    rf"[{SIGNS}{STACKERS}]+",
    rf"(?:\d+(?:[.,]\d+)*{_LETTER}*|{_LETTER}+)(?:{_JOINER}{_LETTER}+)*",
])  # fmt: skip


def word_count(text: pl.Expr) -> pl.Expr:
    """Number of words, as `len(words(text))` counts them."""
    return text.str.count_matches(_EXPRESSION)


def extract_words(text: pl.Expr) -> pl.Expr:
    """The words of a text as a list, as `words` finds them."""
    return text.str.extract_all(_EXPRESSION)
