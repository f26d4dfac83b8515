"""The pages of a dump, or of a range of its streams: cut out where that is safe, by expat where it is not.

Up to the first page, after the last one, and from where the splitter gives up, expat reads, so that a file which is
no plain export is judged by a real parser and by it alone.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from data.progress import Progress, ignore
from pipelines.sources.dump import DumpHandler, RawPage, Site
from pipelines.sources.multistream import stream_starts
from pipelines.sources.records import SourceError
from pipelines.sources.splitter import START, Piece, Splitter
from pipelines.sources.streams import Gap, Span, chunks, salvaged

ROOT = b"<mediawiki>"
_ROOT_END = b"</mediawiki>"
_HEAD_BYTES = 1 << 20
_DECLARATION = re.compile(rb"\s*<\?xml [^<>]*\?>")
_INDEX_LINE = re.compile(rb"\d+:\d+:")
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True, slots=True)
class Lost:
    """What could not be read: `byte` of the XML at which it begins."""

    reason: str
    detail: str
    byte: int


Item = Piece | RawPage | Lost


class DumpPages:
    """Iterates over the pages of a file; `site` is known before the first.

    With a `span`, reads these compressed streams alone: they hold whole pages, and `site` is given unless they begin
    the file. With `salvage`, what is damaged is `Lost` and reading goes on; else it is a SourceError.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_chars: int,
        progress: Progress = ignore,
        salvage: bool = False,
        span: Span | None = None,
        site: Site | None = None,
    ) -> None:
        self.path = path
        self._salvage = salvage
        self._progress = progress
        self._span = span
        self._max_chars = max_chars
        self._handler = DumpHandler(path, max_chars=max_chars)
        self._has_site = site is not None
        self.site = site or self._handler.site
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._fed = [0, 0]  # bytes and lines that expat has seen
        self._rootless = False
        self._no_head: Gap | None = None
        self._in_gap = False

    def __iter__(self) -> Iterator[Item]:
        data = self._transcoded(self._bytes())
        splitter = self._given_site() if self._has_site else self._head(data)
        if self._no_head:
            yield self._gap(self._no_head, splitter)
        yield from self._split(splitter, data) if self._handler.between_pages else self._take_over(splitter, data)

    def _bytes(self) -> Iterator[bytes | Gap]:
        if self._salvage:
            return salvaged(self.path, progress=self._progress, span=self._span)
        return iter(chunks(self.path, progress=self._progress, span=self._span))

    def _transcoded(self, data: Iterator[bytes | Gap]) -> Iterator[bytes | Gap]:
        """The data in UTF-8, also where it is UTF-16 with a byte-order mark."""
        first = next(data, b"")
        encoding = None if isinstance(first, Gap) else _UTF16.get(first[:2])
        if isinstance(first, Gap) or encoding is None:
            yield first
            yield from data
            return
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            yield decoder.decode(first[2:]).encode("utf-8")
            for item in data:
                yield item if isinstance(item, Gap) else decoder.decode(item).encode("utf-8")
            decoder.decode(b"", final=True)
        except UnicodeError as error:
            raise self._error(f"is not valid UTF-16 ({error}). Download it again.", "invalid_utf16") from error

    def _given_site(self) -> Splitter:
        self._feed(ROOT)
        return Splitter(byte=0, line=1)

    def _head(self, data: Iterator[bytes | Gap]) -> Splitter:
        """Read what stands before the first page; the splitter that goes on, without rest where expat has to."""
        held = self._first_bytes(data)
        if self._no_head:
            self._rootless = True
            return self._given_site()
        cut = held.find(START)
        if self._salvage and held.lstrip().startswith(START):
            self._feed(ROOT)
            self._rootless = True
        head = held[:cut] if cut >= 0 and _is_plain(held[:cut]) else held
        self._feed(head)
        if head is not held and not self._handler.between_pages:
            self._feed(held[cut:])
            head = held
        splitter = Splitter(byte=len(head), line=1 + head.count(b"\n"))
        splitter.rest = held[len(head) :]
        return splitter

    def _first_bytes(self, data: Iterator[bytes | Gap]) -> bytes:
        """What comes up to the first page; nothing where it is damaged, and salvaging goes on after the gap."""
        held = b""
        for item in data:
            if isinstance(item, Gap):
                if self._salvage and self._streams_after(item):
                    self._no_head = item
                    return b""
                raise SourceError(item.message, reason=item.reason)
            if item and not held:
                self._check_start(item)
            held += item
            if START in held or len(held) > _HEAD_BYTES:
                break
        if not held:
            raise self._error("holds no XML: it decompresses to nothing. Download it again.", "empty_file")
        return held

    def _streams_after(self, gap: Gap) -> bool:
        """Whether another bz2 stream comes after a damaged one, which may hold pages."""
        return next(stream_starts(self.path, gap.stream + 1), None) is not None

    def _check_start(self, data: bytes) -> None:
        start = data.removeprefix(codecs.BOM_UTF8).lstrip()
        if _INDEX_LINE.match(start):
            raise self._error(
                "is the index of a multistream dump. Give the dump itself (…-multistream.xml.bz2); "
                "its index is not needed.",
                "multistream_index",
            )
        if start and not start.startswith(b"<"):
            raise self._error(
                f"is neither bz2, gzip, xz nor XML (it starts with {data[:12]!r}). "
                "Give a MediaWiki dump such as pages-articles.xml.bz2.",
                "not_xml",
            )

    def _split(self, splitter: Splitter, data: Iterator[bytes | Gap]) -> Iterator[Item]:
        item: bytes | Gap | None = b""
        while item is not None:
            if isinstance(item, Gap):
                yield self._gap(item, splitter)
            else:
                pieces = splitter.feed(item)
                self._in_gap = self._in_gap and not pieces
                if pieces is None:
                    yield from self._take_over(splitter, data)
                    return
                yield from pieces
            item = next(data, None)
        yield from self._tail(splitter)

    def _gap(self, gap: Gap, splitter: Splitter) -> Lost:
        lost = Lost(gap.reason, gap.message, splitter.byte)
        splitter.lose()
        self._in_gap = True
        return lost

    def _tail(self, splitter: Splitter) -> Iterator[Item]:
        """What stands after the last page: the end of the root, or in the middle of a file nothing."""
        if self._in_gap and (splitter.lost or not splitter.rest.strip()):
            return
        if self._span is not None and self._span.stop < self.path.stat().st_size:
            if splitter.rest.strip():
                raise self._error("has bz2 streams that do not hold whole pages.", "unaligned_streams")
            return
        closed = splitter.rest.rstrip().endswith(_ROOT_END)
        yield from self._take_over(splitter, iter((_ROOT_END,) if self._rootless and not closed else ()))

    def _take_over(self, splitter: Splitter, data: Iterator[bytes | Gap]) -> Iterator[Item]:
        """Let expat read on from where the splitter is."""
        skipped = (splitter.byte - self._fed[0], splitter.line - 1 - self._fed[1])
        self._handler.count += splitter.count
        try:
            yield from self._parsed(splitter.rest, skipped)
            for item in data:
                if isinstance(item, Gap):
                    raise SourceError(item.message, reason=item.reason)
                yield from self._parsed(item, skipped)
            yield from self._parsed(b"", skipped, final=True)
        except SourceError as error:
            if not self._salvage:
                raise
            yield from self._handler.take()
            yield Lost(error.reason, str(error), max(splitter.byte, skipped[0] + self._handler.page_end))

    def _parsed(self, data: bytes, skipped: tuple[int, int], *, final: bool = False) -> Iterator[RawPage]:
        self._feed(data, skipped, final=final)
        yield from self._handler.take()

    def _feed(self, data: bytes, skipped: tuple[int, int] = (0, 0), *, final: bool = False) -> None:
        """Give expat more; `skipped` are the bytes and lines of the file that it was not given."""
        try:
            self._utf8.decode(data, final)
        except UnicodeDecodeError as error:
            raise invalid_utf8(self.path, error, self._fed[0] + skipped[0]) from error
        try:
            self._handler.feed(data, final)
        except expat.ExpatError as error:
            raise xml_error(self.path, error, skipped[1], final=final) from error
        self._fed[0] += len(data)
        self._fed[1] += data.count(b"\n")

    def _error(self, found: str, reason: str) -> SourceError:
        return SourceError(f"{self.path} {found}", reason=reason)


def _is_plain(head: bytes) -> bool:
    """Whether what stands before the first page holds neither comment nor doctype nor instruction."""
    declaration = _DECLARATION.match(head)
    rest = head[declaration.end() :] if declaration else head
    return b"<!" not in rest and b"<?" not in rest


def invalid_utf8(path: Path, error: UnicodeDecodeError, byte: int) -> SourceError:
    """The error for bytes that are no text; `byte` of the XML is where those begin that were decoded."""
    return SourceError(
        f"{path} is not valid UTF-8 near byte {byte + error.start} of its XML ({error.reason}). "
        "Download it again and compare its checksum.",
        reason="invalid_utf8",
    )


def xml_error(path: Path, error: expat.ExpatError, lines: int, *, final: bool) -> SourceError:
    """The error for XML that is not well-formed; `lines` come before those that expat has seen."""
    if final:
        return SourceError(
            f"{path} is truncated: its XML ends at line {lines + error.lineno} without </mediawiki>. "
            "Download it again.",
            reason="truncated_xml",
        )
    return SourceError(
        f"{path} is not well-formed XML at line {lines + error.lineno}: {expat.ErrorString(error.code)}. "
        "Download it again.",
        reason="malformed_xml",
    )
