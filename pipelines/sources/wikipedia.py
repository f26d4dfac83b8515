"""MediaWiki dumps (`pages-articles*.xml`, plain, bz2 or gzip) as a stream of records, one per page.

The XML goes to expat in pieces, so memory depends on the longest page kept and not on the dump.
Format: https://www.mediawiki.org/wiki/Help:Export, schemas 0.3 to 0.11.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from data.progress import Progress, ignore
from pipelines.sources.dump import DumpHandler, RawPage
from pipelines.sources.records import MAX_CHARS, Record, Reject, SourceError, failed, filtered
from pipelines.sources.streams import chunks

__all__ = ["read"]

_SOURCE_NAME = re.compile(r"[A-Za-z0-9_.\-]+")


def read(
    path: Path,
    *,
    source: str | None = None,
    max_chars: int = MAX_CHARS,
    limit: int | None = None,
    progress: Progress = ignore,
) -> Iterator[Record]:
    """Yield exactly one record for each page of a dump, in the order of the dump.

    The source of the records is the database that the dump names, else `source`. `max_chars` is in
    code points; a longer page is rejected without being held. `limit` stops after that many pages.
    Raises SourceError where the file as a whole cannot be read.
    """
    path = Path(path)
    handler = DumpHandler(path, max_chars=max_chars)
    done = 0
    for page in _pages(path, handler, progress):
        if limit is not None and done >= limit:
            return
        yield _record(page, handler, path, source)
        done += 1
        if done == limit:
            return
    if not done:
        raise SourceError(f"{path} holds no page (empty dump). Download another dump.", reason="empty_dump")


def _pages(path: Path, handler: DumpHandler, progress: Progress) -> Iterator[RawPage]:
    """Feed the file to the parser and yield pages as they are completed."""
    utf8 = codecs.getincrementaldecoder("utf-8")()
    seen = 0
    for data in chunks(path, progress=progress):
        if not seen:
            _check_start(data, path)
        _feed(handler, utf8, data, path, seen)
        seen += len(data)
        yield from handler.take()
    if not seen:
        raise SourceError(f"{path} holds no XML: it decompresses to nothing. Download it again.", reason="empty_file")
    _feed(handler, utf8, b"", path, seen, final=True)
    yield from handler.take()


def _check_start(data: bytes, path: Path) -> None:
    start = data.removeprefix(codecs.BOM_UTF8).lstrip()
    if start and not start.startswith(b"<"):
        raise SourceError(
            f"{path} is neither bz2, gzip nor XML (it starts with {data[:12]!r}). "
            "Give a MediaWiki dump such as pages-articles.xml.bz2.",
            reason="not_xml",
        )


def _feed(
    handler: DumpHandler, utf8: codecs.IncrementalDecoder, data: bytes, path: Path, offset: int, *, final: bool = False
) -> None:
    try:
        utf8.decode(data, final)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path} is not valid UTF-8 near byte {offset + error.start} of its XML ({error.reason}). "
            "Download it again and compare its checksum.",
            reason="invalid_utf8",
        ) from error
    try:
        handler.feed(data, final)
    except expat.ExpatError as error:
        raise _xml_error(path, error, final) from error


def _xml_error(path: Path, error: expat.ExpatError, final: bool) -> SourceError:
    if final:
        return SourceError(
            f"{path} is truncated: its XML ends at line {error.lineno} without </mediawiki>. Download it again.",
            reason="truncated_xml",
        )
    return SourceError(
        f"{path} is not well-formed XML at line {error.lineno}: {expat.ErrorString(error.code)}. Download it again.",
        reason="malformed_xml",
    )


def _record(page: RawPage, handler: DumpHandler, path: Path, source: str | None) -> Record:
    """The record of a page; a page that is rejected carries no text."""
    name = _source_name(source, handler, path)
    page_id = page.page_id if page.page_id.isascii() and page.page_id.isdigit() else None
    reject = _reject(page, handler) if page_id else failed("no_page_id", f"id {page.page_id[:40]!r}")
    return Record(
        doc_id=f"{name}:{page_id}" if page_id else None,
        source=name,
        origin=f"{path.name}#page={page_id or f'number-{page.number}'}",
        title=page.title or None,
        url=handler.site.url_of(page.title),
        lang_declared=handler.site.lang,
        published_at=page.published_at,
        text="" if reject else page.text,
        markup="wikitext",
        namespaces=handler.site.namespaces,
        n_chars=page.n_chars,
        reject=reject,
    )


def _reject(page: RawPage, handler: DumpHandler) -> Reject | None:
    namespace = handler.site.namespace_of(page)
    if namespace != 0:
        return filtered("other_namespace", f"namespace {namespace}")
    if page.redirect is not None:
        return filtered("redirect", f"to {page.redirect}" if page.redirect else None)
    if page.model not in {"", "wikitext"}:
        return filtered("not_wikitext", f"model {page.model}")
    if page.n_chars > handler.max_chars:
        return failed("page_too_large", f"{page.n_chars} characters, at most {handler.max_chars}")
    return None if page.text.strip() else filtered("no_text")


def _source_name(source: str | None, handler: DumpHandler, path: Path) -> str:
    name = handler.site.dbname
    for known in (name, source or ""):
        if _SOURCE_NAME.fullmatch(known):
            return known
    found = f"names its database {name[:40]!r}" if name else "does not name its database (siteinfo/dbname)"
    raise SourceError(f"{path} {found}. Name the source yourself (letters, digits, . _ -).", reason="no_source_name")
