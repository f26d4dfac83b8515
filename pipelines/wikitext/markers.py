"""Marks that travel inside the text while it is parsed: Unicode noncharacters, removed from the input first."""

from __future__ import annotations

import re

HEADING = "\ufdd0"  # at the start of a heading line
BREAK = "\ufdd1"  # a line break that survives joining: <br>
POEM_ON, POEM_OFF = "\ufdd2", "\ufdd3"  # lines between are kept apart
SUP_ON, SUP_OFF = "\ufdd4", "\ufdd5"  # superscript

_LITERALS = "'[]{}|=*#:;&<>_!-(),"
_FIRST_LITERAL = 0xFDD8
_PROTECT = {ord(char): chr(_FIRST_LITERAL + i) for i, char in enumerate(_LITERALS)}
_RESTORE = {chr(_FIRST_LITERAL + i): char for i, char in enumerate(_LITERALS)}
_PROTECTED = re.compile("[\ufdd8-\ufdef]")
_FOREIGN = re.compile("[\ufdd0-\ufdef\ud800-\udfff\x00]+")
_BYTES = b"\xef\xb7"  # how UTF-8 begins all of our marks (and some Arabic letters)


def without_marks(text: str) -> str:
    """Input text that holds none of our marks, and nothing that UTF-8 cannot hold; line ends are `\\n`."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if may_hold(text):
        return _FOREIGN.sub("", text)
    return text


def may_hold(text: str) -> bool:
    """Whether marks may stand in it, told by its bytes: four times as fast as a character class."""
    try:
        data = text.encode()
        return b"\x00" in data or (not text.isascii() and _BYTES in data)
    except UnicodeEncodeError:
        return True


def protect(text: str) -> str:
    """Literal text, so that no later step takes it for markup."""
    return text.translate(_PROTECT)


def restore(text: str) -> str:
    """Give protected characters back."""
    return _PROTECTED.sub(lambda match: _RESTORE[match[0]], text)
