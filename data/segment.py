"""Words and sentences of any script, by rules: one definition for cleaning, training and predictions.

Offsets are code points, end exclusive. A word is a run of letters, marks and digits with the
apostrophes inside it, a number with its separators, or a dotted acronym; Han and Hiragana, written
without blanks, count one word per character. A sentence ends at its terminal punctuation, closing
quotes included, and always at the end of a line.
"""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from data.abbreviations import BEFORE_NUMBERS, MONTHS, STARTERS, TITLES, TRAILING

_NO_BLANKS = "\u3005-\u3007\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_CLOSING = "\"'”’»)\\]}』」）】"
_OPENING = "\"'“‘„«([{『「（【¿¡—–- \t\u00a0"
_WIDE_END = "。！？｡।॥։።។။།"
_END = ".!?…؟۔᙮"
_BOUNDARY = re.compile(rf"[\n\x0b\x0c\x85\u2028\u2029]|[{_WIDE_END}]+[{_CLOSING}]*|[{_END}]+[{_CLOSING}]*(?=\s|$)")
_LAST_TOKEN = 40
_MARK_BLOCKS = ((0x300, 0x1DFF), (0x20D0, 0x20FF), (0x2CEF, 0x30FF), (0xA66F, 0xABFF), (0xFB1E, 0xFE2F))
_QUOTED_ON = ("と", "って")
_MIN_UNKNOWN = 4


@cache
def _word_pattern() -> re.Pattern[str]:
    """Words; `\\w` of `re` lacks the combining marks that most Indic scripts write their vowels with."""
    import unicodedata

    codes = (code for first, last in _MARK_BLOCKS for code in range(first, last + 1))
    marks = "".join(chr(code) for code in codes if unicodedata.category(chr(code)).startswith("M"))
    return re.compile(_word_source(rf"(?:[^\W_{_NO_BLANKS}]|[{marks}])", rf"[{_NO_BLANKS}]", r"[^\W\d_]"))


def _word_source(letter: str, single: str, alphabetic: str) -> str:
    """The pattern of a word, for `re` and for Polars alike: neither look-around nor back-references."""
    acronym = rf"(?:{alphabetic}\.){{2,}}"
    number = r"\d+(?:[.,]\d+)*"
    return rf"{acronym}|{single}|(?:{number}|{letter})(?:{letter}|['’\u200c\u200d]{letter})*"


def word_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of every word, in order."""
    return [match.span() for match in _word_pattern().finditer(text)]


def words(text: str) -> list[str]:
    """Every word as written, in order."""
    found: list[str] = _word_pattern().findall(text)
    return found


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of every sentence, without the blanks around it; headings and list items are sentences too."""
    spans: list[tuple[int, int]] = []
    start = line = 0
    for match in _BOUNDARY.finditer(text):
        is_line_end = match[0].isspace()
        if not is_line_end and not _ends_sentence(text, start, match):
            continue
        _append(spans, text, start, match.end(), line)
        start = match.end()
        line = start if is_line_end else line
    _append(spans, text, start, len(text), line)
    return spans


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int, line: int) -> None:
    """Add the piece where it has letters or digits; stray punctuation belongs to the sentence before it on its line."""
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return
    first = start + len(piece) - len(piece.lstrip())
    last = first + len(stripped)
    if spans and spans[-1][0] >= line and not any(map(str.isalnum, stripped)):
        spans[-1] = (spans[-1][0], last)
    else:
        spans.append((first, last))


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the terminal punctuation at `match` ends the sentence that began at `start`."""
    mark = match[0].rstrip("\"'”’»)]}』」）】")
    after = text[match.end() : match.end() + _LAST_TOKEN].lstrip(_OPENING)
    if mark[-1] in _WIDE_END:
        return mark == match[0] or not after.startswith(_QUOTED_ON)
    before = text[max(start, match.start() - _LAST_TOKEN) : match.start()].split()
    token = before[-1].lstrip("\"'“‘„«([{—–") if before else ""
    if after[:1].islower():
        return _ends_before_lower(token, mark, is_quoted=mark != match[0])
    if mark != ".":
        return True
    is_first = len(before) == 1 and match.start() - start <= _LAST_TOKEN
    return not _is_abbreviation(token, after, is_first=is_first)


def _ends_before_lower(token: str, mark: str, *, is_quoted: bool) -> bool:
    """Whether a sentence ends although a small letter follows, as in text written without capitals."""
    if is_quoted or token[:1].isupper() or mark.startswith(("..", "…")):
        return False
    known = token.lower() in TITLES | TRAILING | BEFORE_NUMBERS | MONTHS or "." in token
    return not known and token.isalpha() and (mark != "." or len(token) >= _MIN_UNKNOWN)


def _is_abbreviation(token: str, after: str, *, is_first: bool) -> bool:
    """Whether the full stop after `token` only shortens it; `after` is what follows."""
    lower = token.lower()
    follower = re.match(r"[^\W\d_]*", after)
    starts_sentence = follower is not None and follower[0] in STARTERS
    if lower in TITLES:
        return True
    if lower in BEFORE_NUMBERS | MONTHS:
        return after[:1].isdigit()
    is_initials = "." in token and all(len(part) == 1 and part.isalpha() for part in token.split("."))
    if lower in TRAILING or is_initials or (len(token) == 1 and token.isupper()):
        return bool(after) and not starts_sentence
    if token.isdigit() and len(token) <= 3:
        return is_first or (follower is not None and follower[0].lower() in MONTHS)
    return False


_EXPRESSION_WORD = _word_source(rf"[\p{{L}}\p{{N}}\p{{M}}--[{_NO_BLANKS}]]", rf"[{_NO_BLANKS}]", r"\p{L}")
_SHORTENED = (
    r"(?-u:\b)(?:(?:\p{L}\.)+\p{L}|\p{Lu}|"
    + "|".join(sorted(form for word in TITLES | TRAILING for form in {word, word.title()} if "." not in word))
    + r")\."
)
_EXPRESSION_SENTENCE = rf"\S[^\n]*?(?:[{_END}]+[{_CLOSING}]*(?:\s|$)|[{_WIDE_END}]+[{_CLOSING}]*|\n|$)"


def word_count(text: pl.Expr) -> pl.Expr:
    """Number of words, as `len(words(text))` counts them."""
    return text.str.count_matches(_EXPRESSION_WORD)


def sentence_count(text: pl.Expr) -> pl.Expr:
    """Number of sentences, close to `len(sentence_spans(text))`: the words around a full stop weigh less here."""
    return text.str.replace_all(_SHORTENED, "x").str.count_matches(_EXPRESSION_SENTENCE)


def extract_words(text: pl.Expr) -> pl.Expr:
    """The words of a text as a list, as `words` finds them."""
    return text.str.extract_all(_EXPRESSION_WORD)
