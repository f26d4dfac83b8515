"""Telephone numbers: by a form that nothing else has, or by a word that announces them.

International numbers follow ITU-T E.164, North American ones the NANP, national ones begin with their trunk prefix 0.
What stands between digits makes the run; a run that is a date, a range of years or a number with its thousands apart
is a telephone number only right behind a word like `phone`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.privacy.rule import Bounds, Rule, after, announcing, before

_RUN = re.compile(r"\d(?:[ .\-/\u00a0()]{0,2}+\d){5,}+", re.ASCII)
_EXTENSION = re.compile(r"[ ,]{0,2}(?:x|ext\.?|extension|доб\.?) ?\d{1,6}(?!\w)", re.IGNORECASE)
_LEFT_BLOCKS = re.compile(r"[\w\]+@#=&/.:\-–−~$€£]\Z|\d,\Z|[$€£¥]\s\Z", re.ASCII)
_RIGHT_BLOCKS = re.compile(r"[\w\[%°′″@&=]|[.,:–−-]\d|[°′″×]| ?%", re.ASCII)
_CHAIN = 8
_MIN_ANNOUNCED, _MIN, _MAX = 6, 7, 15

_NANP = re.compile(r"(?:1[-. ])?(?:\([2-9]\d\d\)[ -]?|[2-9]\d\d([-.]))\d{3}(?:\1|[-.])\d{4}")
_NANP_INSIDE = re.compile(r"(?<![\d.\-/(])" + _NANP.pattern + r"(?![.\-/]?\d)")
_TRUNK = re.compile(r"\(?0[1-9]\d{0,3}(?:\)[ \-]?|[ .\-\u00a0]|/(?!0))\d{2,8}(?:[ .\-\u00a0]\d{2,4})*")
_ISO_DATE = re.compile(r"(?:19|20)\d\d-[01]\d-[0-3]\d")
_POSTCODE = re.compile(r"\d{5}-\d{4}")
_CALLING_CODE = re.compile(
    r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-69]\d|3[578]\d|42[013]|5[09]\d|6[7-9]\d|8[058]\d|9[679]\d"
)

_YEARS = re.compile(r"(?:1\d{3}|20\d\d)(?:[-/ .](?:1\d{3}|20\d\d|\d\d))+")
_DATE = re.compile(r"\d{4}([-/. ])[01]?\d\1[0-3]?\d|[0-3]?\d([-/. ])[0-3]?\d\2\d{4}")
_THOUSANDS = re.compile(r"\d{1,3}(?:([ .\u00a0])\d{3})(?:\1\d{3})*")
_DECIMAL = re.compile(r"[+]?\d+\.\d+")

_NOUNS = (
    r"(?:tele|smart|cell|mobile |i)?phones?|ph(?=[.:])|tel|tél|telephone|fax|mobile|mob|cell|cellphone|cellular"
    r"|landline|hotline|helpline|whatsapp|viber|voicemail|call|sms|telefon|telefonnummer|handy|mobil|mobiltelefon"
    r"|festnetz|rufnummer|téléphone|portable|teléfono|móvil|celular|telefone|telemóvel|telefono|cellulare|telefoon"
    r"|mobiel|gsm(?=[.:\s])|puhelin|puh|matkapuhelin|tlf|mobilnummer|telp|hp(?=[.:])|тел|телефон|телефону|телефона"
    r"|моб|факс|мобильный|мобільний|τηλ|τηλέφωνο|κινητό|điện thoại|đt|هاتف|תלפון|טלפון|फोन|फ़ोन"
)
_FILLER = (
    r"(?:number|numbers|no|nr|num|nummer|n°|nº|numéro|número|numero|номер|is|are|was|at|on|us|me|and|the|my|our|your|office|home"
    r"|work|or|und|et|y|e|и)"
)
_TIGHT = re.compile(
    rf"(?i)(?:(?<![^\W_])(?<![\[.\-/])(?:{_NOUNS})"
    rf"|(?:^|[\n,;|(])[ \t]*(?:desk|office|home|work|direct|main|t|m|p|f|o):+"
    rf"|(?:电话|電話|手机|手機|传真|傳真|携帯|전화|휴대폰|โทร)(?:番号|号码|號碼|번호)?)"
    rf"[^\w\[\]]{{0,4}}(?:{_FILLER}[^\w\[\]]{{1,4}}){{0,3}}$"
)
_CHAINED = re.compile(r"(?i)\[PHONE\](?:[\s,;/]|\b(?:or|and|und|et|y|и|to|fax|tel)\b|[.:]){0,8}$")
_VERBS = announcing(
    r"call|calls|calling|called|dial|dials|ring|text|texts|sms|message|messages|reach|contact|answer|answers|answering|phone"
    r"|fax|telephone|whatsapp|anrufen|erreichbar|appeler|appelez|joindre|llamar|llame|llámame|chiamare|ligar|bellen|позвонить|звоните"
)
_TO_ONE = re.compile(
    r"(?i)\b(?:at|on|to|via|is|number|no|unter|au|al|по|(?:my|our|your|his|her|their)(?: [^\W\d_]+){1,2}):? *$"
)
_IMMEDIATE = re.compile(r"(?i)\b[^\W\d_]+(?: (?:me|us|him|her|them|back))? (?:at|on|to) *$")
_OTHER_NUMBER = re.compile(r"(?i)\b(?:isbn|issn|oclc|doi|pmid|lccn|id|page|pages|pp|vol|no\. of|number of)\b")
_CATALOGUED = re.compile(r"(?i)(?<![^\W_])(?:isbn(?:-1[03])?|issn|oclc|doi|pmid|lccn|arxiv|ean)[\s:=|#]{0,4}$")
_AFTER = re.compile(
    r"(?i) ?[-–,(]? ?(?:office|fax|mobile|mob|cell|home|work|desk|phone|direct)(?![^\W_])(?P<end> *(?:$|[\n\\,;|)/]))?"
)


def _phones(text: str) -> Iterator[Bounds]:
    """Numbers in order; one that follows another within a few marks is announced by it."""
    last = -_CHAIN - 1
    for match in _RUN.finditer(text):
        start, end = _bounds(text, match)
        is_chained = start - last <= _CHAIN and _CHAINED.search("[PHONE]" + text[last:start]) is not None
        found = _accepted(text, start, end, is_chained=is_chained)
        if found is not None:
            yield found
            last = found[1]


def _bounds(text: str, match: re.Match[str]) -> Bounds:
    """The run with the plus and the parenthesis before it, without a parenthesis that nothing closes."""
    start, end, run = match.start(), match.end(), match[0]
    if run.count("(") > run.count(")"):
        end = start + len(run[: run.rindex("(")].rstrip())
    if text[start - 1 : start] == "(" and run.count(")") > run.count("("):
        start -= 1
    if text[start - 1 : start] == "+":
        start -= 1
    return start, end


def _accepted(text: str, start: int, end: int, *, is_chained: bool) -> Bounds | None:
    """Bounds of the number in the run, its extension included, or None."""
    run = text[start:end]
    extension = _EXTENSION.match(text, end)
    stop = extension.end() if extension else end
    if _RIGHT_BLOCKS.match(text, stop):
        return None
    if _CATALOGUED.search(before(text, start)):
        return None
    if _LEFT_BLOCKS.search(before(text, start, 2)) and not _is_labelled(text, start):
        return None
    if _is_strong(run) or _is_announced(text, start, end, is_chained=is_chained):
        return start, stop
    inside = _NANP_INSIDE.search(run)
    return None if inside is None else (start + inside.start(), start + inside.end())


def _is_labelled(text: str, start: int) -> bool:
    """Whether the mark before the number is that of `tel:` or `Tel.`, or of a number before it."""
    return text[start - 1] in ":.,/-" and _TIGHT.search(before(text, start)) is not None


def _is_strong(run: str) -> bool:
    """Whether the form alone tells a telephone number."""
    digits = re.sub(r"\D", "", run)
    if run.startswith("+") or (run.startswith("00") and not run.isdigit() and len(digits) > _MIN + 3):
        return _is_international(run, digits.removeprefix("00"))
    if _NANP.fullmatch(run):
        return True
    is_other = _DATE.fullmatch(run) or _POSTCODE.fullmatch(run) or _ISO_DATE.search(run)
    return 9 <= len(digits) <= 11 and _TRUNK.fullmatch(run) is not None and is_other is None


def _is_international(run: str, digits: str) -> bool:
    """Whether calling code and length fit E.164, and it is no decimal or angle with a sign."""
    if not 8 <= len(digits) <= _MAX or _DECIMAL.fullmatch(run) or _CALLING_CODE.match(digits) is None:
        return False
    is_angle = "." in run and " " in run and run.index(" ") < run.index(".")
    return not is_angle and (digits[0] != "1" or len(digits) == 11)


def _is_announced(text: str, start: int, end: int, *, is_chained: bool) -> bool:
    """Whether a word before or after the run tells that it is a telephone number."""
    run, lead = text[start:end], before(text, start)
    length = sum(map(str.isdigit, run))
    if not _MIN_ANNOUNCED <= length <= _MAX or _YEARS.fullmatch(run) or _DATE.fullmatch(run) or _DECIMAL.fullmatch(run):
        return False
    if _TIGHT.search(lead) or is_chained or _CHAINED.search(lead):
        return True
    if length < _MIN:
        return False
    is_thousands = _THOUSANDS.fullmatch(run) is not None
    mark = _AFTER.match(after(text, end))
    if mark is not None and (mark["end"] is not None or not (run.isdigit() or is_thousands)):
        return True
    return _is_called(run, lead, is_thousands=is_thousands)


def _is_called(run: str, lead: str, *, is_thousands: bool) -> bool:
    """Whether a verb like `call` and a word like `at` lead to the run."""
    if run.isdigit() and not (run.startswith("0") or len(run) == 10):
        return False
    found = _VERBS.search(lead)
    if found is None or not _TO_ONE.search(found[0]) or _OTHER_NUMBER.search(found[0]):
        return False
    return not is_thousands or _IMMEDIATE.fullmatch(found[0]) is not None


PHONE_RULE = Rule("phone", (r"(?:[0-9][ ().\-/\u00a0]{0,2}){5}[0-9]",), _phones)
