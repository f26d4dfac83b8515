"""The templates whose words belong to the sentence around them, of many languages; all others are removed.

A new one goes into the table of its kind: `words`, `numbers`, `dates`, `foreign`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from pipelines.wikitext.page import Page
from pipelines.wikitext.templates.arguments import Renderer, parsed
from pipelines.wikitext.templates.dates import DATES
from pipelines.wikitext.templates.foreign import FOREIGN, by_pattern
from pipelines.wikitext.templates.functions import function_text, is_function, magic_word
from pipelines.wikitext.templates.numbers import NUMBERS
from pipelines.wikitext.templates.words import WORDS

RENDERERS: dict[str, Renderer] = {**WORDS, **DATES, **NUMBERS, **FOREIGN}
_MAGIC = frozenset({"pagename", "fullpagename", "basepagename", "subpagename"})
_LONGEST_NAME = 200
_Shown = Callable[[str, Page], str]


def template_text(content: str, page: Page) -> str:
    """The words that `{{content}}` leaves in the text; empty for a template that is not known."""
    head = content.partition("|")[0]
    shown = _named(head) if len(head) < _LONGEST_NAME else _found(head)
    return shown(content, page) if shown else ""


def is_content(start: str) -> bool:
    """Whether a template so begun leaves words in the text."""
    head = start.partition("|")[0]
    return (_named(head) if len(head) < _LONGEST_NAME else _found(head)) is not None


def _found(head: str) -> _Shown | None:
    """What makes text of a template, told by all that stands before its first pipe."""
    if ":" in head and is_function(head):
        return function_text
    name = head.strip()
    if name.lower() in _MAGIC:
        return lambda _, page: magic_word(name, page) or ""
    render = _renderer(name) if len(head) < _LONGEST_NAME else None
    return None if render is None else lambda content, page: render(parsed(content.partition("|")[2]), page)


_named = lru_cache(maxsize=4096)(_found)


def _renderer(name: str) -> Renderer | None:
    name = name.replace("_", " ")
    return RENDERERS.get(name) or RENDERERS.get(name.lower()) or by_pattern(name.lower())
