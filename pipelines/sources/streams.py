"""Bytes of a file, decompressed as they are read: bz2 (also multi-stream), gzip, zstd or plain."""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from data.progress import Progress
from pipelines.sources import zstd
from pipelines.sources.records import SourceError

READ_BYTES = 256 * 1024
OUT_BYTES = 1024 * 1024
MAGIC = {b"BZh": "bz2", b"\x1f\x8b": "gzip", zstd.MAGIC: "zstd"}


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
        self._inner = bz2.BZ2Decompressor()

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


_DECODERS: dict[str, type[_Bz2] | type[_Gzip]] = {"bz2": _Bz2, "gzip": _Gzip}


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
    """`bz2`, `gzip`, `zstd` or `plain`, by the first bytes and not by the name."""
    with path.open("rb") as file:
        head = file.read(max(map(len, MAGIC)))
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "plain")


def chunks(path: Path, *, progress: Progress) -> Iterator[bytes]:
    """Yield the decompressed bytes of a file in pieces of at most 1 MiB; never an empty piece.

    `progress` hears compressed bytes read and the size of the file. Raises SourceError for a file
    that is missing, empty, truncated, corrupt or not readable.
    """
    size = size_of(path)
    try:
        kind = compression_of(path)
        with path.open("rb") as file:
            if kind == "zstd":
                yield from zstd.pieces(file, path, size, progress, out_bytes=OUT_BYTES)
            else:
                yield from (
                    _plain(file, size, progress) if kind == "plain" else _decoded(file, path, kind, size, progress)
                )
    except PermissionError as error:
        raise SourceError(
            f"{path} may not be read: {error.strerror}. Check its permissions.", reason="denied"
        ) from error


def _plain(file: BinaryIO, size: int, progress: Progress) -> Iterator[bytes]:
    while data := file.read(READ_BYTES):
        yield data
        progress(file.tell(), size)


def _decoded(file: BinaryIO, path: Path, kind: str, size: int, progress: Progress) -> Iterator[bytes]:
    decoder: _Decoder = _DECODERS[kind]()
    while data := file.read(READ_BYTES):
        while data:
            if decoder.eof:
                decoder = _DECODERS[kind]()
            yield from _pieces(decoder, data, path, kind, file.tell())
            data = decoder.unused_data if decoder.eof else b""
        progress(file.tell(), size)
    if not decoder.eof:
        raise SourceError(
            f"{path} is truncated: its last {kind} stream has no end. Download it again.", reason=f"truncated_{kind}"
        )


def _pieces(decoder: _Decoder, data: bytes, path: Path, kind: str, offset: int) -> Iterator[bytes]:
    try:
        yield from filter(None, decoder.feed(data))
    except (OSError, zlib.error, EOFError, ValueError) as error:
        raise SourceError(
            f"{path} is corrupt {kind} data before byte {offset}: {error}. Download it again and compare its checksum.",
            reason=f"corrupt_{kind}",
        ) from error
