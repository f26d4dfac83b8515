"""Marks that travel inside the text while it is parsed: Unicode noncharacters, removed from the input first."""

from __future__ import annotations

import re

HEADING = "\ufdd0"  # at the start of a heading line
BREAK = "\ufdd1"  # a line break that survives joining: <br>
POEM_ON, POEM_OFF = "\ufdd2", "\ufdd3"  # lines between are kept apart
SUP_ON, SUP_OFF = "\ufdd4", "\ufdd5"  # superscript

_LITERALS = "'[]{}|=*#:;&<>_!"
_FIRST_LITERAL = 0xFDD8
_PROTECT = {ord(char): chr(_FIRST_LITERAL + i) for i, char in enumerate(_LITERALS)}
_RESTORE = {_FIRST_LITERAL + i: char for i, char in enumerate(_LITERALS)}
_FOREIGN = re.compile("[\ufdd0-\ufdef\ud800-\udfff\x00]+")


def without_marks(text: str) -> str:
    """Input text that holds none of our marks, and nothing that UTF-8 cannot hold; line ends are `\\n`."""
    return _FOREIGN.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def protect(text: str) -> str:
    """Literal text, so that no later step takes it for markup."""
    return text.translate(_PROTECT)


def restore(text: str) -> str:
    """Give protected characters back."""
    return text.translate(_RESTORE)
