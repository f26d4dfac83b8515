"""Bytes to lines of bounded length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


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
