"""Payment cards (ISO/IEC 7812-1) and bank accounts (IBAN, ISO 13616)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.privacy.rule import Bounds, Rule, after, announcing, before

_CARD = re.compile(
    r"(?<![\w.,+\]\-–/])(?:\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}|\d{12,19})(?![\w\[]|[.,\-–/]\d)",
    re.ASCII,
)
# Networks by first digits and length, as their issuers publish them: Visa, Mastercard, American Express, Diners Club,
# Discover, JCB, UnionPay, Maestro, Mir, RuPay, Verve. Visa's 13 and Maestro's 12 digits want a word like `card`.
_ISSUER = re.compile(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|222[1-9]\d{12}|2720\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|09|[689]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12}|(?:2131|1800)\d{11}"
    r"|62\d{14,17}|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{10,15}|220[0-4]\d{12}|(?:60|81|82|508\d)\d{14}|506[01]\d{12,15}"
)
_CARD_WORDS = (
    "cards?|cc|credit|debit|visa|mastercard|maestro|amex|american express|discover|diners|jcb|unionpay|payment|pan"
    "|carte|cartes|karte|kreditkarte|tarjeta|cartão|carta|kaart|creditcard|kort|karta|karty|kartu|thẻ|карта|карты|картка"
)
_IS_CARD = announcing(_CARD_WORDS)
_IS_CARD_UNSPACED = re.compile(r"(?:信用卡|银行卡|銀行卡|卡号|カード|카드)[^\d\[\]]*$")
_CARD_AFTER = re.compile(r"(?i)[^\d\n\[\]]{0,12}\b(?:credit card|debit card|card|cvv|cvc|exp(?:iry|ires|iration)?)\b")


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (Luhn, ISO/IEC 7812-1 annex B)."""
    numbers = [int(digit) for digit in digits]
    doubled = [sum(divmod(2 * number, 10)) for number in numbers[-2::-2]]
    return (sum(doubled) + sum(numbers[-1::-2])) % 10 == 0


def _cards(text: str) -> Iterator[Bounds]:
    """Numbers with a right check digit that an issuer's range or a word nearby tells to be a card's."""
    for match in _CARD.finditer(text):
        digits = re.sub(r"[ -]", "", match[0])
        if len(set(digits)) > 1 and passes_luhn(digits) and (_ISSUER.fullmatch(digits) or _is_announced(text, match)):
            yield match.span()


def _is_announced(text: str, match: re.Match[str]) -> bool:
    lead = before(text, match.start())
    found = _IS_CARD.search(lead) or _IS_CARD_UNSPACED.search(lead) or _CARD_AFTER.match(after(text, match.end()))
    return found is not None


# Total length by country, from the IBAN registry (release 99).
_LENGTHS = {
    15: "NO",
    16: "BE",
    18: "DK FK FI FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ DJ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
_LENGTH_OF = {country: length for length, countries in _LENGTHS.items() for country in countries.split()}
_IBAN = re.compile(r"(?<![^\W_])(?<!\])([A-Za-z]{2})\d{2}(?=[ \u00a0-]?[A-Za-z0-9]{4})", re.ASCII)


def _ibans(text: str) -> Iterator[Bounds]:
    """Account numbers of a registered country and its length whose check digits are right."""
    last = 0
    for match in _IBAN.finditer(text):
        if match.start() < last or (length := _LENGTH_OF.get(match[1].upper())) is None:
            continue
        end = _end_of(text, match.start(), length)
        if end is not None and _has_check_digits(re.sub(r"[ \u00a0-]", "", text[match.start() : end])):
            yield match.start(), end
            last = end


def _end_of(text: str, start: int, length: int) -> int | None:
    """Where `length` letters and digits end, with at most one blank or dash after each four; None if they do not."""
    position = start
    for count in range(1, length + 1):
        if position >= len(text) or not (text[position].isascii() and text[position].isalnum()):
            return None
        position += 1
        if count % 4 == 0 and count < length and text[position : position + 1] in {" ", "\u00a0", "-"}:
            position += 1
    is_end = not text[position : position + 1].isalnum() and text[position : position + 1] not in {"_", "["}
    return position if is_end else None


def _has_check_digits(iban: str) -> bool:
    """Whether the remainder by 97 is 1 (ISO 7064 MOD 97-10)."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1


CARD_RULE = Rule("card", (r"(?:[0-9][ ().\-/\u00a0]{0,2}){11}[0-9]",), _cards)
IBAN_RULE = Rule(
    "iban", (r"[0-9]{2}(?:[ \u00a0-]?[A-Z0-9]{4}){2}[ \u00a0-]?[A-Z0-9]{3}", r"[0-9]{2}[A-Za-z0-9]{11}"), _ibans
)
