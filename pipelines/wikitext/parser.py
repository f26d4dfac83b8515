"""Wikitext to marked plain text in one pass: one compiled token pattern and a stack, so time is linear.

An opening without its closing hurts no more than its paragraph (links) or its section (templates, tables):
what had been read since is given back without the markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.wikitext import markers
from pipelines.wikitext.links import is_hidden, link_text
from pipelines.wikitext.tags import BLOCKS, DROPPED, INLINE, simple_math
from pipelines.wikitext.templates import keeps_text, template_text

MAX_DEPTH = 48  # MediaWiki itself stops at 40; what lies deeper is dropped

_TOKEN = re.compile(
    r"\{\{|\}\}|\[\[|\]\]"
    r"|<(?P<close>/?)(?P<tag>[a-zA-Z][a-zA-Z0-9]*+)(?P<attributes>[^<>]*+)>"
    r"|\n(?=[ \t]*+\n)"
    r"|(?:^[ \t:]*+(?:(?P<table>\{\|)|(?P<end>\|\})(?!\})))"
    r"|(?P<heading>^=(?=[^\n]*=[ \t]*$))",
    re.MULTILINE,
)
_COMMENT_END = "-->"
_REST_OF_LINE = re.compile(r"[ \t]*\n")
_OPENING = {"{{": "}}", "[[": "]]"}


class _Frame:
    """An open construct and the text read inside it."""

    __slots__ = ("kind", "parts")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.parts: list[str] = []


def without_comments(text: str) -> str:
    """Drop `<!-- -->`; a comment alone on its line takes the line along. An unclosed one ends with its paragraph."""
    if "<!--" not in text:
        return text
    last = text.rfind(_COMMENT_END)
    pieces = text.split("<!--")
    kept, position = [pieces[0]], len(pieces[0])
    fresh = _starts_line(pieces[0], True)
    for piece in pieces[1:]:
        position += 4
        if _COMMENT_END in piece:
            rest = piece.partition(_COMMENT_END)[2]
            newline = _REST_OF_LINE.match(rest) if fresh else None
            kept.append(rest[newline.end() :] if newline else rest)
            fresh = _starts_line(kept[-1], fresh)
        elif position > last:
            kept.append("".join(piece.partition("\n\n")[1:]))
        position += len(piece)
    return "".join(kept)


def _starts_line(text: str, before: bool) -> bool:
    """Whether only blanks stand on the line after `text`; `before` says so of the line it began on."""
    end = text.rstrip(" \t")
    return end.endswith("\n") if end else before


class Parser:
    """Parses one text; `run` returns it with the marks of `markers` in place of structure."""

    def __init__(self, text: str, hidden: frozenset[str], lang: str) -> None:
        self._text = without_comments(text)
        self._hidden = hidden
        self._lang = lang
        self._stack = [_Frame("")]
        self._too_deep: list[str] = []
        self._position = 0
        self._never_closed: set[str] = set()

    def run(self) -> str:
        """The text without templates, tables, links, references and tags."""
        search = _TOKEN.search
        while token := search(self._text, self._position):
            self._append(self._text[self._position : token.start()])
            self._position = token.end()
            self._handle(token)
        self._append(self._text[self._position :])
        self._close_all()
        return "".join(self._stack[0].parts)

    def _append(self, text: str) -> None:
        if text and not self._too_deep:
            self._stack[-1].parts.append(text)

    def _handle(self, token: re.Match[str]) -> None:
        found = token[0]
        if found in _OPENING:
            self._open(found)
        elif found == "}}":
            self._close("{{", literal="")
        elif found == "]]":
            self._close_link()
        elif token["tag"]:
            self._tag(token)
        elif found == "\n":
            self._end_paragraph()
        elif token["table"]:
            self._open("{|")
        elif token["end"]:
            self._close("{|", literal="")
        else:
            self._heading()

    def _open(self, kind: str) -> None:
        if self._too_deep or len(self._stack) > MAX_DEPTH:
            self._too_deep.append(kind)
        else:
            self._stack.append(_Frame(kind))

    def _close(self, kind: str, *, literal: str) -> None:
        """Close the innermost open `kind`; what was left open inside it is given back first."""
        if self._too_deep:
            if self._too_deep[-1] == kind:
                self._too_deep.pop()
            return
        if all(frame.kind != kind for frame in self._stack):
            self._append(literal)
            return
        while self._stack[-1].kind != kind:
            self._give_back()
        self._append(self._rendered(self._stack.pop()))

    def _close_link(self) -> None:
        if self._too_deep or self._stack[-1].kind == "[[":
            self._close("[[", literal="")
        elif all(frame.kind != "[[" for frame in self._stack):
            self._append("]]")

    def _rendered(self, frame: _Frame) -> str:
        if frame.kind == "[[":
            return link_text("".join(frame.parts), self._hidden, self._lang)
        if frame.kind == "{{" and frame.parts:
            return template_text("".join(frame.parts)) if self._may_show(frame.parts[0]) else ""
        return ""

    @staticmethod
    def _may_show(start: str) -> bool:
        """Spare the joining of large templates that are dropped anyway."""
        return "|" not in start or keeps_text(start)

    def _give_back(self) -> None:
        """The innermost construct has no closing: keep its words in the text around it."""
        frame = self._stack.pop()
        content = "".join(frame.parts)
        if frame.kind == "[[":
            content = "" if is_hidden(content, self._hidden) else content.replace("|", " ")
        elif frame.kind == "{{" and keeps_text(content.partition("\n")[0]):
            content = content.rpartition("|")[2] if "\n" not in content else content.partition("|")[2]
        else:
            content = "\n".join(_lines_of_prose(content, skip_first=frame.kind != "<table"))
        self._append(content)

    def _close_all(self) -> None:
        self._too_deep.clear()
        while len(self._stack) > 1:
            self._give_back()

    def _end_paragraph(self) -> None:
        if not self._too_deep:
            while self._stack[-1].kind == "[[":
                self._give_back()
        self._append("\n")

    def _heading(self) -> None:
        self._close_all()
        self._append("\n" + markers.HEADING + "=")

    def _tag(self, token: re.Match[str]) -> None:
        name, closing = token["tag"].lower(), bool(token["close"])
        if name in DROPPED or name == "nowiki":
            if not closing and not token["attributes"].endswith("/"):
                self._raw(name)
        elif name == "table":
            self._close("<table", literal="") if closing else self._open("<table")
        elif name in BLOCKS:
            self._append(BLOCKS[name])
        elif name in INLINE:
            self._append(INLINE[name][closing])
        else:
            self._append(token[0])

    def _raw(self, name: str) -> None:
        """Skip to the closing tag of an element whose content is not wikitext, or is not part of the text."""
        end = None if name in self._never_closed else _raw_end(name).search(self._text, self._position)
        if end is None:
            self._never_closed.add(name)
        if end is None or end["close"] is None:
            self._unclosed_raw(name)
            return
        content = self._text[self._position : end.start()]
        self._position = end.end()
        if name == "nowiki":
            self._append(markers.protect(content))
        elif name in {"math", "chem", "ce"}:
            self._append(simple_math(content))

    def _unclosed_raw(self, name: str) -> None:
        """No closing before the next one opens, or a heading: drop the line only, and nothing for nowiki."""
        if name != "nowiki":
            line_end = self._text.find("\n", self._position)
            self._position = len(self._text) if line_end < 0 else line_end


_RAW_ENDS: dict[str, re.Pattern[str]] = {}


def _raw_end(name: str) -> re.Pattern[str]:
    """The closing tag, or what shows that it is missing: the same tag opened again, or a heading."""
    if name not in _RAW_ENDS:
        missing = rf"|<{name}\b[^<>]*+(?<!/)>|\n==" if name == "ref" else ""
        _RAW_ENDS[name] = re.compile(rf"(?P<close></{name}\s*+>){missing}", re.IGNORECASE)
    return _RAW_ENDS[name]


def _lines_of_prose(content: str, *, skip_first: bool) -> Iterator[str]:
    """Lines that are no cells, parameters or rows."""
    for line in content.split("\n")[skip_first:]:
        if not line.lstrip().startswith(("|", "!", "}")):
            yield line
