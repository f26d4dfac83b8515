"""What the readers of whole files, text and HTML, have in common."""

from __future__ import annotations

from collections.abc import Iterable

_PACKED = ("", ".gz", ".zst", ".bz2", ".xz")
_NAMES = (
    *("html", "htm", "xhtml", "xml", "jsonl", "ndjson", "json", "csv", "tsv", "parquet", "pdf", "epub", "rtf", "odt"),
    *("doc", "docx", "xls", "xlsx", "ppt", "pptx", "7z", "zip", "tar", "tgz", "rar", "css", "js"),
    *("jpg", "jpeg", "png", "gif", "webp", "svg", "ico", "mp3", "mp4"),
)
OTHER_FORMATS = tuple(f".{name}{packed}" for name in _NAMES for packed in _PACKED)
"""Endings of files that are not plain text, or not meant to be read as such."""


def read_bytes(pieces: Iterable[bytes], most: int) -> bytes | None:
    """All bytes, None if there are more than `most`; no more than that is held."""
    held: list[bytes] = []
    length = 0
    for piece in pieces:
        held.append(piece)
        if (length := length + len(piece)) > most:
            return None
    return b"".join(held)
