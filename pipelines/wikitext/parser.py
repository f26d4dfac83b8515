"""Templates and tables: one pass with a stack over braces, table marks and headings, so time is linear.

Braces pair as in https://www.mediawiki.org/wiki/Preprocessor_ABNF. An opening without its closing hurts no more than
its section: what had been read since is given back without the markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.wikitext import infobox, markers
from pipelines.wikitext.links import without_last_links
from pipelines.wikitext.page import Page
from pipelines.wikitext.tables import table_text
from pipelines.wikitext.templates import is_content, template_text

MAX_DEPTH = 48  # MediaWiki itself stops at 40; what lies deeper is dropped
_TOKEN = re.compile(r"\{\{++|\}\}++|\n[ \t:]*+(?:\{\|(?!\})|\|\}(?!\}))")
_HEADING = re.compile(r"\n=(?=[^\n]*=[ \t]*+(?:\n|\Z))")
_BEFORE_HEADING = f"\n{markers.HEADING}="
_OPENING = re.compile(r"\{\{")  # splits a little faster than a string of two letters
_TABLE_OR_ARGUMENT = re.compile(r"\{(?:\||\{\{)")
_ARGUMENT = 3  # braces of {{{argument|default}}}


class _Frame:
    """An open construct: `{{` with its number of braces, or `{|`; `start` is where its text begins in the output."""

    __slots__ = ("braces", "start")

    def __init__(self, braces: int, start: int) -> None:
        self.braces = braces  # 0 for a table
        self.start = start


class Parser:
    """Reads one text; `run` returns it with the marks of `markers` in place of structure."""

    def __init__(self, text: str, page: Page) -> None:
        self._text = "\n" + text
        self._page = page
        self._parts: list[str] = []
        self._stack: list[_Frame] = []
        self._too_deep: list[int] = []
        self._in_lead = True
        self._has_words = False  # in the parts looked at so far
        self._looked_at = 0

    def run(self) -> str:
        """The text without templates and tables, headings marked. Nothing reaches over a heading."""
        lead, *sections = _HEADING.split(self._text)
        self._section(lead)
        self._in_lead = False
        for section in sections:
            self._parts.append(_BEFORE_HEADING)
            if "{" in section or "}" in section:
                self._section(section)
            else:
                self._parts.append(section)
        return "".join(self._parts)

    def _section(self, text: str) -> None:
        if _TABLE_OR_ARGUMENT.search(text):
            self._tokens(text)
        else:
            self._templates(text)
        if self._stack or self._too_deep:
            self._close_all()

    def _templates(self, text: str) -> None:
        """Read a section whose braces are all of templates: splits in C, and no frame for an innermost template."""
        first, *pieces = _OPENING.split(text)
        self._after_closings(first.split("}}"))
        append = self._parts.append
        for piece in pieces:
            content, closing, rest = piece.partition("}}")
            if not closing or len(self._stack) >= MAX_DEPTH:
                self._open(2)
                self._after_closings(piece.split("}}"))
                continue
            if is_content(content):
                append(self._rendered(content))
            elif self._in_lead and not self._stack:
                self._take_infobox(content)
            if "}" in rest and "}}" in rest:
                self._after_closings(rest.split("}}"))
            else:
                append(rest)

    def _after_closings(self, texts: list[str]) -> None:
        """Take texts that stand between closings, and close a template before each but the first."""
        if not self._too_deep:
            self._parts.append(texts[0])
        for text in texts[1:]:
            self._close_braces(2)
            if not self._too_deep:
                self._parts.append(text)

    def _tokens(self, text: str) -> None:
        position = 0
        append = self._parts.append
        for token in _TOKEN.finditer(text):
            start, end = token.span()
            if not self._too_deep:
                append(text[position:start])
            self._handle(text[start:end])
            position = end
        if not self._too_deep:
            append(text[position:])

    def _handle(self, token: str) -> None:
        if token[0] == "{":
            self._open(len(token))
        elif token[0] == "}":
            self._close_braces(len(token))
        elif not self._too_deep:
            self._parts.append("\n")
            if token[-1] == "|":
                self._open(0)
            else:
                self._close_table()

    def _open(self, braces: int) -> None:
        if self._too_deep or len(self._stack) >= MAX_DEPTH:
            self._too_deep.append(braces)
        else:
            self._stack.append(_Frame(braces, len(self._parts)))

    def _close_braces(self, count: int) -> None:
        while count >= 2:
            if self._too_deep:
                used = min(_ARGUMENT, count, max(self._too_deep[-1], 2))
                self._too_deep[-1] -= used
                if self._too_deep[-1] < 2:
                    self._too_deep.pop()
            elif self._stack and (self._stack[-1].braces or any(frame.braces for frame in self._stack)):
                used = self._close_innermost(count)
            else:
                return
            count -= used

    def _close_innermost(self, count: int) -> int:
        """Close the innermost template or argument; return how many braces that took."""
        while not self._stack[-1].braces:
            self._give_back()
        frame = self._stack[-1]
        used = min(_ARGUMENT, count, frame.braces)
        frame.braces -= used
        shown = self._argument(frame.start) if used == _ARGUMENT else self._template(frame.start)
        if frame.braces < 2:
            self._stack.pop()
        self._parts.append(shown)
        return used

    def _taken(self, start: int) -> str:
        content = "".join(self._parts[start:])
        del self._parts[start:]
        return content

    def _argument(self, start: int) -> str:
        """`{{{name|default}}}` stands in no article on purpose; its default is what is shown."""
        return self._taken(start).partition("|")[2]

    def _template(self, start: int) -> str:
        """Spare the joining of large templates that are dropped anyway."""
        first = self._parts[start] if start < len(self._parts) else ""
        outermost = len(self._stack) == 1
        if "|" in first and not is_content(first) and not (outermost and self._in_lead):
            del self._parts[start:]
            return ""
        return self._shown(self._taken(start), outermost=outermost)

    def _shown(self, content: str, *, outermost: bool) -> str:
        if is_content(content):
            return self._rendered(content)
        if outermost and self._in_lead:
            self._take_infobox(content)
        return ""

    def _rendered(self, content: str) -> str:
        if "[[" in content:
            content = without_last_links(content, self._page)
        return template_text(content, self._page)

    def _take_infobox(self, content: str) -> None:
        if self._page.wants_infobox and not self._page.infobox:
            infobox.take(content, self._page, leads=not self._begun())

    def _begun(self) -> bool:
        """Whether words stand before an outermost template; each part is looked at once."""
        while not self._has_words and self._looked_at < len(self._parts):
            self._has_words = any(map(str.isalnum, self._parts[self._looked_at]))
            self._looked_at += 1
        return self._has_words

    def _close_table(self) -> None:
        if all(frame.braces for frame in self._stack):
            return
        while self._stack[-1].braces:
            self._give_back()
        content = self._taken(self._stack.pop().start)
        self._parts.append(table_text(content) if self._page.tables == "lines" else "")

    def _close_all(self) -> None:
        self._too_deep.clear()
        while self._stack:
            self._give_back()

    def _give_back(self) -> None:
        """The innermost construct has no closing: keep its words in the text around it."""
        frame = self._stack.pop()
        content = self._taken(frame.start)
        if frame.braces and is_content(content.partition("\n")[0]):
            content = content.rpartition("|")[2] if "\n" not in content else content.partition("|")[2]
        else:
            content = "\n".join(_lines_of_prose(content))
        self._parts.append(content)


def _lines_of_prose(content: str) -> Iterator[str]:
    """Lines that are no cells, parameters or rows; the first names the template or holds the table's attributes."""
    for line in content.split("\n")[1:]:
        if not line.lstrip().startswith(("|", "!", "}")):
            yield line
