"""Lines told apart by what stands between their words: a line end, blank lines, list marks, lines without a word.

A few hundred such gaps make up nearly all there are. Each is read once and remembered, so that a line costs a look
into a table.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pipelines.wikitext.markers import BREAK, CELL, HEADING, ITEM, JOIN, POEM_OFF, POEM_ON, TERM

_GAP = re.compile(r"(\n[\W_]*+)")
_LONGEST_KEPT = 60
_LIST, _RULE, _PROSE = "*", "----", "a"  # kinds of lines that have no mark of their own
_MARKS = "*#:;• "
_LIST_MARKS = frozenset("*#:;•")
_ENDING = frozenset(("", CELL, _RULE, HEADING))  # these end a paragraph,
_BREAKING = frozenset((_LIST, TERM, ITEM, BREAK))  # these a line

_CELLS = re.compile(f"{CELL}[^\n{JOIN}{HEADING}]*+[\n{JOIN}]*+")
_TERMS = re.compile(f"{TERM}[^\n{JOIN}{HEADING}]*+")
_DEFINITION = re.compile(r" ?[:：](?=\s)")


def parted(text: str) -> str:
    """Marked text with blank lines between blocks, HEADING before headings, and nothing else that is said by lines.

    Lines without a word are gone.
    """
    if BREAK in text:
        text = text.replace(BREAK, f"\n{BREAK}")
    if POEM_ON in text or POEM_OFF in text:
        text = _with_lines_of_poems(text)
    pieces = _GAP.split(f"\n{text}\n")  # words, gap, words, gap, …
    pieces[::2] = map(str.rstrip, pieces[::2])
    pieces[1::2] = [_known(gap) if len(gap) < _LONGEST_KEPT else _read(gap) for gap in pieces[1::2]]
    text = "".join(pieces)
    if CELL in text:
        text = _CELLS.sub("", text)
    if TERM in text:
        text = _TERMS.sub(_defined, text)
    return _joined(text.split(JOIN)).replace(ITEM, "")


def _joined(pieces: list[str]) -> str:
    """Pieces that go on with the line before, unless that is a list line or a heading."""
    for index, piece in enumerate(pieces[:-1]):
        line = piece[piece.rfind("\n") + 1 :]
        pieces[index] += "\n" if ITEM in line or HEADING in line else " "
    return "".join(pieces)


def has_words(line: str) -> bool:
    """Whether a letter or digit stands in it."""
    return any(map(str.isalnum, line))


def _read(gap: str) -> str:
    """What parts the words before the gap from those after it, and how the latter's line begins."""
    *passed, start = map(str.lstrip, gap.split("\n")[1:])
    kinds = set(map(_kind, passed))
    kind = _kind(start) or _PROSE
    headings = "".join([f"{line}\n" for line in passed if line.startswith(HEADING)])
    if headings or kind == HEADING:
        return headings + _begun(kind, start)
    if kind in _ENDING or kinds & _ENDING:
        return "\n\n" + _begun(kind, start)
    if kind in _BREAKING or kinds & _BREAKING:
        return "\n" + _begun(kind, start)
    return JOIN + start


_known = lru_cache(maxsize=4096)(_read)


def _kind(line: str) -> str:
    first = line[:1]
    if first in _LIST_MARKS:
        return TERM if ";" in line[: len(line) - len(line.lstrip(_MARKS))] else _LIST
    if first == "|" or line.startswith("{|"):
        return CELL
    if line.startswith(_RULE):
        return _RULE
    return first if first in ("", HEADING, BREAK, ITEM) else _PROSE


def _begun(kind: str, start: str) -> str:
    """The beginning of a line up to its first word, with the mark that it needs."""
    if kind in (_LIST, TERM):
        return ITEM + kind.strip(_LIST) + start.lstrip(_MARKS)
    if kind in (BREAK, _RULE):
        return start.lstrip(kind[0]).lstrip()
    return CELL if kind == CELL else start


def _defined(line: re.Match[str]) -> str:
    """A term and its definition as items of their own."""
    parts = map(str.strip, _DEFINITION.split(line[0][1:], maxsplit=1))
    return f"\n{ITEM}".join(filter(has_words, parts))


def _with_lines_of_poems(text: str) -> str:
    """Mark the lines of poems as items, whatever they begin with."""
    lines, poem = [], False
    for line in map(str.strip, text.split("\n")):
        if POEM_ON in line:
            poem = True
        elif POEM_OFF in line or line.startswith(HEADING):
            poem = False
        words = line.replace(POEM_ON, "").replace(POEM_OFF, "").strip()
        lines.append(ITEM + words if poem and words and words[0] not in (HEADING, BREAK) else words)
    return "\n".join(lines)
