"""Markup that is left in extracted text, and the words of a text: what `benchmarks.extraction` counts.

Residue is what `FAULTS` matches, unless the same characters stand in the page's own literal text: inside <nowiki>,
<code>, <math> and the like, in a template for code, or written with entities.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter

TAGS = (
    "ref|br|span|div|small|big|sup|sub|center|table|tr|td|th|gallery|nowiki|math|poem|blockquote|code|pre|font|b|i|u|s|p|"
    "li|ul|ol|references|includeonly|noinclude|onlyinclude|source|syntaxhighlight|timeline|section|tt|cite|hr"
)
FAULTS = {
    "template braces": re.compile(r"\{\{+|\}\}+"),
    "link brackets": re.compile(r"\[\[|\]\]"),
    "external link": re.compile(r"\[(?:https?:)?//\S*"),
    "table pipes": re.compile(r"^[ \t]*(?:\||\{\||!!).*|\|\||\{\||\|\}", re.MULTILINE),
    "tag": re.compile(rf"</?(?:{TAGS})\b[^<>]*>", re.IGNORECASE),
    "bold or italic": re.compile(r"''+"),
    "magic word": re.compile(r"__[A-Z]{3,}__|\bDEFAULTSORT:"),
    "entity": re.compile(r"&(?:nbsp|lt|gt|amp|quot|ndash|mdash|thinsp|#\d{1,6}|#x[0-9a-fA-F]{1,5});"),
    "heading": re.compile(r"^==+[^=\n].*==+$", re.MULTILINE),
    "comment": re.compile(r"<!--"),
    "language converter": re.compile(r"-\{[^{}\n]*\}-"),
}
LITERAL = re.compile(
    r"<(nowiki|code|math|chem|pre|source|syntaxhighlight|tt|kbd|samp)\b[^<>]*>(.*?)</\1>", re.DOTALL | re.IGNORECASE
)
CODE_TEMPLATE = re.compile(r"\{\{\s*(?:code|mono|kbd|tl|tlx|mã)\s*\|([^{}]*)", re.IGNORECASE)
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")


def faults_of(text: str, wikitext: str) -> list[tuple[str, str]]:
    """Kind of each fault, and the text around it."""
    found = [(kind, match) for kind, pattern in FAULTS.items() for match in pattern.finditer(text)]
    if not found:
        return []
    literal = literal_text(wikitext)
    return [
        (kind, text[max(0, match.start() - 30) : match.end() + 30].replace("\n", "⏎"))
        for kind, match in found
        if is_fault(match[0].strip(), wikitext, literal)
    ]


def literal_text(wikitext: str) -> str:
    """What a page shows as it is written."""
    literal = html.unescape(html.unescape("\n".join(match[2] for match in LITERAL.finditer(wikitext))))
    return literal + "\n".join(CODE_TEMPLATE.findall(wikitext)) + re.sub(r"\s+", " ", literal)


def is_fault(found: str, wikitext: str, literal: str) -> bool:
    """Whether characters are markup: not in the literal text, and not made of entities."""
    is_escaped = html.escape(found, quote=False) in wikitext and found not in wikitext
    return found not in literal and not is_escaped


def words_of(text: str) -> Counter[str]:
    """Words of a text and how often each stands there: runs of letters and digits, or unspaced characters."""
    return Counter(WORD.findall(unicodedata.normalize("NFC", text)))
