"""Elements whose content is no wikitext, or no part of the text: notes, formulas, pictures, code, data."""

from __future__ import annotations

import html
import re

from pipelines.wikitext import markers
from pipelines.wikitext.names import listed
from pipelines.wikitext.page import Page

_NAMES = listed(
    "nowiki math chem ce gallery source syntaxhighlight pre timeline score hiero imagemap graph chart mapframe "
    "maplink inputbox categorytree templatedata templatestyles references indicator section rss quiz listing "
    "script style charinsert includeonly"
)
# The commonest tags are told apart first: a pattern without regard to case tries all names at each.
_OPEN = re.compile(rf"<(?!/|!|br|(?-i:ref)[ />])({'|'.join(_NAMES)})\b([^<>]*+)>", re.IGNORECASE)
_FORMULAS = frozenset({"math", "chem", "ce"})

# A note ends where the next note or heading begins, if it was not closed before.
_REF = re.compile(
    r"<(?i:ref)(?:[\s/][^<>]*+)?(?:(?<=/)>|(?<!/)>"
    r"[^<\n]*+(?:(?:<(?!/?(?i:ref)[\s/>])|\n(?!==))[^<\n]*+)*+</(?i:ref)\s*+>)"
)
_REF_LEFT = re.compile(r"<(?i:ref)(?:[\s/][^<>]*+)?>[^\n]*")
_SIMPLE = re.compile(r"[\w\s+\-*/=<>(),.|!'′%:]{1,60}")
_STYLE = re.compile(r"\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits)\b ?")


def without_elements(text: str, page: Page) -> str:
    """Drop or render these elements; one left open costs the rest of its line, `<nowiki>` its tag alone."""
    if "<" not in text:
        return text
    text = _rendered(text, page)
    return _REF_LEFT.sub("", _REF.sub("", text))


def _rendered(text: str, page: Page) -> str:
    kept: list[str] = []
    position = 0
    closings = _Closings(text)
    while opening := _OPEN.search(text, position):
        kept.append(text[position : opening.start()])
        name = opening[1].lower()
        position = opening.end()
        if opening[2].endswith("/"):
            continue
        end = closings.after(name, position)
        if end:
            kept.append(_shown(name, opening[2], text[position : end.start()], page))
            position = end.end()
        elif name != "nowiki":
            line_end = text.find("\n", position)
            position = len(text) if line_end < 0 else line_end
    kept.append(text[position:])
    return "".join(kept) if len(kept) > 1 else text


class _Closings:
    """Finds closing tags; a name that is never closed again is looked for once, so that time stays linear."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._missing: set[str] = set()

    def after(self, name: str, position: int) -> re.Match[str] | None:
        """The first `</name>` from there on."""
        if name in self._missing:
            return None
        found = re.compile(rf"</{name}\s*+>", re.IGNORECASE).search(self._text, position)
        if not found:
            self._missing.add(name)
        return found


def _shown(name: str, attributes: str, content: str, page: Page) -> str:
    if name == "nowiki":
        return markers.protect(content)
    if name == "syntaxhighlight" and "inline" in attributes:
        return markers.protect(content.strip())
    if name in _FORMULAS:
        return formula(content, page)
    return ""


def formula(content: str, page: Page) -> str:
    """A formula that reads the same as text (`x`, `n + 1`) as it is; one that needs TeX as LaTeX, or not at all.

    Neighbouring braces are set apart, which means the same to TeX and cannot be taken for a template.
    """
    content = " ".join(_STYLE.sub("", html.unescape(content)).split())
    if page.math == "drop" and not (_SIMPLE.fullmatch(content) and "_" not in content):
        return ""
    for pair in ("{{", "}}", "[[", "]]"):
        while pair in content:
            content = content.replace(pair, f"{pair[0]} {pair[1]}")
    return markers.protect(markers.without_marks(content))
