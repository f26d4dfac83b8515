"""Wikitext comments."""

from __future__ import annotations

import re

_COMMENT_END = "-->"
_REST_OF_LINE = re.compile(r"[ \t]*\n")


def without_comments(text: str) -> str:
    """Drop `<!-- -->`; a comment alone on its line takes the line along. An unclosed one ends with its paragraph."""
    if "<!--" not in text:
        return text
    last = text.rfind(_COMMENT_END)
    pieces = text.split("<!--")
    kept, position = [pieces[0]], len(pieces[0])
    fresh = _starts_line(pieces[0], True)
    for piece in pieces[1:]:
        position += 4
        if _COMMENT_END in piece:
            rest = piece.partition(_COMMENT_END)[2]
            newline = _REST_OF_LINE.match(rest) if fresh else None
            kept.append(rest[newline.end() :] if newline else rest)
            fresh = _starts_line(kept[-1], fresh)
        elif position > last:
            kept.append("".join(piece.partition("\n\n")[1:]))
        position += len(piece)
    return "".join(kept)


def _starts_line(text: str, before: bool) -> bool:
    """Whether only blanks stand on the line after `text`; `before` says so of the line it began on."""
    end = text.rstrip(" \t")
    return end.endswith("\n") if end else before
