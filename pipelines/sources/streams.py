"""Bytes of a file, decompressed as they are read: bz2 and xz (also of several streams), gzip, zstd or plain."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from data.progress import Progress
from pipelines.sources import quick_bz2, zstd
from pipelines.sources.records import SourceError

READ_BYTES = 256 * 1024
OUT_BYTES = 1024 * 1024
MAGIC = {b"BZh": "bz2", b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", zstd.MAGIC: "zstd"}
_REFUSED = {
    b"7z\xbc\xaf\x27\x1c": (
        "7z",
        "a 7z archive, which cannot be read as a stream. Take the .bz2 file that Wikimedia offers beside it",
    ),
}
_LONGEST_MAGIC = 6
_HELD_BYTES = 900_000  # the largest block of bz2, whose checksum is compared after its last byte


class DamagedStreamError(SourceError):
    """Compressed data that ends early or is corrupt; `stream` is the offset at which its stream begins."""

    def __init__(self, message: str, *, reason: str, stream: int, truncated: bool) -> None:
        super().__init__(message, reason=reason)
        self.stream = stream
        self.truncated = truncated


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes that could not be decompressed: what is wrong, in words, and the offset of the stream they stand in."""

    reason: str
    message: str
    stream: int


@dataclass(frozen=True, slots=True)
class Span:
    """A range of whole compressed streams of a file: offsets of its first byte and past its last."""

    start: int
    stop: int


class _Decoder(Protocol):
    """One compressed stream; a file may hold several, one after another."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` decompresses to, in pieces of bounded size."""
        ...


class _Bz2:
    def __init__(self) -> None:
        self._inner: bz2.BZ2Decompressor | lzma.LZMADecompressor = bz2.BZ2Decompressor()

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield self._inner.decompress(data, OUT_BYTES)
        while not self._inner.eof and not self._inner.needs_input:
            yield self._inner.decompress(b"", OUT_BYTES)


class _Xz(_Bz2):
    def __init__(self) -> None:
        self._inner = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield self._inner.decompress(data, OUT_BYTES)
        while self._inner.unconsumed_tail:
            yield self._inner.decompress(self._inner.unconsumed_tail, OUT_BYTES)


_DECODERS: dict[str, type[_Bz2] | type[_Gzip]] = {"bz2": _Bz2, "gzip": _Gzip, "xz": _Xz}


def size_of(path: Path) -> int:
    """Size of a readable, non-empty file; SourceError names what is wrong otherwise."""
    if not path.exists():
        raise SourceError(f"{path}: there is no such file. Check the path given as --source.", reason="missing")
    if not path.is_file():
        raise SourceError(f"{path} is not a file. Give the path of one dump file.", reason="not_a_file")
    size = path.stat().st_size
    if size == 0:
        raise SourceError(f"{path} is empty (0 bytes). Download it again.", reason="empty_file")
    return size


def compression_of(path: Path) -> str:
    """`bz2`, `gzip`, `xz`, `zstd` or `plain`, by the first bytes, not the name. SourceError for a kind not read."""
    with path.open("rb") as file:
        head = file.read(_LONGEST_MAGIC)
    for magic, (kind, advice) in _REFUSED.items():
        if head.startswith(magic):
            raise SourceError(f"{path} is {advice}.", reason=f"compressed_{kind}")
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "plain")


def chunks(path: Path, *, progress: Progress, span: Span | None = None) -> Iterator[bytes]:
    """Yield the decompressed bytes of a file in pieces of at most 1 MiB; never an empty piece.

    `progress` hears compressed bytes read and the size of the file. `span` reads a part of the file alone.
    Raises SourceError for a file that is missing, empty, truncated, corrupt or not readable.
    """
    given = 0
    if span is not None:
        try:
            for piece in _quick(path, span):
                yield piece
                given += len(piece)
        except (quick_bz2.Doubt, OSError):
            pass
        else:
            progress(span.stop, size_of(path))
            return
    yield from filter(None, _without(given, _chunks(path, progress, span)))


def _quick(path: Path, span: Span) -> Iterator[bytes]:
    """The pieces of a span of bz2 streams. Raises Doubt where Python's module has to read, or to read on."""
    if quick_bz2.installed() is None or span.stop - span.start > quick_bz2.LARGEST or compression_of(path) != "bz2":
        raise quick_bz2.Doubt
    with path.open("rb") as file:
        file.seek(span.start)
        data = file.read(span.stop - span.start)
    yield from quick_bz2.pieces(data, out_bytes=OUT_BYTES)


def _without(count: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces without their first bytes."""
    for piece in pieces:
        yield piece[count:]
        count = max(0, count - len(piece))


def salvaged(path: Path, *, progress: Progress, span: Span | None = None) -> Iterator[bytes | Gap]:
    """The same bytes, with a `Gap` in place of what is damaged, after which the next bz2 stream goes on.

    What the checksum of its block has not confirmed is given up with the rest of a corrupt stream.
    """
    span = span or Span(0, size_of(path))
    while span.start < span.stop:
        held: list[bytes] = []
        try:
            for data in _chunks(path, progress, span):
                held.append(data)
                while held and (not data or sum(map(len, held[1:])) >= _HELD_BYTES):
                    yield held.pop(0)
            yield from held
            return
        except DamagedStreamError as error:
            yield from held if error.truncated else ()
            yield Gap(error.reason, str(error), error.stream)
            span = Span(_next_stream(path, error.stream + 1, span.stop), span.stop)


def _next_stream(path: Path, start: int, stop: int) -> int:
    """Offset of the next bz2 stream, `stop` where there is none."""
    from pipelines.sources.multistream import stream_starts

    return next(stream_starts(path, start, stop), stop)


def _chunks(path: Path, progress: Progress, span: Span | None) -> Iterator[bytes]:
    """Decompressed pieces, and an empty one where a compressed stream ends."""
    size = size_of(path)
    span = span or Span(0, size)
    try:
        kind = compression_of(path)
        with path.open("rb") as file:
            read = _read(file, span, lambda done: progress(done, size))
            if kind == "zstd":
                yield from zstd.pieces(file, path, size, progress, out_bytes=OUT_BYTES)
            else:
                yield from read if kind == "plain" else _decoded(read, path, kind, span)
    except PermissionError as error:
        raise SourceError(
            f"{path} may not be read: {error.strerror}. Check its permissions.", reason="denied"
        ) from error


def _read(file: BinaryIO, span: Span, told: Callable[[int], None]) -> Iterator[bytes]:
    file.seek(span.start)
    while data := file.read(min(READ_BYTES, span.stop - file.tell())):
        yield data
        told(file.tell())


def _decoded(read: Iterator[bytes], path: Path, kind: str, span: Span) -> Iterator[bytes]:
    decoder: _Decoder = _DECODERS[kind]()
    stream = at = span.start
    for data in read:
        at += len(data)
        while data:
            if decoder.eof:
                decoder, stream = _DECODERS[kind](), at - len(data)
            yield from _pieces(decoder, data, path, kind, (stream, at))
            data = decoder.unused_data if decoder.eof else b""  # noqa: PLW2901
            if decoder.eof:
                yield b""
    if not decoder.eof:
        raise DamagedStreamError(
            f"{path} is truncated: its last {kind} stream has no end. Download it again.",
            reason=f"truncated_{kind}",
            stream=stream,
            truncated=True,
        )


def _pieces(decoder: _Decoder, data: bytes, path: Path, kind: str, at: tuple[int, int]) -> Iterator[bytes]:
    """`at` is where the stream begins, and how far the file is read."""
    try:
        yield from filter(None, decoder.feed(data))
    except (OSError, zlib.error, lzma.LZMAError, EOFError, ValueError) as error:
        raise DamagedStreamError(
            f"{path} is corrupt {kind} data before byte {at[1]}: {error}. Download it again and compare its checksum.",
            reason=f"corrupt_{kind}",
            stream=at[0],
            truncated=False,
        ) from error
