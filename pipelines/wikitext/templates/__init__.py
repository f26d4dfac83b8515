"""The templates whose words belong to the sentence around them, of many languages; all others are removed.

A new one goes into the table of its kind: `words`, `numbers`, `dates`, `foreign`.
"""

from __future__ import annotations

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


def template_text(content: str, page: Page) -> str:
    """The words that `{{content}}` leaves in the text; empty for a template that is not known."""
    head, _, rest = content.partition("|")
    if ":" in head and is_function(head):
        return function_text(content, page)
    word = magic_word(head.strip(), page)
    if word is not None:
        return word
    render = _renderer(head)
    return render(parsed(rest), page) if render else ""


def is_content(start: str) -> bool:
    """Whether a template so begun leaves words in the text."""
    head = start.partition("|")[0]
    return _renderer(head) is not None or (":" in head and is_function(head)) or head.strip().lower() in _MAGIC


def _renderer(head: str) -> Renderer | None:
    return _named(head) if len(head) < _LONGEST_NAME else None


@lru_cache(maxsize=4096)
def _named(head: str) -> Renderer | None:
    name = head.strip().replace("_", " ").lower()
    return RENDERERS.get(name) or by_pattern(name)
