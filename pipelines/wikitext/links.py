"""Internal and external links as the words that a reader sees.

Most links are plain: one split in C resolves them, where a substitution would call Python for each. What is left
(files, categories, other wikis, links around links) takes a call each, innermost first.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pipelines.wikitext.names import LANGUAGES, PROJECTS
from pipelines.wikitext.page import Page

_FLAT = re.compile(r"\[\[(?:[^][{}|:\n]++\|([^][{}|\n]++)|([^][{}|:_#\n]++)|([^][{}\n]++))\]\]")
_INNER = re.compile(r"\[\[([^][{}\n]*+(?:(?:\[(?!\[)|\](?!\])|\n(?!\n))[^][{}\n]*+)*+)\]\]")
_ANY = re.compile(r"\[\[([^][\n]*+(?:(?:\[(?!\[)|\](?!\])|\n(?!\n))[^][\n]*+)*+)\]\]")
_UNCLOSED = re.compile(r"\[\[([^\[\]\n]*)")
_NESTING = 5  # links around links that are followed; what lies deeper loses its brackets only
_LONGEST_NAME = 100
_SCHEMES = frozenset(("http", "https", "ftp", "ftps", "news", "irc", "ircs", "gopher", "mailto", "nntp"))
_URL = re.compile(rf"(?:(?:{'|'.join(sorted(_SCHEMES))}):|//)", re.IGNORECASE)
_EXTERNAL = re.compile(
    r"\[(?:(?:https?|ftps?|irc|ircs|gopher)://|//|mailto:|news:)[^\s\[\]]*+[^\S\n]*+([^\[\]\n]*+)\]", re.IGNORECASE
)
_OPEN, _CLOSE = re.compile(r"\[\["), re.compile(r"\]\]")  # a pattern finds a pair faster than `in`
_EXTERNAL_OPEN = re.compile(r"\[https?://[^\s\[\]]*+ ")
_PARENTHESIS = re.compile(r" ?\([^()]*\)$")


def without_links(text: str, page: Page) -> str:
    """Resolve the links that hold no template."""
    if "[" not in text:
        return text
    pieces = _FLAT.split(text)  # text, label or None, target or None, other content or None, text, …
    pieces[3::4] = [other and link_text(other, page) for other in pieces[3::4]]
    text = "".join(filter(None, pieces))
    return _resolved(external_text(text), _INNER, page)


def without_last_links(text: str, page: Page) -> str:
    """Resolve what is left once templates are gone; an unclosed link costs its brackets, a file its line."""
    if "[" in text:
        text = _resolved(external_text(text), _ANY, page)
        text = _UNCLOSED.sub(lambda match: _unclosed(match[1], page), text)
        text = _EXTERNAL_OPEN.sub("", text)
    if _CLOSE.search(text):
        text = "\n".join([_without_stray(line) if "]]" in line else line for line in text.split("\n")])
    return text


def _without_stray(line: str) -> str:
    """Drop `]]` that closes nothing; `a[i[0]]` stays."""
    first, *pieces = line.split("]]")
    kept, depth = [first], first.count("[") - first.count("]")
    for piece in pieces:
        kept += ("]]" if depth >= 2 else "", piece)
        depth = max(depth - 2, 0) + piece.count("[") - piece.count("]")
    return "".join(kept)


def _resolved(text: str, pattern: re.Pattern[str], page: Page) -> str:
    found = 1
    for _ in range(_NESTING):
        if not found or not _OPEN.search(text):
            break
        text, found = pattern.subn(lambda match: link_text(match[1], page), text)
    return text


def _unclosed(content: str, page: Page) -> str:
    return "" if is_hidden(content, page) else content.replace("|", " ")


def is_hidden(content: str, page: Page) -> bool:
    """Whether a link shows a file or sorts into a category: its words are not part of the text."""
    prefix, colon, _ = content.partition(":")
    return bool(colon) and _name(prefix) in page.hidden


def _name(prefix: str) -> str:
    """The name before a colon as names are compared."""
    return _known_name(prefix) if len(prefix) < _LONGEST_NAME else ""


@lru_cache(maxsize=1024)
def _known_name(prefix: str) -> str:
    return prefix.strip().replace("_", " ").lower()


def link_text(content: str, page: Page) -> str:
    """The words shown for `[[content]]`; empty for files, categories and links between languages."""
    target, pipe, label = content.partition("|")
    before, colon, _ = target.partition(":")
    prefix = _name(before) if colon else ""
    if prefix in page.hidden:
        return ""
    if (prefix in _SCHEMES or target.startswith("//")) and _URL.match(target):
        return content.partition(" ")[2]
    if prefix in LANGUAGES and prefix != page.lang:
        return ""
    if pipe:
        return label if label.strip() else _pipe_trick(target)
    return _shown_target(target, prefix)


def external_text(text: str) -> str:
    """Replace `[http://… label]` by its label, and by nothing where it has none."""
    return "".join(_EXTERNAL.split(text))  # text, label, text, …


def _shown_target(target: str, prefix: str) -> str:
    shown = target.strip(" ").removeprefix(":")
    named, colon, rest = shown.partition(":")
    if colon and (prefix in PROJECTS or (not prefix and named.strip().lower() in LANGUAGES)):
        shown = rest
    return shown.replace("_", " ").removeprefix("#") if "\n" not in shown else shown


def _pipe_trick(target: str) -> str:
    """`[[Help:Boston (band)|]]` shows `Boston`, `[[Boston, Massachusetts|]]` too."""
    shown = target.strip().removeprefix(":")
    shown = shown.partition(":")[2] if ":" in shown else shown
    without = _PARENTHESIS.sub("", shown)
    return without if without != shown else shown.partition(", ")[0]
