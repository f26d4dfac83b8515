"""Marked text to paragraphs, headings and list lines, and these to the final text with its sections."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.wikitext import markers
from pipelines.wikitext.links import external_text
from pipelines.wikitext.tags import superscripts


class Section(NamedTuple):
    """A part of the text, heading included; offsets in code points, `end` exclusive; the lead is level 0."""

    level: int
    title: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (level 1 to 6) or body text (level 0)."""

    level: int
    text: str


_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_QUOTES = re.compile(r"'{2,}")
_SWITCH = re.compile(r"__(?:[^\W\d_]|(?<=[^\W\d_])_(?=[^\W\d_])){3,40}__")
_VARIANT = re.compile(r"-\{([^{}\n]{0,500})\}-")
_SPACES = re.compile(r"[^\S\n]+")
_PARENTHESES = (
    (re.compile(r"([(（])(?: ?[,;:，；、](?![)\]DP])){1,8} ?"), r"\1"),
    (re.compile(r"(?: ?[,;，；、]){1,8} ?([)）])"), r"\1"),
    (re.compile(r" ?[(（] ?[-–—:]? ?[)）]"), ""),
    (re.compile(r" ?\[ ?\]"), ""),
)
_OPEN_SPACE = re.compile(r"([(\[（]) (?=\S)")
_CLOSE_SPACE = re.compile(r"(?<=\S) ([)\]）])")
_PUNCTUATION = re.compile(r" ([,.])(?= |$)")
_DOUBLED = re.compile(r"([,;])(?: ?[,;]){1,8}(?= )")
_LIST = re.compile(r"[*#:;]+ *")
_RULE = re.compile(r"-{4,}")
_HEADING_LINE = re.compile(r"^(={1,6})")


def sectioned(marked: str) -> tuple[str, list[Section]]:
    """The final text and the sections that tile it."""
    blocks = _without_empty_sections(_blocks(marked))
    return _assembled(blocks)


def _blocks(marked: str) -> list[Block]:
    builder = _Builder()
    for line in _inline(marked).split("\n"):
        builder.add(line)
    builder.end_paragraph()
    return builder.blocks


def _inline(text: str) -> str:
    """Clean-ups that need no knowledge of lines; each pattern is linear."""
    text = external_text(text)
    text = _QUOTES.sub(lambda match: _apostrophes(len(match[0])), text) if "''" in text else text
    text = _SWITCH.sub(lambda match: "" if match[0].isupper() else match[0], text) if "__" in text else text
    text = _VARIANT.sub(lambda match: _first_variant(match[1]), text) if "-{" in text else text
    return superscripts(text)


def _apostrophes(count: int) -> str:
    """Apostrophes that are left when bold and italic marks are taken away."""
    return "'" if count == 4 else "'" * max(count - 5, 0)


def _first_variant(content: str) -> str:
    first = content.partition(";")[0]
    return first.rpartition(":")[2] if ":" in first else first


class _Builder:
    """Gathers lines into blocks: prose lines join, list lines stay apart."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._lines: list[str] = []
        self._joins = False  # whether the next prose line continues the last line
        self._poem = False

    def add(self, line: str) -> None:
        """Take the next line of marked text."""
        if markers.HEADING in line:
            before, _, heading = line.partition(markers.HEADING)
            self.add(before)
            self._heading(heading)
            return
        line = self._poem_marks(line).strip()
        if not line or line.startswith(("|", "{|")) or _RULE.match(line):
            self.end_paragraph()
        elif self._poem or line[0] in "*#:;":
            self._item(line if self._poem else _LIST.sub("", line, count=1))
        else:
            self._prose(line)

    def _poem_marks(self, line: str) -> str:
        if markers.POEM_ON in line:
            self._poem = True
        elif markers.POEM_OFF in line:
            self._poem = False
        return line.replace(markers.POEM_ON, "").replace(markers.POEM_OFF, "")

    def _heading(self, line: str) -> None:
        self.end_paragraph()
        line = self._poem_marks(line).replace(markers.HEADING, "").replace(markers.BREAK, " ").strip()
        self._poem = False
        left, right = (len(line) - len(side) for side in (line.lstrip("="), line.rstrip("=")))
        level = max(1, min(left, right or left, 6))
        title = tidy(line[level : len(line) - min(level, right)] if left < len(line) else line.strip("="))
        if title:
            self.blocks.append(Block(level, title))

    def _item(self, line: str) -> None:
        self._joins = False
        self._lines.append(line)

    def _prose(self, line: str) -> None:
        if self._joins:
            self._lines[-1] = f"{self._lines[-1]} {line}"
        else:
            self._lines.append(line)
        self._joins = True

    def end_paragraph(self) -> None:
        """Close the paragraph or list that is open."""
        lines = [tidy(part) for line in self._lines for part in line.split(markers.BREAK)]
        text = "\n".join(line for line in lines if any(char.isalnum() for char in line))
        if text:
            self.blocks.append(Block(0, text))
        self._lines, self._joins = [], False


def tidy(line: str) -> str:
    """One line as a reader sees it: entities decoded, one space at a time, no brackets left empty; NFC."""
    if "&" in line:
        line = _ENTITY.sub(lambda match: markers.without_marks(html.unescape(match[0])), line)
    line = _SPACES.sub(" ", line.replace("\n", " "))
    if "(" in line or "[" in line or "（" in line:
        line = _tidy_brackets(line)
    line = _DOUBLED.sub(r"\1", _PUNCTUATION.sub(r"\1", line))
    return unicodedata.normalize("NFC", markers.restore(_SPACES.sub(" ", line))).strip()


def _tidy_brackets(line: str) -> str:
    for pattern, replacement in _PARENTHESES:
        line = pattern.sub(replacement, line)
    return _CLOSE_SPACE.sub(r"\1", _OPEN_SPACE.sub(r"\1", line))


def _without_empty_sections(blocks: list[Block]) -> list[Block]:
    """Drop headings with nothing below them: no text, and no deeper heading that is kept."""
    kept: list[Block] = []
    for block in reversed(blocks):
        below = kept[-1] if kept else None
        if block.level == 0 or (below and (below.level == 0 or below.level > block.level)):
            kept.append(block)
    return kept[::-1]


def _assembled(blocks: list[Block]) -> tuple[str, list[Section]]:
    starts: list[tuple[int, str, int]] = []
    position = 0
    for block in blocks:
        if block.level or not starts:
            starts.append((block.level, block.text if block.level else "", position))
        position += len(block.text) + 2
    text = "\n\n".join(block.text for block in blocks)
    ends = [start for _, _, start in starts[1:]] + [len(text)] * bool(starts)
    return text, [Section(*start, end) for start, end in zip(starts, ends, strict=True)]


def plain_text(text: str) -> str:
    """Text without markup, brought to the same form: NFC, `\\n` line ends, nothing that UTF-8 cannot hold."""
    return unicodedata.normalize("NFC", markers.without_marks(text)).strip()
