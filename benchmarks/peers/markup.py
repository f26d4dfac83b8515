"""Texts that mwparserfromhell's `strip_code` leaves of pages, without what is no prose.

Taken out before: headings, tables, notes, links of files, categories and other languages.
"""

from __future__ import annotations

import re
from typing import Any

import mwparserfromhell as mw
from mwparserfromhell.nodes import Heading, Tag, Wikilink

from benchmarks.options import answer

LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z-]+)?$")
DROPPED = {"table", "ref", "references", "td", "tr", "th"}


def is_unwanted(node: Any, hidden: set[str]) -> bool:
    if isinstance(node, Wikilink):
        prefix, colon, _ = str(node.title).partition(":")
        prefix = prefix.strip().lower().replace("_", " ")
        return bool(colon) and (prefix in hidden or bool(LANGUAGE.match(prefix)))
    return isinstance(node, Heading) or (isinstance(node, Tag) and str(node.tag).strip().lower() in DROPPED)


def prune(code: Any, hidden: set[str]) -> None:
    """Take unwanted nodes out at any depth. `Wikicode.remove` looks each up in the whole page, hours for some dumps."""
    code.nodes = [node for node in code.nodes if not is_unwanted(node, hidden)]
    for node in code.nodes:
        for inner in node.__children__():
            prune(inner, hidden)


def text_of(wikitext: str, hidden: set[str]) -> str:
    code = mw.parse(wikitext)
    prune(code, hidden)
    text = str(code.strip_code(normalize=True, collapse=True))
    lines = [line for line in text.split("\n") if not line.lstrip().startswith(("|", "!", "{|")) and "||" not in line]
    return "\n".join(lines)


if __name__ == "__main__":
    answer(lambda pages: [text_of(page["text"], set(page["hidden"])) for page in pages])
