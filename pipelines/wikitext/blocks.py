"""Marked text to paragraphs, headings and list lines, and these to the final text with its sections."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from pipelines.wikitext import markers
from pipelines.wikitext.inline import inline, tidy


class Section(NamedTuple):
    """A part of the text, heading included; offsets in code points, `end` exclusive; the lead is level 0."""

    level: int
    title: str
    start: int
    end: int


class Block(NamedTuple):
    """A heading (level 1 to 6) or body text (level 0)."""

    level: int
    text: str


_DEFINITION = re.compile(r" ?[:：](?=\s)")
_MARKS = "*#:;• "
_STRUCTURE = frozenset("*#:;•|{-" + markers.HEADING + markers.BREAK + markers.POEM_ON + markers.POEM_OFF)


def sectioned(marked: str) -> tuple[str, list[Section]]:
    """The final text and the sections that tile it."""
    text = tidy(inline(marked))
    if markers.BREAK in text:
        text = text.replace(markers.BREAK, f"\n{markers.BREAK}")
    builder = _Builder(has_poems=markers.POEM_ON in text or markers.POEM_OFF in text, final=markers.is_final(text))
    builder.add_all(text.split("\n"))
    builder.end_paragraph()
    return _assembled(_without_empty_sections(builder.blocks))


def has_words(line: str) -> bool:
    """Whether a letter or digit stands in it."""
    return line[:1].isalnum() or any(map(str.isalnum, line))


class _Builder:
    """Gathers lines into blocks: prose lines join, list lines stay apart."""

    def __init__(self, *, has_poems: bool, final: bool) -> None:
        self.blocks: list[Block] = []
        self._pieces: list[str] = []  # lines of the paragraph, each after what parts it from the last
        self._joins = False  # whether the next prose line continues the last line
        self._has_poems = has_poems
        self._is_final = final
        self._poem = False

    def add_all(self, lines: list[str]) -> None:
        """Take lines of marked text. This loop runs once a line, so it tells plain lines apart itself."""
        structured, prose = self._in_poem if self._has_poems else self._structured, self._prose
        structure = None if self._has_poems else _STRUCTURE
        for line in map(str.strip, lines):
            if structure is None or (line and line[0] in structure):
                structured(line)
            elif line:
                prose(line)
            elif self._pieces:
                self.end_paragraph()
            else:
                self._joins = False

    def _in_poem(self, line: str) -> None:
        """Take one line of a text with poems."""
        line = self._poem_marks(line)
        if not line:
            self.end_paragraph()
        elif self._poem and line[0] not in (markers.HEADING, markers.BREAK):
            self._item(line)
        elif line[0] in _STRUCTURE:
            self._structured(line)
        else:
            self._prose(line)

    def _structured(self, line: str) -> None:
        first = line[0]
        if first in _MARKS:
            self._list_item(line)
        elif first == markers.HEADING:
            self._heading(line[1:])
        elif first == markers.BREAK:
            self._break(line)
        elif line.startswith(("|", "{|", "----")):
            self.end_paragraph()
            if first == "-" and (rest := line.lstrip("-").strip()):
                self._prose(rest)
        else:
            self._prose(line)

    def _poem_marks(self, line: str) -> str:
        if markers.POEM_ON in line:
            self._poem = True
        elif markers.POEM_OFF in line or line.startswith(markers.HEADING):
            self._poem = False
        return line.replace(markers.POEM_ON, "").replace(markers.POEM_OFF, "").strip()

    def _heading(self, line: str) -> None:
        self.end_paragraph()
        line = line.strip()
        words = line.lstrip("=")
        left, right = len(line) - len(words), len(line) - len(line.rstrip("="))
        level = max(1, min(left, right or left, 6))
        title = self._final(line[level : len(line) - min(level, right)] if words else "")
        if title:
            self.blocks.append(Block(level, title))

    def _break(self, line: str) -> None:
        self._joins = False
        line = line.lstrip(markers.BREAK).strip()
        if line:
            self._prose(line)

    def _list_item(self, line: str) -> None:
        words = line.lstrip(_MARKS)
        if ";" in line and ";" in line[: len(line) - len(words)]:
            for part in _DEFINITION.split(words, maxsplit=1):
                self._item(part.strip())
        else:
            self._item(words)

    def _item(self, line: str) -> None:
        if line[:1].isalnum() or has_words(line):
            self._pieces += ("\n", line)
        self._joins = False

    def _prose(self, line: str) -> None:
        if line[0].isalnum() or has_words(line):
            self._pieces += (" " if self._joins else "\n", line)
            self._joins = True

    def end_paragraph(self) -> None:
        """Close the paragraph or list that is open."""
        if self._pieces:
            text = self._final("".join(self._pieces[1:]))
            if text:
                self.blocks.append(Block(0, text))
        self._pieces, self._joins = [], False

    def _final(self, text: str) -> str:
        return (text if self._is_final else markers.final(text)).strip()


def _without_empty_sections(blocks: list[Block]) -> list[Block]:
    """Drop headings with nothing below them: no text, and no deeper heading that is kept."""
    kept: list[Block] = []
    below = 0  # level of the next heading that is kept, 7 for text, 0 for the end
    for block in reversed(blocks):
        level = block[0]
        if not level or below > level:
            kept.append(block)
            below = level or 7
    kept.reverse()
    return kept


def _assembled(blocks: list[Block]) -> tuple[str, list[Section]]:
    starts: list[tuple[int, str, int]] = []
    position = 0
    for level, text in blocks:
        if level or not starts:
            starts.append((level, text if level else "", position))
        position += len(text) + 2
    text = "\n\n".join([block[1] for block in blocks])
    ends = [start for _, _, start in starts[1:]] + [len(text)] * bool(starts)
    return text, [Section(*start, end) for start, end in zip(starts, ends, strict=True)]


def plain_text(text: str) -> str:
    """Text without markup, brought to the same form: NFC, `\\n` line ends, nothing that UTF-8 cannot hold."""
    return unicodedata.normalize("NFC", markers.without_marks(text)).strip()
