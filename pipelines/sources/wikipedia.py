"""MediaWiki dumps (`pages-articles*.xml`, plain, bz2, gzip or xz) as a stream of records, one per page.

Memory depends on the longest page kept and not on the dump.
Format: https://www.mediawiki.org/wiki/Help:Export, schemas 0.3 to 0.11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from xml.parsers import expat

from data.progress import Progress, ignore
from pipelines.sources import plain_page
from pipelines.sources.dump import DumpHandler, RawPage, Site
from pipelines.sources.dump_pages import ROOT, DumpPages, Item, Lost, invalid_utf8, xml_error
from pipelines.sources.multistream import even, spans
from pipelines.sources.records import MAX_CHARS, Record, Reject, SourceError, failed, filtered
from pipelines.sources.splitter import START, Piece
from pipelines.sources.streams import Span, compression_of, salvaged, size_of

__all__ = ["Dump", "dump_of", "empty", "read", "records", "source_among", "span_pages", "spans_of"]

VERSION = 2

_SOURCE_NAME = re.compile(r"[A-Za-z0-9_.\-]+")
_DATED = re.compile(r"(?P<wiki>[a-z0-9_]+)-(?:[0-9]{8}|latest)-.*")
_DATE = re.compile(r"[-_.]?(?:[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}|latest)(?![0-9])")
_ENDING = re.compile(r"(?:\.(?:xml|bz2|gz|xz|zst))+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """What has to be known of a dump to make a record of one of its pages; `stream` where only a span is read."""

    path: Path
    name: str
    site: Site
    max_chars: int = MAX_CHARS
    salvage: bool = False
    stream: int | None = None

    def origin(self, where: str) -> str:
        """Where a record stands."""
        return f"{self.path.name}#{'' if self.stream is None else f'stream={self.stream},'}{where}"


def read(
    path: Path,
    *,
    source: str | None = None,
    max_chars: int = MAX_CHARS,
    limit: int | None = None,
    progress: Progress = ignore,
    salvage: bool = False,
) -> Iterator[Record]:
    """Yield exactly one record for each page of a dump, in the order of the dump.

    The source of the records is the database that the dump names, else `source`. `max_chars` is in
    code points; a longer page is rejected without being held. `limit` stops after that many pages.
    With `salvage`, what is damaged is a record that failed, and the rest is read.
    Raises SourceError where the file as a whole cannot be read.
    """
    path = Path(path)
    pages = DumpPages(path, max_chars=max_chars, progress=progress, salvage=salvage)
    done = 0
    for item in pages:
        dump = dump_of(pages, source, max_chars=max_chars, salvage=salvage)
        for record in records([item], dump):
            if limit is not None and done >= limit:
                return
            yield record
            done += 1
        if done == limit:
            return
    if not done:
        raise empty(path)


def dump_of(pages: DumpPages, source: str | None, *, max_chars: int, salvage: bool) -> Dump:
    """The dump whose first page has been reached. Raises SourceError where nothing names its source."""
    name = _source_name(source, pages.site, pages.path)
    return Dump(path=pages.path, name=name, site=pages.site, max_chars=max_chars, salvage=salvage)


def source_among(file: str, source: str) -> str:
    """The source of the pages of a file of several, where the dump does not name its database.

    So files whose pages have the same numbers are told apart. Of `ukwiki-20230501-pages-articles.xml` it is `ukwiki`,
    of `a/b.xml` in `source` it is `source-a-b`, and a hash stands for other than ASCII letters. A date decides nothing,
    so that a later dump has the same ids.
    """
    name = file.rpartition("/")[2]
    if found := _DATED.fullmatch(name):
        return found["wiki"]
    undated = _DATE.sub("", _ENDING.sub("", file))
    rest = re.sub(r"[^A-Za-z0-9_.\-]+", "-", undated).strip("-._")
    digits = "" if undated.isascii() else sha256(undated.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return "-".join(filter(None, (source, rest, digits)))


def span_pages(dump: Dump, span: Span) -> DumpPages:
    """The pages of some streams of a dump."""
    return DumpPages(
        dump.path,
        max_chars=dump.max_chars,
        salvage=dump.salvage,
        span=span,
        site=dump.site if span.start else None,
    )


def spans_of(path: Path, *, streams: int, size: int) -> list[Span]:
    """Ranges of the streams of a multistream dump that can be read apart, even in size; none for any other file.

    Each has at most `streams` streams and about `size` bytes. A dump whose streams do not begin with a page, as from a
    parallel compressor, has to be read in one go.
    """
    total = size_of(path)
    if compression_of(path) != "bz2":
        return []
    found = spans(path, streams=streams, size=even(total, size))
    return found if len(found) > 1 and _begins_with_page(path, found[1]) else []


def _begins_with_page(path: Path, span: Span) -> bool:
    start = next(salvaged(path, progress=ignore, span=span), b"")
    return isinstance(start, bytes) and start.lstrip().startswith(START)


def empty(path: Path) -> SourceError:
    """The error for a dump without a page."""
    return SourceError(f"{path} holds no page (empty dump). Download another dump.", reason="empty_dump")


def records(items: Iterable[Item], dump: Dump) -> Iterator[Record]:
    """A record for each page; without salvage a SourceError for one that cannot be parsed."""
    for item in items:
        for page in _pages(item, dump) if isinstance(item, Piece) else [item]:
            yield _lost(page, dump) if isinstance(page, Lost) else _record(page, dump)


def _pages(piece: Piece, dump: Dump) -> list[RawPage] | list[Lost]:
    """The page of a piece, read by expressions or by expat; in case of need, two that were taken for one."""
    try:
        page = plain_page.parse(piece.xml, piece.number, max_chars=dump.max_chars)
        return [page] if page else _parsed(piece, dump)
    except UnicodeDecodeError as error:
        problem = invalid_utf8(dump.path, error, piece.byte)
    except expat.ExpatError as error:
        problem = xml_error(dump.path, error, piece.line - 1, final=False)
    except SourceError as error:
        problem = error
    if not dump.salvage:
        raise problem
    return [Lost(problem.reason, str(problem), piece.byte)]


def _parsed(piece: Piece, dump: Dump) -> list[RawPage]:
    handler = DumpHandler(dump.path, max_chars=dump.max_chars)
    handler.count = piece.number - 1
    handler.feed(ROOT, False)
    handler.feed(piece.xml, False)
    handler.feed(b"</mediawiki>", True)
    return list(handler.take())


def _lost(lost: Lost, dump: Dump) -> Record:
    """A record for what could not be read, be it one page or the rest of a file; it names no folder of this machine."""
    detail = lost.detail.replace(str(dump.path), dump.path.name)
    return Record(
        doc_id=None,
        source=dump.name,
        origin=dump.origin(f"byte={lost.byte}"),
        reject=failed(lost.reason, f"from byte {lost.byte} of the XML: {detail}"[:500]),
    )


def _record(page: RawPage, dump: Dump) -> Record:
    """The record of a page; a page that is rejected carries no text."""
    page_id = page.page_id if page.page_id.isascii() and page.page_id.isdigit() else None
    reject = _reject(page, dump) if page_id else failed("no_page_id", f"id {page.page_id[:40]!r}")
    return Record(
        doc_id=f"{dump.name}:{page_id}" if page_id else None,
        source=dump.name,
        origin=f"{dump.path.name}#page={page_id}" if page_id else dump.origin(f"page=number-{page.number}"),
        title=page.title or None,
        url=dump.site.url_of(page.title),
        lang_declared=dump.site.lang,
        published_at=page.published_at,
        text="" if reject else page.text,
        markup="wikitext",
        namespaces=dump.site.namespaces,
        n_chars=page.n_chars,
        reject=reject,
    )


def _reject(page: RawPage, dump: Dump) -> Reject | None:
    namespace = dump.site.namespace_of(page)
    if namespace != 0:
        return filtered("other_namespace", f"namespace {namespace}")
    if page.redirect is not None:
        return filtered("redirect", f"to {page.redirect}" if page.redirect else None)
    if page.model not in {"", "wikitext"}:
        return filtered("not_wikitext", f"model {page.model}")
    if page.n_chars > dump.max_chars:
        return failed("page_too_large", f"{page.n_chars} characters, at most {dump.max_chars}")
    return None if page.text.strip() else filtered("no_text")


def _source_name(source: str | None, site: Site, path: Path) -> str:
    name = site.dbname
    for known in (name, source or ""):
        if _SOURCE_NAME.fullmatch(known):
            return known
    found = f"names its database {name[:40]!r}" if name else "does not name its database (siteinfo/dbname)"
    raise SourceError(f"{path} {found}. Name the source yourself (letters, digits, . _ -).", reason="no_source_name")
