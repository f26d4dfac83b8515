"""Clean-ups of whole texts that need no knowledge of lines. Each pattern is linear, and tried where it can match."""

from __future__ import annotations

import html
import re
from functools import lru_cache

from pipelines.wikitext import markers
from pipelines.wikitext.tags import superscripts
from pipelines.wikitext.variants import without_variants

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_LONG_QUOTES = re.compile(r"'{4,}")
_QUOTES = re.compile(r"''+")
_SWITCH = re.compile(r"__(?:[^\W\d_]|(?<=[^\W\d_])_(?=[^\W\d_])){3,40}__")
_STRUCTURAL = frozenset("'[]{}|=*#:;!(),")

_LOOSE_BRACKETS = tuple(  # one each: a pattern that begins with a letter, not a class, is found five times as fast
    [(sign, re.compile(rf"\{sign}(?=[ ,;:，；、)\]）\-–—])")) for sign in "([（"]
    + [(sign, re.compile(rf"\{sign}(?<=[ ,;，；、]\{sign})")) for sign in ")]）"]
)
_PARENTHESES = (
    (re.compile(r"([(（])(?: ?[,;:，；、](?![)\]DP])){1,8} ?"), r"\1"),
    (re.compile(r"(?: ?[,;，；、]){1,8} ?([)）])"), r"\1"),
    (re.compile(r" ?[(（] ?[-–—:]? ?[)）]"), ""),
    (re.compile(r" ?\[ ?\]"), ""),
    (re.compile(r"([(\[（]) (?=\S)"), r"\1"),
    (re.compile(r"(?<=[^\s]) ([)\]）])"), r"\1"),
)
_SPACED = (re.compile(r"\.(?<= \.)(?= |$)", re.MULTILINE), re.compile(r",(?<= ,)(?= |$)", re.MULTILINE))
_DOUBLES = (re.compile(r",(?= ?[,;])"), re.compile(r";(?= ?[,;])"))
_DOUBLED = re.compile(r"[,;](?: ?[,;]){1,8}(?= )")


def inline(text: str) -> str:
    """Quotes, switches, variants, superscripts."""
    text = _without_quotes(text)
    if "_" in text and "__" in text:  # one letter is found much faster than two
        text = _SWITCH.sub(lambda match: "" if match[0].isupper() else match[0], text)
    if "{" in text and "-{" in text:
        text = without_variants(text)
    return superscripts(text)


def _without_quotes(text: str) -> str:
    """Without the marks of bold and italic; of longer runs the apostrophes that show are left."""
    if "''''" in text:
        text = _LONG_QUOTES.sub(_apostrophes, text)
    return _QUOTES.sub("", text)


def _apostrophes(run: re.Match[str]) -> str:
    count = len(run[0])
    return "'" if count == 4 else markers.protect("'" * max(count - 5, 0))


def tidy(text: str) -> tuple[str, str | None]:
    """Lines as a reader sees them: entities decoded, one space at a time, no brackets left empty.

    And the letters that `markers.final` may change, as `markers.blanks_as_spaces` tells them.
    """
    if "&" in text:
        text = _ENTITY.sub(_decoded, text)
    text, changing = markers.blanks_as_spaces(text)
    text = _with_tidy_brackets(_one_space(text))
    text = _without_spaces(text, [found.start() - 1 for sign in _SPACED for found in sign.finditer(text)])
    if any(double.search(text) for double in _DOUBLES):
        text = _DOUBLED.sub(lambda match: match[0][0], text)
    return text, changing


def _without_spaces(text: str, positions: list[int]) -> str:
    if not positions:
        return text
    positions.sort()
    starts = [0, *(position + 1 for position in positions)]
    return "".join([text[start:end] for start, end in zip(starts, [*positions, len(text)], strict=True)])


def _with_tidy_brackets(text: str) -> str:
    """Tidy the lines in which a bracket stands loose."""
    loose = [found.start() for sign, bracket in _LOOSE_BRACKETS if sign in text for found in bracket.finditer(text)]
    kept: list[str] = []
    done = 0
    for position in sorted(loose):
        if position < done:
            continue
        start = text.rfind("\n", done, position) + 1
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        kept += (text[done:start], _tidy_brackets(text[start:end]))
        done = end
    return "".join([*kept, text[done:]]) if kept else text


def _tidy_brackets(line: str) -> str:
    for pattern, replacement in _PARENTHESES:
        line = pattern.sub(replacement, line)
    return line


def _one_space(text: str) -> str:
    first, *rest = text.split("  ")
    return " ".join([first, *filter(None, [piece.lstrip(" ") for piece in rest])]) if rest else first


def _decoded(entity: re.Match[str]) -> str:
    return decoded(entity[0])


@lru_cache(maxsize=4096)
def decoded(entity: str) -> str:
    """The character, protected where it would be taken for markup."""
    char = markers.blanks_as_spaces(markers.without_marks(html.unescape(entity)).replace("\n", " "))[0]
    return markers.protect(char) if char in _STRUCTURAL else char


def plain(text: str) -> str:
    """Lines of values, without marks, in NFC."""
    return markers.final(tidy(inline(text).replace(markers.BREAK, ", "))[0])
