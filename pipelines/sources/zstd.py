"""Zstandard (RFC 8878) through pyarrow's codec, as a stream of bounded pieces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from data.progress import Progress
from pipelines.sources.records import SourceError

MAGIC = b"\x28\xb5\x2f\xfd"


def pieces(file: BinaryIO, path: Path, size: int, progress: Progress, *, out_bytes: int) -> Iterator[bytes]:
    """Decompressed bytes of all frames of a file. Raises SourceError where it is truncated or corrupt."""
    import pyarrow as pa

    try:
        stream = pa.CompressedInputStream(file, "zstd")
        while data := stream.read(out_bytes):
            yield data
            progress(file.tell(), size)
    except (OSError, pa.ArrowException) as error:
        raise _source_error(path, str(error)) from error


def _source_error(path: Path, message: str) -> SourceError:
    from pipelines.sources.streams import DamagedStreamError

    if "truncated" in message.lower():
        text, reason = "is truncated: its last zstd frame has no end. Download it again.", "truncated_zstd"
    else:
        text = f"is corrupt zstd data: {message}. Download it again and compare its checksum."
        reason = "corrupt_zstd"
    return DamagedStreamError(f"{path} {text}", reason=reason, stream=0, truncated=reason == "truncated_zstd")
