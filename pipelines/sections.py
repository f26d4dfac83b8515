"""Change a text section by section and keep the offsets of its sections right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Section = Mapping[str, Any]

_INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff\xad"
_EDGE = (
    " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
)
_EDGE += "\u2028\u2029\u202f\u205f\u3000" + _INVISIBLE
_LINE_END = re.compile("\r\n?|[\n\x0b\x0c\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text cut where a section begins or ends: `cuts` has one offset more than there are `texts`."""

    cuts: tuple[int, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, text: str, sections: Sequence[Section] | None) -> Pieces:
        """Cut the text; offsets outside it count as its ends."""
        return cls.at(text, [int(section[key]) for section in sections or () for key in ("start", "end")])

    @classmethod
    def at(cls, text: str, offsets: Iterable[int]) -> Pieces:
        """Cut the text at these offsets."""
        cuts = tuple(sorted({min(max(offset, 0), len(text)) for offset in offsets} | {0, len(text)}))
        return cls(cuts, tuple(text[start:end] for start, end in pairwise(cuts)))


def rejoin(pieces: Pieces, changed: Sequence[str]) -> tuple[str, dict[int, int]]:
    """The changed pieces as one text, and the new offset of every cut.

    Pieces are stripped; between two the text keeps the break it had: a blank line, a line end, a blank or nothing.
    """
    parts: list[str] = []
    offsets = {pieces.cuts[0]: 0}
    at_end = [pieces.cuts[0]]  # the cuts at the end of what there is so far
    length, gap = 0, ""
    for old, new, end in zip(pieces.texts, changed, pieces.cuts[1:], strict=True):
        gap += _leading(old)
        if new:
            separator = _separator(gap, parts[-1], new) if parts else ""
            # The gap belongs to the section before it: a section starts at its first letter.
            offsets.update(dict.fromkeys(at_end, length + len(separator)))
            parts += [separator, new]
            length += len(separator) + len(new)
            at_end, gap = [], ""
        gap += _trailing(old)
        offsets[end] = length
        at_end.append(end)
    return "".join(parts), offsets


def moved(sections: Sequence[Section] | None, offsets: Mapping[int, int], length: int) -> list[dict[str, Any]] | None:
    """The sections at their new offsets; `length` is that of the text before."""
    if sections is None:
        return None

    def at(offset: int) -> int:
        return offsets[min(max(offset, 0), length)]

    return [{**section, "start": at(section["start"]), "end": at(section["end"])} for section in sections]


def _leading(text: str) -> str:
    return text[: len(text) - len(text.lstrip(_EDGE))] if text.strip(_EDGE) else ""


def _trailing(text: str) -> str:
    return text[len(text.rstrip(_EDGE)) :]


def _separator(gap: str, before: str, after: str) -> str:
    """What stands between two pieces for the white space `gap` that stood there."""
    breaks = len(_LINE_END.findall(gap))
    if breaks:
        return "\n\n" if breaks > 1 else "\n"
    if gap.strip(_INVISIBLE):
        return " "
    return "" if unicodedata.is_normalized("NFC", before[-1:] + after[:1]) else "\n"
