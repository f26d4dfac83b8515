"""Pieces of bytes to lines of bounded length, or to a file to read from."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any


def lines(pieces: Iterable[bytes], *, longest: int) -> Iterator[tuple[int, bytes | None]]:
    r"""Number, from 1, and bytes of each line, blank ones too, without its `\n`.

    None stands in place of a line of more than `longest` bytes, which is never held.
    """
    held: list[bytes] = []
    number, length = 1, 0
    for data in pieces:
        *complete, rest = data.split(b"\n")
        for piece in complete:
            yield number, b"".join([*held, piece]) if length + len(piece) <= longest else None
            number, length = number + 1, 0
            held.clear()
        length += len(rest)
        if length <= longest:
            held.append(rest)
        else:
            held.clear()
    if length:
        yield number, b"".join(held) if length <= longest else None


class Pieces(io.RawIOBase):
    """Pieces of bytes as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = filter(None, pieces)  # an empty one would read as the end
        self._rest = b""

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as a piece goes; returns how many bytes, 0 at the end."""
        self._rest = self._rest or next(self._pieces, b"")
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)
