"""What a kind of personal data is to the search: a name, a hint for Polars, and the spans that are real."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Bounds = tuple[int, int]
NEAR = 48


@dataclass(frozen=True)
class Rule:
    """One of the `hints` matches every text in which `spans` may find something: patterns of Polars (Rust, neither
    look-around nor back-references), which decide the speed, so a literal or a class of digits comes first.
    `spans` yields start and end of what is real, in order, without overlaps.
    """

    kind: str
    hints: tuple[str, ...]
    spans: Callable[[str], Iterator[Bounds]]

    @property
    def token(self) -> str:
        """What stands in its place."""
        return f"[{self.kind.upper()}]"


def before(text: str, start: int, width: int = NEAR) -> str:
    """The last `width` characters before an offset."""
    return text[max(0, start - width) : start]


def after(text: str, end: int, width: int = NEAR) -> str:
    """The first `width` characters from an offset on."""
    return text[end : end + width]


def announcing(words: str) -> re.Pattern[str]:
    """A pattern for the text before a number: one of the words, and neither digit nor mask from there to its end."""
    return re.compile(rf"(?i)(?<![^\W_])(?<!\[)(?:{words})(?![^\W\d_])[^\d\[\]]*$")
