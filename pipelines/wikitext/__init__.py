"""Wikitext to plain text with its sections, in time linear in the length of the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.wikitext import markers
from pipelines.wikitext.blocks import Section, sectioned
from pipelines.wikitext.names import hidden_names
from pipelines.wikitext.parser import Parser

__all__ = ["Extracted", "Section", "to_text"]


@dataclass(frozen=True, slots=True)
class Extracted:
    """Plain text, and the sections that tile it without gap or overlap; no section where there is no text."""

    text: str
    sections: list[Section]


def to_text(wikitext: str, *, namespaces: Mapping[int, str] | None = None, lang: str = "en") -> Extracted:
    """What a reader of the page reads, in NFC: headings, paragraphs and list lines, with blank lines between blocks.

    `namespaces` are the wiki's own names by number, `lang` its language code. Any text is accepted; markup that is
    left open costs at most the rest of its section.
    """
    marked = Parser(markers.without_marks(wikitext), hidden_names(namespaces or {}), lang).run()
    text, sections = sectioned(marked)
    return Extracted(text, sections)
