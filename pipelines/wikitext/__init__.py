"""Wikitext to plain text with its sections, in time linear in the length of the text.

Passes over the whole text in C come first (notes, tags, plain links), then one pass with a stack for what nests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pipelines.wikitext import markers
from pipelines.wikitext.blocks import Section, sectioned
from pipelines.wikitext.comments import without_comments
from pipelines.wikitext.elements import without_elements
from pipelines.wikitext.infobox import as_json
from pipelines.wikitext.links import without_last_links, without_links
from pipelines.wikitext.names import hidden_names
from pipelines.wikitext.page import Page
from pipelines.wikitext.parser import Parser
from pipelines.wikitext.tables import without_tables
from pipelines.wikitext.tags import without_tags

__all__ = ["Extracted", "Section", "to_text"]


@dataclass(frozen=True, slots=True)
class Extracted:
    """Plain text, and the sections that tile it without gap or overlap; no section where there is no text.

    `meta` is the infobox as JSON, None where there is none.
    """

    text: str
    sections: list[Section]
    meta: str | None = None


def to_text(
    wikitext: str,
    *,
    namespaces: Mapping[int, str] | None = None,
    lang: str = "en",
    title: str = "",
    tables: Literal["drop", "lines"] = "drop",
    math: Literal["latex", "drop"] = "latex",
    infobox: bool = True,
) -> Extracted:
    """What a reader of the page reads, in NFC: headings, paragraphs and list lines, with blank lines between blocks.

    `namespaces` are the wiki's own names by number, `lang` its language code, `title` what {{PAGENAME}} shows. Any
    text is accepted; markup that is left open costs at most the rest of its section.
    """
    hidden = hidden_names(namespaces or {})
    page = Page(lang=lang, title=title, hidden=hidden, tables=tables, math=math, wants_infobox=infobox)
    text = without_comments(markers.without_marks(wikitext))
    text = without_tags(without_elements(text, page))
    if tables == "drop":
        text = without_tables(text)
    text = Parser(without_links(text, page), page).run()
    body, sections = sectioned(without_last_links(text, page))
    return Extracted(body, sections, as_json(page))
