"""What becomes of HTML and extension tags."""

from __future__ import annotations

import re

from pipelines.wikitext import markers
from pipelines.wikitext.names import listed

# Elements removed with their content: notes, formulas, pictures, code, data.
DROPPED = frozenset(
    listed(
        "ref math chem ce gallery source syntaxhighlight pre timeline score hiero imagemap graph chart "
        "mapframe maplink inputbox categorytree templatedata templatestyles references indicator section rss "
        "quiz listing script style charinsert includeonly "
    )
)

_PARAGRAPHS = listed("p div blockquote center dl ul ol h1 h2 h3 h4 h5 h6 noinclude onlyinclude hr caption")
BLOCKS = dict.fromkeys(_PARAGRAPHS, "\n\n") | dict.fromkeys(listed("li dt dd tr"), "\n") | {"br": markers.BREAK}

_PLAIN = listed(
    "b i u s em strong small big span font tt code kbd samp var cite abbr acronym dfn q del ins strike "
    "sub bdi bdo ruby rb rp rt td th thead tbody tfoot col colgroup mark time data wbr nobr a img label "
    "translate tvar rbc rtc languages ref noinclude onlyinclude "
)
INLINE = dict.fromkeys(_PLAIN, ("", "")) | {
    "sup": (markers.SUP_ON, markers.SUP_OFF),
    "poem": (f"\n\n{markers.POEM_ON}", f"{markers.POEM_OFF}\n\n"),
    "td": (" ", ""),
    "th": (" ", ""),
}

_SIMPLE = re.compile(r"[\w\s+\-*/=<>(),.|!'′%:]{1,60}")
_SUPERSCRIPT = re.compile(f"{markers.SUP_ON}([0-9+\\-−n]{{1,12}}){markers.SUP_OFF}")
_SUPERSCRIPTS = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_STRAY = re.compile(f"[{markers.SUP_ON}{markers.SUP_OFF}]")


def simple_math(content: str) -> str:
    """A formula that reads the same as text (`x`, `n + 1`), and nothing for one that needs TeX."""
    return markers.protect(content.strip()) if _SIMPLE.fullmatch(content) and "_" not in content else ""


def superscripts(text: str) -> str:
    """`10<sup>6</sup>` is 10⁶ and not 106; superscript words stay on the line."""
    if markers.SUP_ON not in text and markers.SUP_OFF not in text:
        return text
    raised = _SUPERSCRIPT.sub(lambda match: match[1].translate(_SUPERSCRIPTS), text)
    return _STRAY.sub("", raised)
