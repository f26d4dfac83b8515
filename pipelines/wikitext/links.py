"""Internal and external links as the words that a reader sees."""

from __future__ import annotations

import re

from pipelines.wikitext.names import LANGUAGES, PROJECTS

_URL = re.compile(r"(?:(?:https?|ftps?|news|irc|ircs|gopher|mailto|nntp):|//)", re.IGNORECASE)
_EXTERNAL = re.compile(
    r"\[(?:(?:https?|ftps?|irc|ircs|gopher)://|//|mailto:|news:)[^\s\[\]]*+[^\S\n]*+([^\[\]\n]*+)\]", re.IGNORECASE
)
_PARENTHESIS = re.compile(r" ?\([^()]*\)$")


def is_hidden(content: str, hidden: frozenset[str]) -> bool:
    """Whether a link shows a file or sorts into a category: its words are not part of the text."""
    prefix, colon, _ = content.partition(":")
    return bool(colon) and prefix.strip().replace("_", " ").lower() in hidden


def link_text(content: str, hidden: frozenset[str], lang: str) -> str:
    """The words shown for `[[content]]`; empty for files, categories and links between languages."""
    target, pipe, label = content.partition("|")
    if is_hidden(target, hidden):
        return ""
    if _URL.match(target):
        return content.partition(" ")[2]
    prefix = target.partition(":")[0].strip().lower() if ":" in target else ""
    if prefix in LANGUAGES and prefix != lang:
        return ""
    if pipe:
        return label if label.strip() else _pipe_trick(target)
    return _shown_target(target, prefix)


def external_text(text: str) -> str:
    """Replace `[http://… label]` by its label, and by nothing where it has none."""
    return _EXTERNAL.sub(r"\1", text) if "//" in text or "mailto:" in text else text


def _shown_target(target: str, prefix: str) -> str:
    shown = target.strip(" ").removeprefix(":")
    if prefix in PROJECTS or prefix == "":
        shown = shown.partition(":")[2] if prefix else shown
    return shown.replace("_", " ").removeprefix("#") if "\n" not in shown else shown


def _pipe_trick(target: str) -> str:
    """`[[Help:Boston (band)|]]` shows `Boston`, `[[Boston, Massachusetts|]]` too."""
    shown = target.strip().removeprefix(":")
    shown = shown.partition(":")[2] if ":" in shown else shown
    without = _PARENTHESIS.sub("", shown)
    return without if without != shown else shown.partition(", ")[0]
