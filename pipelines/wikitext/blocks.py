"""Marked text to the final text with its sections."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from pipelines.wikitext import markers
from pipelines.wikitext.gaps import parted
from pipelines.wikitext.inline import inline, tidy

_DEEPEST, _TEXT = 6, 7


class Section(NamedTuple):
    """A part of the text, heading included; offsets in code points, `end` exclusive; the lead is level 0."""

    level: int
    title: str
    start: int
    end: int


def sectioned(marked: str) -> tuple[str, list[Section]]:
    """The final text and the sections that tile it."""
    text, changing = tidy(inline(marked))
    final = _finishing(changing)
    lead, *sections = parted(text).split(markers.HEADING)
    return _assembled([(0, "", final(lead)), *_with_text(sections, final)])


def _with_text(sections: list[str], final: Callable[[str], str]) -> list[tuple[int, str, str]]:
    """Level, title and body of sections; without headings that have nothing below them.

    That is no text, and no deeper heading that is kept. A body whose heading is empty has level 0.
    """
    kept: list[tuple[int, str, str]] = []
    below = 0  # level of the next heading that is kept, 7 for text, 0 for the end
    for section in reversed(sections):
        line, _, body = section.partition("\n")
        level, title = _heading(line)
        body = final(body)
        if (body or below > level) and (title := final(title)):
            kept.append((level, title, body))
            below = level
        elif body:
            kept.append((0, "", body))
            below = _TEXT
    kept.reverse()
    return kept


def _heading(line: str) -> tuple[int, str]:
    """Level and title of `== Title ==`; what one side has more of `=` is part of the title."""
    line = line.strip()
    words = line.lstrip("=")
    title = words.rstrip("=")
    left, right = len(line) - len(words), len(words) - len(title)
    if left == right <= _DEEPEST:
        return left, title
    if not words:
        return min(left, _DEEPEST), ""
    level = max(1, min(left, right or left, _DEEPEST))
    return level, line[level : len(line) - min(level, right)]


def _finishing(changing: str | None) -> Callable[[str], str]:
    """What makes a piece of a text final in which `final` may change these letters alone; None stands for any."""
    if changing is None:
        return _made_final
    if not changing:
        return str.strip
    return lambda text: _made_final(text) if any(map(text.__contains__, changing)) else text.strip()


def _made_final(text: str) -> str:
    text = text.strip()
    if markers.is_final(text):
        return text
    return "\n".join(map(markers.final, text.split("\n"))).strip()


def _assembled(sections: list[tuple[int, str, str]]) -> tuple[str, list[Section]]:
    texts: list[str] = []
    starts: list[tuple[int, str, int]] = []
    position = 0
    for level, title, body in sections:
        if title or (body and not starts):
            starts.append((level, title, position))
        if title:
            texts.append(title)
            position += len(title) + 2
        if body:
            texts.append(body)
            position += len(body) + 2
    text = "\n\n".join(texts)
    ends = [start for _, _, start in starts[1:]] + [len(text)] * bool(starts)
    return text, [Section(level, title, start, end) for (level, title, start), end in zip(starts, ends, strict=True)]


def plain_text(text: str) -> str:
    """Text without markup, brought to the same form: NFC, `\\n` line ends, nothing that UTF-8 cannot hold."""
    return unicodedata.normalize("NFC", markers.without_marks(text)).strip()
