"""Magic words and parser functions: https://www.mediawiki.org/wiki/Help:Magic_words, …/Help:Extension:ParserFunctions.

Nothing depends on the clock or on other pages: what would, is empty.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelines.wikitext.page import Page
from pipelines.wikitext.templates.expressions import ExpressionError, evaluated
from pipelines.wikitext.templates.numbers import grouped

_TITLES = frozenset(
    {"pagename", "fullpagename", "basepagename", "subpagename", "pagenamee", "fullpagenamee", "rootpagename"}
)


def magic_word(head: str, page: Page) -> str | None:
    """`{{PAGENAME}}`; None for what is no magic word."""
    return page.title if head.lower() in _TITLES and head.isupper() else None


def is_function(head: str) -> bool:
    """Whether the part of a template before its first pipe calls a function."""
    name, colon, _ = head.strip().partition(":")
    return bool(colon) and name.lower() in _FUNCTIONS


def function_text(content: str, page: Page) -> str:
    """What `{{name:argument|…}}` shows."""
    name, _, rest = content.strip().partition(":")
    return _FUNCTIONS[name.lower()]([part.strip() for part in rest.split("|")], page)


def _number(given: list[str], page: Page) -> str:
    return given[0].replace(",", "") if given[1:] == ["R"] else grouped(given[0], page)


def _if(given: list[str], _: Page) -> str:
    return _nth(given, 1 if given[0] else 2)


def _if_equal(given: list[str], _: Page) -> str:
    return _nth(given, 2 if given[0] == _nth(given, 1) else 3)


def _if_expression(given: list[str], _: Page) -> str:
    try:
        return _nth(given, 1 if evaluated(given[0]) not in {"", "0"} else 2)
    except ExpressionError:
        return ""


def _expression(given: list[str], _: Page) -> str:
    try:
        return evaluated(given[0])
    except ExpressionError:
        return ""


def _switch(given: list[str], _: Page) -> str:
    """Cases fall through to the next that has a value; the default is `#default=` or a last value alone."""
    value, *cases = given
    found, default = False, ""
    for index, case in enumerate(cases):
        name, equals, shown = (word.strip() for word in case.partition("="))
        found = found or name == value
        if equals and found:
            return shown
        if equals and name == "#default":
            default = shown
        if not equals and index == len(cases) - 1:
            default = name
    return default


def _plural(given: list[str], _: Page) -> str:
    return _nth(given, 1 if given[0] == "1" else len(given) - 1)


def _nth(given: list[str], index: int) -> str:
    return given[index] if 0 <= index < len(given) else ""


def _changed(change: Callable[[str], str]) -> Callable[[list[str], Page], str]:
    return lambda given, _: change(given[0])


def _same(given: list[str], _: Page) -> str:
    return given[0]


_FUNCTIONS: dict[str, Callable[[list[str], Page], str]] = {
    "formatnum": _number,
    "lc": _changed(str.lower),
    "uc": _changed(str.upper),
    "lcfirst": _changed(lambda word: word[:1].lower() + word[1:]),
    "ucfirst": _changed(lambda word: word[:1].upper() + word[1:]),
    "#if": _if,
    "#ifeq": _if_equal,
    "#ifexpr": _if_expression,
    "#ifexist": lambda given, _: _nth(given, 1),
    "#iferror": lambda given, _: _nth(given, 2) or given[0],
    "#expr": _expression,
    "#switch": _switch,
    "plural": _plural,
    "grammar": lambda given, _: _nth(given, 1),
    "gender": lambda given, _: _nth(given, 1),
    "#formatdate": _same,
    "#dateformat": _same,
    "anchorencode": _same,
}
