"""The XML of one page, read by regular expressions where it is laid out as MediaWiki writes it.

The layout is that of the export schemas 0.3 to 0.11 with one revision per page. Nothing that a parser would refuse is
let through: what does not fit to the letter is left to expat. Each expression is one pass without backtracking over
more than a tag.
"""

from __future__ import annotations

import re

from pipelines.sources.dump import RawPage

_SMALL_FIELD = 4096
_ENTITIES = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&"}
# What XML 1.0 forbids, and a carriage return, which a parser would change.
_CONTROLS = bytes(sorted({*range(32)} - {9, 10}))
_NO_CHARACTERS = ("\ufffe", "\uffff")
_ENTITY = re.compile("&(lt|gt|quot|apos|amp);")
_UNKNOWN_ENTITY = re.compile("&(?!(?:lt|gt|quot|apos|amp);)")
_TEXT_END = "</text>"
_HEAD = re.compile(
    r"""\s*<page>\s*<title>(?P<title>[^<>]*)</title>\s*
    (?:<ns>(?P<ns>-?[0-9]{1,9})</ns>\s*)?
    <id>(?P<id>[0-9]+)</id>\s*
    (?:<redirect[ ]title="(?P<redirect>[^"<>\t\n]*)"[ ]?/>\s*)?
    (?P<bare><redirect[ ]?/>\s*)?
    (?:<restrictions>[^<>]*</restrictions>\s*)?
    <revision>\s*<id>[0-9]+</id>\s*
    (?:<parentid>[0-9]+</parentid>\s*)?
    <timestamp>(?P<timestamp>[^<>]*)</timestamp>\s*
    (?:<contributor>\s*
        (?:<username>[^<>]*</username>\s*<id>[0-9]+</id>|<ip>[^<>]*</ip>|<username[ ]?/>\s*<id>[0-9]+</id>)\s*
    </contributor>\s*|<contributor[ ]deleted="deleted"[ ]?/>\s*)?
    (?:<minor[ ]?/>\s*)?
    (?:<comment>[^<>]*</comment>\s*|<comment[ ]deleted="deleted"[ ]?/>\s*)?
    (?:<origin>[0-9]+</origin>\s*)?
    (?:<model>(?P<model>[^<>]*)</model>\s*)?
    (?:<format>[^<>]*</format>\s*)?
    <text(?:[ ]bytes="[0-9]*")?(?:[ ]sha1="[0-9a-z]*")?(?:[ ]xml:space="preserve")?(?:[ ]?(?P<empty>/)>|>)""",
    re.VERBOSE | re.ASCII,
)
_TAIL = re.compile(
    r"""(?:</text>)?\s*
    (?:<sha1>[^<>]*</sha1>\s*|<sha1[ ]?/>\s*)?
    (?:<model>(?P<model>[^<>]*)</model>\s*)?
    (?:<format>[^<>]*</format>\s*)?
    </revision>\s*</page>""",
    re.VERBOSE | re.ASCII,
)


def parse(xml: bytes, number: int, *, max_chars: int) -> RawPage | None:
    """The page, None where a real parser has to look. Raises UnicodeDecodeError."""
    page = xml.decode("utf-8")
    if len(xml.translate(None, _CONTROLS)) != len(xml) or any(c in page for c in _NO_CHARACTERS):
        return None
    head = _HEAD.match(page)
    if head is None or len(head["title"]) > _SMALL_FIELD or (head["bare"] and head["redirect"] is not None):
        return None
    start = head.end()
    stop = start if head["empty"] else page.find("<", start)
    tail = _TAIL.fullmatch(page, stop)
    if tail is None or page.startswith(_TEXT_END, stop) == bool(head["empty"]) or page.find(">", start, stop) >= 0:
        return None
    if tail["model"] is not None and head["model"] is not None:
        return None
    if _UNKNOWN_ENTITY.search(page):
        return None
    return _page(head, tail["model"] or head["model"] or "", page[start:stop], number, max_chars)


def _page(head: re.Match[str], model: str, text: str, number: int, max_chars: int) -> RawPage:
    redirect = "" if head["bare"] else head["redirect"]
    page = RawPage(
        number,
        title=unescape(head["title"]).strip(),
        page_id=head["id"],
        namespace=head["ns"] or "",
        redirect=None if redirect is None else unescape(redirect),
        model=unescape(model).strip(),
        timestamp=unescape(head["timestamp"]).strip(),
    )
    content = unescape(text)
    page.n_chars = len(content)
    if page.n_chars <= max_chars and page.redirect is None and page.namespace in {"", "0"}:
        page.text = content
    return page


def unescape(text: str) -> str:
    """Text with the five entities of XML replaced."""
    if "&" not in text:
        return text
    pieces = _ENTITY.split(text)
    pieces[1::2] = map(_ENTITIES.__getitem__, pieces[1::2])
    return "".join(pieces)
