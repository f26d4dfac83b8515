"""The main text of a web page, without menus, advertisements and comments, and what the page says of itself.

Method: trafilatura (Barbaresi 2021, https://aclanthology.org/2021.acl-demo.15), which falls back on readability and
jusText where its own rules find little. Nothing here depends on the clock or on what was read before.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate
from typing import Any

from pipelines.sources.meta import meta_json
from pipelines.sources.records import Record, failed, filtered
from pipelines.sources.values import string_of, time_of
from pipelines.wikitext.blocks import plain_text

VERSION = 2
_DATES = {"extensive_search": False, "original_date": True, "min_date": "1990-01-01", "max_date": "2100-01-01"}
"""Dates that the page declares: a search of its text would guess, and a limit of today would change by the day."""
_PAGE = re.compile(r"<(?:!doctype|html|head|body|title)\b", re.IGNORECASE)
_START = 10_000  # characters in which a whole page has said that it is one
_ABOUT = ("author", "sitename", "description")
_MARKS = [chr(code) for code in range(0x2400, 0x2427)]
"""Pictures of control characters: text has none of them, or at least not all."""


Heading = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class Page:
    """What was found on a page. `lang` is as the page declares it; `about` are author, site name and description.

    `headings` of the text, in order: level (1 to 6), words, and where in the text they begin.
    """

    text: str
    headings: tuple[Heading, ...] = ()
    title: str | None = None
    url: str | None = None
    lang: str | None = None
    published_at: datetime | None = None
    about: str | None = None


def with_main_text(record: Record) -> Record:
    """The record with its main text in place of its HTML; what the source told goes before what the page says.

    Records that are no web pages, or are rejected already, are returned as they are. A page without main text is
    rejected as `no_main_text`; whatever else goes wrong on it is a reject too.
    """
    if record.markup != "html" or record.reject:
        return record
    try:
        page = main_text(record.text, url=record.url)
    except Exception as error:  # one bad page must not end the run; the reject names what happened
        return replace(record, text="", reject=failed("extraction_error", f"{type(error).__name__}: {error}"[:500]))
    return replace(
        record,
        text=page.text,
        headings=page.headings,
        title=record.title or page.title,
        url=record.url or page.url,
        lang_declared=record.lang_declared or page.lang,
        published_at=record.published_at or page.published_at,
        meta=_merged(record.meta, page.about),
        reject=None if page.text else filtered("no_main_text"),
    )


def main_text(html: str, *, url: str | None = None) -> Page:
    """Main text and metadata of a page; the text is empty where there is none. `url`: where it was fetched."""
    import trafilatura

    tree = _tree(html)
    if tree is None:
        return Page("")
    lang = tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or tree.get("xml:lang")
    found: Any = trafilatura.bare_extraction(
        tree, url=url, include_comments=False, with_metadata=True, date_extraction_params=dict(_DATES)
    )
    if found is None:
        return Page("", lang=string_of(lang))
    text = plain_text(found.text or "")
    return Page(
        text=text,
        headings=_headings(found.body, text),
        title=string_of(found.title),
        url=string_of(found.url),
        lang=string_of(lang),
        published_at=time_of(found.date),
        about=meta_json({name: string_of(getattr(found, name)) for name in _ABOUT}),
    )


def _tree(html: str) -> Any:
    """The parsed page, None where it is blank. Raises ValueError where the parser gave up and so lost text."""
    from lxml.html import HTMLParser, document_fromstring  # type: ignore[import-untyped]

    if not html.strip():
        return None
    if not _PAGE.search(html[:_START]):  # a fragment, as columns of tables hold
        html = f"<html><body><article>{html}</article></body></html>"
    parser = HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, collect_ids=False)
    tree = document_fromstring(html.encode("utf-8"), parser=parser, ensure_head_body=True)
    if any(entry.level_name == "FATAL" for entry in parser.error_log):
        raise ValueError(f"the page cannot be parsed: {parser.error_log[-1].message.strip()}")
    return tree


def _headings(body: Any, text: str) -> tuple[Heading, ...]:
    """Where the headings of the main text begin: it is written a second time with a mark before each of them.

    None where that is not the same text, or every mark stands in it. Headings in tables and lists are no sections.
    """
    from trafilatura.xml import xmltotxt

    mark = next((mark for mark in _MARKS if mark not in text), None)
    heads = [head for head in body.iter("head") if not any(True for _ in head.iterancestors("cell", "item"))]
    if mark is None or not heads:
        return ()
    marked = [head for head in heads if _prefix(head, mark)]
    first, *rest = plain_text(xmltotxt(body, include_formatting=False)).split(mark)
    if "".join((first, *rest)) != text or len(rest) != len(marked):
        return ()
    starts = accumulate(map(len, rest[:-1]), initial=len(first))
    return tuple((_level(head), _words(head, mark), start) for head, start in zip(marked, starts, strict=True))


def _prefix(head: Any, mark: str) -> bool:
    """Put the mark before the first letter of a heading; False where it has none."""
    for element in head.iter():
        for place in ("text", "tail"):
            words = getattr(element, place) or ""
            if words.strip() and (place == "text" or element is not head):
                setattr(element, place, words.replace(first := words.split(maxsplit=1)[0], mark + first, 1))
                return True
    return False


def _level(head: Any) -> int:
    found = re.search(r"[1-6]", head.get("rend") or "")
    return int(found[0]) if found else 1


def _words(head: Any, mark: str) -> str:
    return plain_text(" ".join(" ".join(head.itertext()).replace(mark, "").split()))


def _merged(first: str | None, second: str | None) -> str | None:
    if not first or not second:
        return first or second
    return meta_json({**json.loads(second), **json.loads(first)})
