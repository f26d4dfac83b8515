"""Take the text of documents out of raw files: pages of dumps, lines and rows of tables, whole text files.

What is left of the file reads as before, and so does its numbering of lines and pages. Dumps of several bz2 streams
keep their streams, and only those with such a page are compressed again.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from data.progress import ignore
from pipelines import sources
from pipelines.sources import wikipedia
from pipelines.sources.folders import Entry
from pipelines.sources.lines import Pieces
from pipelines.sources.records import SourceError
from pipelines.sources.splitter import END
from pipelines.sources.streams import Span, chunks, compression_of

Range = tuple[int, int | None]
"""First line or row, from 1, and the first one after it; None for all up to the end of the file."""
WHOLE: Range = (0, None)
"""All of a file."""
_PAGE_ID = re.compile(rb"<page>.*?<id>([0-9]+)</id>", re.DOTALL)
_TEXT = re.compile(rb"<(text|comment)\b[^>]*(?<!/)>.*?</\1\s*>", re.DOTALL)
_STREAM = 64 << 20  # compressed bytes of a stream that is held


def locate(
    entries: list[Entry], ids: Collection[str], *, source: str, reading: Mapping[str, Any], max_chars: int
) -> dict[str, list[Range]]:
    """Where the documents stand in files of records: by the name of the file, ranges of lines or rows.

    `reading` has the reader and its options, as `sources.read` takes them.
    """
    place = entries[0].path if len(entries) == 1 and "/" not in entries[0].name else entries
    found: dict[str, list[Range]] = {}
    open_range: tuple[str, int] | None = None
    for record in sources.read(place, source=source, max_chars=max_chars, **reading):
        name, _, where = record.origin.rpartition("#")
        number = int(where.rpartition("=")[2]) if name else 0
        if open_range is not None:
            found[open_range[0]].append((open_range[1], number if name == open_range[0] else None))
            open_range = None
        if record.doc_id in ids:
            if name:
                open_range = (name, number)
                found.setdefault(name, [])
            else:
                found.setdefault(record.origin, []).append(WHOLE)
    if open_range is not None:
        found[open_range[0]].append((open_range[1], None))
    return found


def erase(path: Path, target: Path, ranges: Collection[Range]) -> int:
    """Write a file of records to `target` without these; returns how many went.

    Raises SourceError for a file in UTF-16, whose lines are not found.
    """
    if WHOLE in ranges:
        target.write_bytes(b"")
        return 1
    if path.name.lower().endswith(sources.parquet.ENDINGS):
        return _erase_rows(path, target, ranges)
    with _writer(target, compression_of(path)) as out:
        for number, line in _lines(path, universal=_is_csv(path)):
            gone = any(first <= number and (stop is None or number < stop) for first, stop in ranges)
            out.write((b"\n" if line.endswith((b"\n", b"\r")) else b"") if gone else line)
    return len(ranges)


def erase_lines(path: Path, target: Path, numbers: Collection[int]) -> int:
    """The same for single lines, such as those of a labelled set."""
    return erase(path, target, [(number, number + 1) for number in numbers])


def _is_csv(path: Path) -> bool:
    return path.name.lower().endswith(sources.delimited.ENDINGS)


def _lines(path: Path, *, universal: bool) -> Iterator[tuple[int, bytes]]:
    r"""Number and bytes of each line with its end; `universal`: `\r` alone ends a line, too."""
    pieces = chunks(path, progress=ignore)
    first = next(pieces, b"")
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SourceError(f"{path} is UTF-16; take the document out of it by hand", reason="utf16")
    stream = io.TextIOWrapper(
        io.BufferedReader(Pieces(chain([first], pieces)), 1 << 16), "latin-1", newline="" if universal else "\n"
    )
    for number, line in enumerate(stream, 1):
        yield number, line.encode("latin-1")


@contextmanager
def _writer(path: Path, kind: str) -> Iterator[BinaryIO]:
    """A file that is compressed as it is written, to the same bytes each time."""
    with path.open("wb") as raw:
        if kind == "zstd":
            import pyarrow as pa

            with pa.CompressedOutputStream(pa.PythonFile(raw, "w"), "zstd") as out:
                yield out
            return
        with _PACKED[kind](raw) as packed:
            yield packed


_PACKED: dict[str, Callable[[BinaryIO], Any]] = {
    "plain": nullcontext,
    "bz2": lambda raw: bz2.BZ2File(raw, "wb"),
    "gzip": lambda raw: gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0),
    "xz": lambda raw: lzma.LZMAFile(raw, "wb"),  # noqa: SIM115
}


def _erase_rows(path: Path, target: Path, ranges: Collection[Range]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    gone = {number for first, stop in ranges for number in range(first, first + 1)}
    done = 0
    with pq.ParquetFile(path, pre_buffer=False) as file:
        codec = file.metadata.row_group(0).column(0).compression if file.metadata.num_row_groups else "ZSTD"
        with pq.ParquetWriter(target, file.schema_arrow, compression=codec) as out:
            for group in range(file.metadata.num_row_groups):
                table = file.read_row_group(group)
                mask = [done + row not in gone for row in range(1, table.num_rows + 1)]
                out.write_table(table.filter(pa.array(mask, pa.bool_())))
                done += table.num_rows
    return len(gone)


def erase_pages(path: Path, target: Path, page_ids: Collection[str]) -> int:
    """Write a dump to `target` with the text and the comments of these pages blank; returns how many were found."""
    wanted = {page_id.encode() for page_id in page_ids}
    spans = _streams(path)
    if not spans:
        with _writer(target, compression_of(path)) as out:
            return _copy_pages(chunks(path, progress=ignore), wanted, out)
    found = 0
    with path.open("rb") as file, target.open("wb") as out:
        for span in spans:
            packed = _bytes_of(file, span)
            held = io.BytesIO()
            here = (
                _copy_pages(chunks(path, progress=ignore, span=span), wanted, held) if _may_hold(packed, wanted) else 0
            )
            out.write(bz2.compress(held.getvalue()) if here else packed)
            found += here
    return found


def _streams(path: Path) -> list[Span]:
    """The streams of a multistream dump; none where pages cross them, or where one is too large to be held."""
    found = wikipedia.spans_of(path, streams=1, size=1)
    return [] if any(span.stop - span.start > _STREAM for span in found) else found


def _bytes_of(file: BinaryIO, span: Span) -> bytes:
    file.seek(span.start)
    return file.read(span.stop - span.start)


def _may_hold(packed: bytes, wanted: set[bytes]) -> bool:
    data = bz2.decompress(packed)
    return any(b">" + page_id + b"<" in data for page_id in wanted)


def _copy_pages(pieces: Iterable[bytes], wanted: set[bytes], out: Any) -> int:
    """Copy XML, page by page, and blank those that are wanted."""
    found, rest = 0, b""
    for piece in pieces:
        rest += piece
        *pages, rest = rest.split(END)
        for page in pages:
            here = _PAGE_ID.search(page)
            if here is not None and here[1] in wanted:
                found += 1
                out.write(_blank(page + END))
            else:
                out.write(page + END)
    out.write(rest)
    return found


def _blank(page: bytes) -> bytes:
    """A page as MediaWiki exports one whose text was suppressed."""
    return _TEXT.sub(rb'<\1 deleted="deleted" />', page)
