"""HTML tags: what they leave in the text."""

from __future__ import annotations

import re

from pipelines.wikitext import markers
from pipelines.wikitext.names import listed

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)([^<>]*+)>")
_HTML_TABLE = re.compile(r"<(?:table|TABLE)")
_PARAGRAPHS = listed("p div blockquote center dl ul ol h1 h2 h3 h4 h5 h6 noinclude onlyinclude hr caption")
_LINES = listed("li dt dd")
_PLAIN = listed(
    "b i u s em strong small big span font tt code kbd samp var cite abbr acronym dfn q del ins strike "
    "sub bdi bdo ruby rb rt thead tbody tfoot col colgroup mark time data wbr nobr a img label "
    "translate tvar rbc rtc languages ref references nowiki includeonly gallery math poem table tr rp"
)
_SHOWN = (
    dict.fromkeys(_PLAIN, "")
    | dict.fromkeys(_PARAGRAPHS, "\n\n")
    | dict.fromkeys(_LINES, markers.BREAK)
    | {"br": markers.BREAK, "td": " ", "th": " ", "sup": markers.SUP_ON, "poem": f"\n\n{markers.POEM_ON}"}
)
_CLOSED = (
    _SHOWN
    | {
        "td": "",
        "th": "",
        "sup": markers.SUP_OFF,
        "poem": f"{markers.POEM_OFF}\n\n",
    }
    | dict.fromkeys(_LINES, "")
)
_TABLE = {"table": "\n{|\n", "tr": "\n|-\n", "td": "\n|", "th": "\n!", "caption": "\n|+"}
_TABLE_CLOSED = {"table": "\n|}\n", "tr": "", "td": "", "th": "", "caption": ""}

_SUPERSCRIPT = re.compile(f"{markers.SUP_ON}([0-9+\\-−n]{{1,12}}){markers.SUP_OFF}")
_SUPERSCRIPTS = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_STRAY = re.compile(f"[{markers.SUP_ON}{markers.SUP_OFF}]")


def without_tags(text: str) -> str:
    """Tags that MediaWiki knows become breaks, marks or nothing; HTML tables become wiki tables; others stay."""
    if "<" not in text:
        return text
    tables = _HTML_TABLE.search(text)
    opened = _SHOWN | _TABLE if tables else _SHOWN
    closed = _CLOSED | _TABLE_CLOSED if tables else _CLOSED

    def shown(tag: re.Match[str]) -> str:
        name = tag[2]
        known = (closed if tag[1] else opened).get(name)
        if known is None:
            known = (closed if tag[1] else opened).get(name.lower())
        return tag[0] if known is None else known

    return _TAG.sub(shown, text)


def superscripts(text: str) -> str:
    """`10<sup>6</sup>` is 10⁶ and not 106; superscript words stay on the line."""
    if markers.SUP_ON not in text and markers.SUP_OFF not in text:
        return text
    raised = _SUPERSCRIPT.sub(lambda match: match[1].translate(_SUPERSCRIPTS), text)
    return _STRAY.sub("", raised)
