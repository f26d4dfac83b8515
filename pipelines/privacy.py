"""Mask personal data: e-mail addresses, telephone numbers, IP addresses and payment card numbers."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

VERSION = 1

EMAIL = re.compile(r"[\w.%+\-]{1,64}@(?:[^\W_](?:[\w\-]{0,62})\.){1,8}[^\W\d_]{2,24}")
_IP = re.compile(
    r"(?<![\w.])(?<!\bversion )(?<!\brelease )(?:\d{1,3}\.){3}\d{1,3}(?!\.?\w)"
    r"|(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])"
)
_CARD = re.compile(
    r"(?<![\w.,\-])(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{5}|\d{13,19})(?![\w\-]|[.,]\d)"
)
_PHONE = re.compile(
    r"(?<![\w+.])\+[1-9]\d{0,2}(?:[ .\-\u00a0]?\(0\))?(?:[ .\-/\u00a0]?\(?\d{1,5}\)?){1,6}(?![\w])"
    r"|(?<![\w.,\-–/(])(?:1[-. ])?(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\w]|[-–./]\d)"
)
_ANNOUNCED = re.compile(
    r"(?i)\b(?P<word>(?:tele)?phone|tel|fax|mobile|whatsapp|telefon|téléphone|teléfono|тел|телефон)"
    r"(?P<between>\.?(?: number| no\.?)?\s?:?\s?)(?P<number>\(?\d[\d ().\-/\u00a0]{5,20}\d)(?!\w)"
)
_MIN_PHONE, _MAX_PHONE = 8, 15
_MIN_ANNOUNCED = 6
_DECIMAL = re.compile(r"\+\d+\.\d+")
_SUSPICIOUS = re.compile(r"@|\d\D{0,2}\d\D{0,2}\d\D{0,2}\d\D{0,2}\d|[0-9A-Fa-f]:[0-9A-Fa-f:]", re.ASCII)


@dataclass(frozen=True)
class _Kind:
    """A kind of personal data: its name, its pattern, and what tells it from look-alikes."""

    name: str
    pattern: re.Pattern[str]
    is_real: Callable[[re.Match[str]], bool]

    @property
    def token(self) -> str:
        """What stands in its place."""
        return f"[{self.name.upper()}]"


def mask(texts: Sequence[str]) -> tuple[list[str], list[list[dict[str, str | int]]]]:
    """The texts with personal data as [EMAIL], [IP], [CARD] or [PHONE], and how often each type was found in each.

    Masking a masked text changes nothing.
    """
    masked = [_mask_all(text) for text in texts]
    return [text for text, _ in masked], [counts for _, counts in masked]


def _mask_all(text: str) -> tuple[str, list[dict[str, str | int]]]:
    """A text masked until nothing is found any more, and the counts by type."""
    counts: dict[str, int] = {}
    found = _SUSPICIOUS.search(text) is not None
    while found:
        found = False
        for kind in _KINDS:
            text, number = _mask(text, kind)
            found = found or number > 0
            counts[kind.name] = counts.get(kind.name, 0) + number
    return text, [{"type": name, "count": counts[name]} for name in sorted(counts) if counts[name]]


def _mask(text: str, kind: _Kind) -> tuple[str, int]:
    number = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal number
        if not kind.is_real(match):
            return match[0]
        number += 1
        lead = "" if "number" not in match.re.groupindex else match["word"] + match["between"]
        return lead + kind.token

    return kind.pattern.sub(replace, text), number


def _is_address(match: re.Match[str]) -> bool:
    """Whether it is a valid IPv4 address, or an IPv6 address with three groups at least: `a::b` is a ratio or code."""
    text = match[0]
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return ":" not in text or sum(map(bool, text.split(":"))) >= 3


def _is_card(match: re.Match[str]) -> bool:
    """Whether length, first digit of the issuer and check digit (Luhn, ISO/IEC 7812-1) fit a payment card."""
    digits = [int(character) for character in match[0] if character.isdecimal()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return 13 <= len(digits) <= 19 and digits[0] in {2, 3, 4, 5, 6} and (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _is_phone(match: re.Match[str]) -> bool:
    """Whether it has as many digits as a telephone number (E.164) and is no decimal with a sign."""
    length = sum(map(str.isdecimal, match[0]))
    return _MIN_PHONE <= length <= _MAX_PHONE and _DECIMAL.fullmatch(match[0]) is None


def _is_announced(match: re.Match[str]) -> bool:
    length = sum(map(str.isdecimal, match["number"]))
    return _MIN_ANNOUNCED <= length <= _MAX_PHONE


_KINDS = (
    _Kind("email", EMAIL, bool),
    _Kind("ip", _IP, _is_address),
    _Kind("card", _CARD, _is_card),
    _Kind("phone", _PHONE, _is_phone),
    _Kind("phone", _ANNOUNCED, _is_announced),
)
