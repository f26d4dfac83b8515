"""Where the streams of a multistream bz2 file begin, found without its index, and ranges of whole streams.

A stream begins at a byte with `BZh`, its block size and the magic of its first block (pi in BCD); the stream before
it ends with the square root of pi in BCD and a checksum, at any bit. Both are looked for, 80 + 48 bits in all; a range
that does not decode from its first byte to its last is an error all the same.
Format: https://en.wikipedia.org/wiki/Bzip2#File_format
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines.sources.streams import Span

_BLOCK = b"1AY&SY"  # 0x314159265359
_EMPTY = bytes.fromhex("177245385090")  # what an empty stream has in place of a block
_END = int.from_bytes(_EMPTY, "big")
_LEVEL = b"123456789"
_HEADER = 4
_WINDOW = 1 << 22
"""Bytes that are looked through at once."""
_OVERLAP = _HEADER + len(_BLOCK) - 1
_TOGETHER = 4
_MANY = 32
"""From so many parts on, the last ones keep all workers busy anyway."""
_MOST = 32
"""Batches of a part at the most: of text some 96 MB of Parquet, of what is made of it more than 64 MB, mostly."""
_FOOTER_BYTES = 11  # 48 bits of magic, 32 of checksum, up to 7 of padding


def stream_starts(path: Path, start: int = 0, stop: int | None = None) -> Iterator[int]:
    """Offsets in [start, stop) at which a bz2 stream with content seems to begin, in order."""
    end = path.stat().st_size if stop is None else stop
    with path.open("rb") as file:
        file.seek(start)
        window, offset = b"", start  # of the window
        while data := file.read(min(_WINDOW, max(0, end - offset - len(window)))):
            window += data
            at = window.find(_BLOCK, _HEADER)
            while at >= 0:
                head = window[at - _HEADER : at]
                if head.startswith(b"BZh") and head[3] in _LEVEL:
                    yield offset + at - _HEADER
                at = window.find(_BLOCK, at + 1)
            offset += max(0, len(window) - _OVERLAP)
            window = window[-_OVERLAP:]


def spans(path: Path, *, streams: int, size: int) -> list[Span]:
    """Cut a file into ranges of whole streams: at each multiple of `size` bytes, and after `streams` of them.

    They cover the file without gap or overlap; one range where the file is one stream.
    """
    cuts = [0, *_boundaries(path), path.stat().st_size]
    found: list[Span] = []
    first = held = 0
    for end in cuts[1:]:
        held += 1
        if end // size > first // size or held >= streams or end == cuts[-1]:
            found.append(Span(first, end))
            first, held = end, 0
    if len(found) > 1 and found[-1].stop - found[-1].start < size // 8:  # a stream that only closes the root
        found[-2:] = [Span(found[-2].start, found[-1].stop)]
    return found


def even(total: int, most: int) -> int:
    """Size of the parts of a file of `total` bytes: at most `most` each, all alike, for any 2 or 4 workers to share.

    It follows from the file alone, so that parts are the same for any number of workers. Only what is small against
    a part is not cut.
    """
    parts = -(-total // most)
    if parts < _MANY and 2 * total >= most:
        parts = -(-parts // _TOGETHER) * _TOGETHER
    return max(1, -(-total // parts))


def together(batches: int) -> int:
    """How many batches of a file a part holds: more in large files, once there are parts enough for many workers.

    It follows from the file alone, as the size of a batch does.
    """
    return max(1, min(_MOST, batches // _MANY))


def _boundaries(path: Path) -> Iterator[int]:
    """Where one stream ends and the next one begins."""
    with path.open("rb") as file:
        for start in stream_starts(path, 1):
            file.seek(max(0, start - _FOOTER_BYTES))
            if _ends_stream(file.read(min(start, _FOOTER_BYTES))):
                yield start


def _ends_stream(tail: bytes) -> bool:
    """Whether bytes hold the end of a stream: its magic 32 bits of checksum and 0 to 7 of padding from their end."""
    bits = int.from_bytes(tail, "big")
    return any((bits >> (32 + padding)) & ((1 << 48) - 1) == _END for padding in range(8))
