"""Any declared encoding to UTF-8 bytes, piece by piece, with invalid input kept visibly invalid."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from data.errors import ConfigError

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_INVALID = "\udcff"  # becomes bytes that no UTF-8 decoder accepts


def to_utf8(chunks: Iterator[bytes], *, encoding: str | None = None) -> Iterator[bytes]:
    """The bytes in UTF-8 without byte order mark, never an empty piece.

    The encoding is told by the byte order mark, else by `encoding`, else it is UTF-8. What cannot be decoded
    becomes bytes that are not UTF-8 either, so that whoever decodes a row notices in that row and in no other.
    """
    head = b""
    for piece in chunks:
        head += piece
        if len(head) >= len(codecs.BOM_UTF8):
            break
    mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
    name = _MARKS[mark] if mark else known_encoding(encoding)
    rest = _chain(head[len(mark) :], chunks)
    yield from rest if name == "utf-8" else _transcoded(rest, name)


def known_encoding(name: str | None) -> str:
    """Canonical name of a text encoding. Raises ConfigError for one that Python does not know."""
    try:
        info = codecs.lookup(name or "utf-8")
        "".encode(info.name)  # refuses codecs that are no text encodings, such as rot13 and base64
    except LookupError:
        raise ConfigError(f"encoding: '{name}' is no encoding; examples: utf-8, windows-1252, shift_jis") from None
    return info.name


def _chain(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from chunks


def _transcoded(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    codecs.register_error("textmill.invalid", _mark_invalid)
    decoder = codecs.getincrementaldecoder(name)("textmill.invalid")
    for piece in chunks:
        if text := decoder.decode(piece):
            yield text.encode("utf-8", "surrogatepass")
    if text := decoder.decode(b"", True):
        yield text.encode("utf-8", "surrogatepass")


def _mark_invalid(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return _INVALID, error.end
    raise error
