"""Marks that travel inside the text while it is parsed: Unicode noncharacters, removed from the input first."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

HEADING = "\ufdd0"  # at the start of a heading line
BREAK = "\ufdd1"  # a line break that survives joining: <br>
POEM_ON, POEM_OFF = "\ufdd2", "\ufdd3"  # lines between are kept apart
SUP_ON, SUP_OFF = "\ufdd4", "\ufdd5"  # superscript
JOIN = "\ufdd6"  # where a paragraph goes on with the next line
ITEM, TERM, CELL = "\ufdd7", "\ufded", "\ufdee"  # before the words of list lines, defined terms, cells of no table

_LITERALS = "'[]{}|=*#:;&<>_!-(),"
_FIRST_LITERAL = 0xFDD8
_PROTECT = {ord(char): chr(_FIRST_LITERAL + i) for i, char in enumerate(_LITERALS)}
_RESTORE = {chr(_FIRST_LITERAL + i): char for i, char in enumerate(_LITERALS)}
_PROTECTED = re.compile("[\ufdd8-\ufdef]")
_FOREIGN = re.compile("[\ufdd0-\ufdef\ud800-\udfff\x00]")
_NUL = re.compile("\x00")  # searches twice as fast as `in`
_HIGH_BYTE = b"\xfd"  # of our marks, in UTF-16
_NEVER_CHANGED = (  # blocks where nothing is protected, decomposes, or joins what stands before it
    r"\x00-\u02ff\u0370-\u0373\u0375-\u037d\u037f-\u0386\u0388-\u0482\u048a-\u058f\u1e00-\u1eff\u2002-\u20cf"
    r"\u2100-\u2125\u212c-\u2328\u232b-\u2adb\u2ae0-\u2cee\u2e00-\u3029\u3030-\u3098\u309b-\ua66e\uac00-\ud7a3"
    r"\ufdd0-\ufdd5\uff00-\uffff"
)
_MAY_CHANGE = re.compile(f"[^{_NEVER_CHANGED}]")
_BLANK = re.compile("[\t\x0b\x0c\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_ODD = re.compile(  # a blank, or what may change
    r"[^\x00-\x08\n\r\x0e-\x1b\x20-\x84\x86-\x9f\xa1-\u02ff\u0370-\u0373\u0375-\u037d\u037f-\u0386\u0388-\u0482\u048a-\u058f"
    r"\u1e00-\u1eff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u20cf\u2100-\u2125\u212c-\u2328\u232b-\u2adb\u2ae0-\u2cee"
    r"\u2e00-\u2fff\u3001-\u3029\u3030-\u3098\u309b-\ua66e\uac00-\ud7a3\ufdd0-\ufdd5\uff00-\uffff]"
)
_FEW = 60  # odd letters, up to which one search does for two


def without_marks(text: str) -> str:
    """Input text that holds none of our marks, and nothing that UTF-8 cannot hold; line ends are `\\n`."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _FOREIGN.sub("", text) if _may_hold_foreign(text) else text


def _may_hold_foreign(text: str) -> bool:
    """Whether marks may stand in it, told by its high bytes: five times as fast as a character class."""
    if text.isascii():
        return "\x00" in text
    try:
        pairs = text.encode("utf-16-le")
    except UnicodeEncodeError:
        return True
    return bool(_NUL.search(text)) or (_HIGH_BYTE in pairs and _HIGH_BYTE in pairs[1::2])


def blanks_as_spaces(text: str) -> tuple[str, str | None]:
    """The text with a space for each blank but the line end, and its letters that `final` may change.

    None in their place if they are many: to know them all would take as long as `is_final`.
    """
    odd = [found[0] for found in islice(_ODD.finditer(text), _FEW)]
    if len(odd) == _FEW:
        return _BLANK.sub(" ", text), None
    for blank in filter(str.isspace, set(odd)):
        text = text.replace(blank, " ")
    return text, "".join({letter for letter in odd if not letter.isspace()})


def is_final(text: str) -> bool:
    """Whether it is in NFC for certain and holds nothing protected, told by one search, faster than normalising."""
    return text.isascii() or not _MAY_CHANGE.search(text)


def final(text: str) -> str:
    """Marked text as it is published: in NFC, what was protected given back."""
    return text if is_final(text) else unicodedata.normalize("NFC", restore(text))


def protect(text: str) -> str:
    """Literal text, so that no later step takes it for markup."""
    return text.translate(_PROTECT)


def restore(text: str) -> str:
    """Give protected characters back."""
    return _PROTECTED.sub(lambda match: _RESTORE[match[0]], text)
