"""Sentences: terminal punctuation of all scripts, abbreviations, and the blanks of Thai and Lao."""

from __future__ import annotations

import re

import polars as pl

from data.abbreviations import BEFORE_NUMBERS, MONTHS, STARTERS, TITLES, TRAILING
from data.segment.scripts import THAI_LETTERS, THAI_STARTS

_CLOSING = "\"'”’»)\\]}』」）】"
_CLOSING_MARKS = _CLOSING.replace("\\", "")
_OPENING = "\"'“‘„«([{『「（【¿¡—–- \t\u00a0"
_OPENING_MARKS = "\"'“‘„«([{—–"
_LINE_ENDS = "\n\x0b\x0c\x85\u2028\u2029"
_WIDE_END = (
    "。！？｡।॥։።፧።༎།។៕။"
    "\u0700-\u0702\u07f9\u0837\u0839\u083d\u083e\u0df4\u0e5a\u0e5b\u1735\u1736\u1803\u1809\u1944\u1945\u1aa8-\u1aab"
    "\u1b5a\u1b5b\u1b5e\u1b5f\u1c3b\u1c3c\u1c7e\u1c7f\u2cf9-\u2cfb\ua4ff\ua60e\ua60f\ua6f3\ua6f7\ua876\ua877\ua8ce\ua8cf"
    "\ua92f\ua9c8\ua9c9\uaa5d-\uaa5f\uaaf0\uaaf1\uabeb\ufe12\ufe15\ufe16\ufe52\ufe56\ufe57"
)
"""Terminal punctuation that ends a sentence whatever follows (Unicode's Sentence_Terminal, and the Tibetan shad)."""
_END = ".!?…؝؞؟۔᙮‼⁇⁈⁉"
"""Terminal punctuation that ends a sentence before a blank."""
_BEFORE_BLANK = f"{_END};"
_GREEK = "\u0370-\u03ff\u1f00-\u1fff"
"""Letters after which a semicolon is a question mark."""
_THAI_GAP = rf"(?<=[{THAI_LETTERS}][ \u00a0])[ \u00a0]*+(?=[{THAI_STARTS}])"
_HAS_THAI = re.compile(f"[{THAI_STARTS}]")
_LAST_TOKEN = 40
_QUOTED_ON = ("と", "って")
_MIN_UNKNOWN = 4
_NUMBERED = BEFORE_NUMBERS | MONTHS
_SHORTENED_WORDS = TITLES | TRAILING | _NUMBERED
_WORD = re.compile(r"[^\W\d_]*")


def _boundary(first: str, *others: str) -> re.Pattern[str]:
    """One class that all boundaries begin with, so that `re` skips to it, then what tells each kind.

    A run of punctuation is always taken whole: where it must stand before a blank is looked at afterwards, or a
    long run before a letter would be tried from each of its marks.
    """
    kinds = (
        rf"(?<=[{_LINE_ENDS}])",
        rf"(?<=[{_WIDE_END}])[{_WIDE_END}]*[{_CLOSING}]*",
        rf"(?<=[{_END}])[{_END}]*[{_CLOSING}]*",
        rf"(?<=[{_GREEK}];)[{_CLOSING}]*",
        *others,
    )
    return re.compile(rf"[{_LINE_ENDS}{_WIDE_END}{_END};{first}](?:{'|'.join(kinds)})")


_BOUNDARY = _boundary("")
_BOUNDARY_OR_GAP = _boundary(" \u00a0", _THAI_GAP)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of every sentence, without the blanks around it; headings and list items are sentences too."""
    has_gaps = not text.isascii() and _HAS_THAI.search(text) is not None
    boundary = _BOUNDARY_OR_GAP if has_gaps else _BOUNDARY
    spans: list[tuple[int, int]] = []
    start = line = 0
    for match in boundary.finditer(text):
        kind = text[match.start()]
        if kind in _LINE_ENDS:
            _append(spans, text, start, match.end(), line)
            start = line = match.end()
        elif _ends_sentence(text, start, match):
            _append(spans, text, start, match.end(), line)
            start = match.end()
    _append(spans, text, start, len(text), line)
    return spans


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int, line: int) -> None:
    """Add the piece where it has letters or digits; stray punctuation belongs to the sentence before it on its line."""
    stripped = text[start:end].lstrip()
    first = end - len(stripped)
    stripped = stripped.rstrip()
    if not stripped:
        return
    last = first + len(stripped)
    if spans and spans[-1][0] >= line and not any(map(str.isalnum, stripped)):
        spans[-1] = (spans[-1][0], last)
    else:
        spans.append((first, last))


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the terminal punctuation at `match` ends the sentence that began at `start`."""
    found = match[0]
    begin, end = match.span()
    mark = found.rstrip(_CLOSING_MARKS)
    if mark[-1] in _BEFORE_BLANK and not (end == len(text) or text[end].isspace()):
        return False
    after = text[end : end + _LAST_TOKEN].lstrip(_OPENING)
    if mark[-1] not in _END:
        return mark == found or not after.startswith(_QUOTED_ON)
    before = text[max(start, begin - _LAST_TOKEN) : begin].rsplit(None, 1)
    token = before[-1].lstrip(_OPENING_MARKS) if before else ""
    if after[:1].islower():
        return _ends_before_lower(token, mark, is_quoted=mark != found)
    if mark != ".":
        return True
    is_first = len(before) == 1 and begin - start <= _LAST_TOKEN
    return not _is_abbreviation(token, after, is_first=is_first)


def _ends_before_lower(token: str, mark: str, *, is_quoted: bool) -> bool:
    """Whether a sentence ends although a small letter follows, as in text written without capitals."""
    if is_quoted or token[:1].isupper() or mark.startswith(("..", "…")):
        return False
    known = token.lower() in _SHORTENED_WORDS or "." in token
    return not known and token.isalpha() and (mark != "." or len(token) >= _MIN_UNKNOWN)


def _is_abbreviation(token: str, after: str, *, is_first: bool) -> bool:
    """Whether the full stop after `token` only shortens it; `after` is what follows."""
    lower = token.lower()
    if lower in TITLES:
        return True
    if lower in _NUMBERED:
        return after[:1].isdigit()
    is_initials = "." in token and all(len(part) == 1 and part.isalpha() for part in token.split("."))
    if lower in TRAILING or is_initials or (len(token) == 1 and token.isupper()):
        return bool(after) and _first_word(after) not in STARTERS
    if token.isdigit() and len(token) <= 3:
        return is_first or _first_word(after).lower() in MONTHS
    return False


def _first_word(after: str) -> str:
    found = _WORD.match(after)
    return found[0] if found is not None else ""


_SHORTENED = (
    r"(?-u:\b)(?:(?:\p{L}\.)+\p{L}|\p{Lu}|"
    + "|".join(sorted(form for word in TITLES | TRAILING for form in {word, word.title()} if "." not in word))
    + r")\."
)
_EXPRESSION = (
    rf"(?:{_SHORTENED}|\S)(?:{_SHORTENED}|[^\n])*?(?:[{_END}]+[{_CLOSING}]*(?:\s|$)|[{_WIDE_END}]+[{_CLOSING}]*"
    rf"|[{_GREEK}];[{_CLOSING}]*(?:\s|$)|[{THAI_LETTERS}][ \u00a0]+[{THAI_STARTS}]|\n|$)"
)


def sentence_count(text: pl.Expr) -> pl.Expr:
    """Number of sentences, close to `len(sentence_spans(text))`: the words around a full stop weigh less here."""
    return text.str.count_matches(_EXPRESSION)


def extract_sentences(text: pl.Expr) -> pl.Expr:
    """The sentences of a text as a list, as `sentence_count` counts them, blanks at their ends included."""
    return text.str.extract_all(_EXPRESSION)
