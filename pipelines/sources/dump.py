"""The expat handler behind the Wikipedia reader: siteinfo and pages out of MediaWiki's export XML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import quote
from xml.parsers import expat

from pipelines.sources.records import SourceError

_SMALL_FIELD = 4096  # code points kept of a title, an id, a timestamp: all far shorter in a true dump
_MAX_DEPTH = 64  # the export schema is six levels deep
_SITE_FIELDS = {"dbname", "base"}
_PAGE_FIELDS = {"title", "ns", "id"}
_REVISION_FIELDS = {"timestamp", "model", "text"}


@dataclass(slots=True)
class Site:
    """What siteinfo and the root element say about the wiki."""

    lang: str | None = None
    dbname: str = ""
    base: str = ""
    namespaces: dict[int, str] = field(default_factory=dict)

    def url_of(self, title: str) -> str | None:
        """Address of a page, from the address of the main page."""
        if not self.base or not title:
            return None
        prefix = self.base.partition("/wiki/")[0] + "/wiki" if "/wiki/" in self.base else self.base.rpartition("/")[0]
        return f"{prefix}/{quote(title.replace(' ', '_'), safe='/:@!$*(),;~')}"

    def namespace_of(self, page: RawPage) -> int:
        """Number of the page's namespace; dumps before schema 0.6 tell it by the title alone."""
        if page.namespace.removeprefix("-").isdecimal():
            return int(page.namespace[:9])
        prefix = page.title.partition(":")[0] if ":" in page.title else ""
        return next((key for key, name in self.namespaces.items() if name and name == prefix), 0)


@dataclass(slots=True)
class RawPage:
    """A page as it stands in the dump; of several revisions the last."""

    number: int
    title: str = ""
    page_id: str = ""
    namespace: str = ""
    redirect: str | None = None
    model: str = ""
    timestamp: str = ""
    text: str = ""
    n_chars: int = 0

    @property
    def published_at(self) -> datetime | None:
        """Time of the revision, None where the dump holds none that can be read."""
        try:
            when = datetime.fromisoformat(self.timestamp)
        except ValueError:
            return None
        return when if when.tzinfo else None


class DumpHandler:
    """Collects completed pages; `take` hands them over after each piece fed."""

    def __init__(self, path: Path, *, max_chars: int) -> None:
        self.site = Site()
        self.page_end = 0  # bytes fed up to the end of the last page
        self.max_chars = max_chars
        self._path = path
        self._ready: list[RawPage] = []
        self._page = RawPage(0)
        self._stack: list[str] = []
        self._field = ""  # the element whose characters are collected, if any
        self._parts: list[str] = []
        self._length = 0
        self.count = 0
        self._parser = self._new_parser()

    def feed(self, data: bytes, final: bool) -> None:
        """Parse one more piece; raises ExpatError and SourceError."""
        self._parser.Parse(data, final)

    @property
    def between_pages(self) -> bool:
        """Whether what was fed so far ends inside the root element and outside any other."""
        return self._stack == ["mediawiki"]

    def take(self) -> Iterator[RawPage]:
        """Pages completed since the last call."""
        ready, self._ready = self._ready, []
        yield from ready

    def _new_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate("UTF-8")
        parser.buffer_text = True
        parser.buffer_size = 1 << 18
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        return parser

    def _doctype(self, *_: object) -> None:
        raise SourceError(
            f"{self._path} declares a DOCTYPE, which no MediaWiki dump does and which can hide an entity-expansion "
            "bomb: refused. Download the dump from its publisher.",
            reason="doctype",
        )

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._stack.append(name)
        depth = len(self._stack)
        if depth == 1:
            self._root(name, attributes)
        elif depth == 2 and name == "page":
            self.count += 1
            self._page = RawPage(self.count)
        elif depth == 3:
            self._start_third(name, attributes)
        elif depth == 4:
            self._start_fourth(name, attributes)
        elif depth > _MAX_DEPTH:
            raise self._not_mediawiki(f"elements nested {depth} deep")

    def _root(self, name: str, attributes: Mapping[str, str]) -> None:
        if name != "mediawiki":
            raise self._not_mediawiki(f"root element <{name[:40]}>, expected <mediawiki>")
        self.site.lang = attributes.get("xml:lang") or None

    def _start_third(self, name: str, attributes: Mapping[str, str]) -> None:
        parent = self._stack[1]
        if (parent == "page" and name in _PAGE_FIELDS) or (parent == "siteinfo" and name in _SITE_FIELDS):
            self._collect(name)
        elif parent == "page" and name == "redirect":
            self._page.redirect = attributes.get("title", "")
        elif parent == "page" and name == "revision":
            self._page.text, self._page.model, self._page.timestamp, self._page.n_chars = "", "", "", 0

    def _start_fourth(self, name: str, attributes: Mapping[str, str]) -> None:
        parent = self._stack[2]
        if parent == "revision" and name in _REVISION_FIELDS:
            self._collect(name)
        elif parent == "namespaces" and name == "namespace":
            self._collect(f"namespace {attributes.get('key', '')}")

    def _collect(self, field_name: str) -> None:
        self._field, self._parts, self._length = field_name, [], 0
        self._parser.CharacterDataHandler = self._text if field_name == "text" else self._characters

    def _characters(self, data: str) -> None:
        if self._length < _SMALL_FIELD:
            self._parts.append(data[:_SMALL_FIELD])
            self._length += len(data)

    def _text(self, data: str) -> None:
        """Count all characters; hold none of a page that is rejected anyway or too large."""
        self._length += len(data)
        if self._length > self.max_chars or self._page.redirect is not None or self._page.namespace not in {"", "0"}:
            self._parts.clear()
        else:
            self._parts.append(data)

    def _end(self, name: str) -> None:
        if self._field and name == self._field.partition(" ")[0]:
            self._store("".join(self._parts))
        elif len(self._stack) == 2 and name == "page":
            self._ready.append(self._page)
            self.page_end = self._parser.CurrentByteIndex + len("</page>")
        self._stack.pop()

    def _store(self, value: str) -> None:
        field_name, self._field, self._parts = self._field, "", []
        self._parser.CharacterDataHandler = None
        if field_name == "text":
            self._page.text, self._page.n_chars = value, self._length
        elif field_name.startswith("namespace "):
            self._store_namespace(field_name.removeprefix("namespace "), value)
        elif field_name in _SITE_FIELDS:
            setattr(self.site, field_name, value.strip())
        else:
            target = {"id": "page_id", "ns": "namespace"}.get(field_name, field_name)
            setattr(self._page, target, value.strip())

    def _store_namespace(self, key: str, name: str) -> None:
        if key.removeprefix("-").isdecimal() and name:
            self.site.namespaces[int(key[:9])] = name

    def _not_mediawiki(self, found: str) -> SourceError:
        return SourceError(
            f"{self._path} is XML but not a MediaWiki export ({found}). Give a dump such as pages-articles.xml.bz2.",
            reason="not_mediawiki",
        )
