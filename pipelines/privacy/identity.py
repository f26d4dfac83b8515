"""National identity numbers: by check digits where the form is distinctive, else by a word that announces them.

Forms and checks are those of python-stdnum; the numbers whose validity depends on today's date have their own check.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

from pipelines.privacy.payment import passes_luhn
from pipelines.privacy.rule import Bounds, Rule, announcing, before

_START = re.compile(r"(?<![A-Za-z0-9_\]+.\-–])(?<![0-9][,/])[A-Za-z0-9]", re.ASCII)
_RIGHT = r"(?![A-Za-z0-9_\[])(?![.,\-–/][0-9])"


@dataclass(frozen=True)
class _Form:
    """A kind of number. `check` is a module of stdnum or a function; with `words`, one of them stands before it."""

    form: str
    check: str | Callable[[str], bool]
    words: str = ""
    pattern: re.Pattern[str] = field(init=False)
    announced: re.Pattern[str] | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(f"(?:{self.form}){_RIGHT}", re.ASCII))
        object.__setattr__(self, "announced", announcing(self.words) if self.words else None)

    def is_real(self, text: str, match: re.Match[str]) -> bool:
        """Whether the checks hold for a match of the form."""
        if self.announced is not None and not self.announced.search(before(text, match.start())):
            return False
        return self.check(match[0]) if callable(self.check) else _is_valid(self.check, match[0])


@cache
def _checker(name: str) -> Callable[[str], bool]:
    found: Callable[[str], bool] = importlib.import_module(f"stdnum.{name}").is_valid
    return found


def _is_valid(name: str, number: str) -> bool:
    return _checker(name)(number)


def _is_date(year: str, month: str, day: str) -> bool:
    """Whether month and day exist; the year's last two digits stand for any century."""
    longest = (31, 29 if int(year) % 4 == 0 else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= int(month) <= 12 and 1 <= int(day) <= longest[int(month) - 1]


def _is_personnummer(number: str) -> bool:
    """Swedish: date of birth and three digits, with Luhn's check digit."""
    digits = re.sub(r"\D", "", number)[-10:]
    return _is_date(digits[:2], digits[2:4], str((int(digits[4:6]) - 1) % 60 + 1)) and passes_luhn(digits)


def _is_rijksregister(number: str) -> bool:
    """Belgian: date of birth and counter, with 97 less their remainder by 97; a 2 before those born from 2000 on."""
    digits = re.sub(r"\D", "", number)
    wanted = int(digits[-2:])
    return any(97 - int(lead + digits[:-2]) % 97 == wanted for lead in ("", "2"))


def _is_rrn(number: str) -> bool:
    """South Korean: date of birth and sex, with a check digit by weights modulo 11."""
    digits = [int(digit) for digit in number if digit.isdigit()]
    total = sum(weight * digit for weight, digit in zip((2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), digits, strict=False))
    text = "".join(map(str, digits))
    return _is_date(text[:2], text[2:4], text[4:6]) and (11 - total % 11) % 10 == digits[-1]


def _is_birth_number(number: str) -> bool:
    """Danish: a date and four digits; since 2007 there is no check digit."""
    digits = re.sub(r"\D", "", number)
    return _is_date(digits[4:6], digits[2:4], digits[:2])


def _is_fodselsnummer(number: str) -> bool:
    """Norwegian: two check digits by weights modulo 11."""
    digits = [int(digit) for digit in number if digit.isdigit()]
    first = sum(weight * digit for weight, digit in zip((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), digits, strict=False))
    second = sum(weight * digit for weight, digit in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), digits, strict=True))
    return first % 11 == 0 and second % 11 == 0


def _is_south_african(number: str) -> bool:
    """South African: date of birth, sex, citizenship, with Luhn's check digit."""
    return _is_date(number[:2], number[2:4], number[4:6]) and number[10] in "01" and passes_luhn(number)


def _always(_number: str) -> bool:
    return True


_NINO = r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
_NIR = r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[235-9]\d|4[0-2]) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d"
_SSN_WORDS = r"ssn|ssns|social security(?: (?:number|no|num|card|nr))?|social|tax ?id|itin"
_FORMS = (
    _Form(r"\d{3}-\d\d-\d{4}", "us.ssn"),
    _Form(r"\d{3}[ -]?\d\d[ -]?\d{4}", "us.ssn", _SSN_WORDS),
    _Form(_NINO + r" \d\d ?\d\d ?\d\d ?[A-D]", _always),
    _Form(_NINO + r" ?\d\d ?\d\d ?\d\d ?[A-D]", _always, r"nino|national insurance|ni (?:number|no)"),
    _Form(r"\d{3} ?\d{3} ?\d{4}", "gb.nhs", r"nhs"),
    _Form(
        r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}",
        "de.idnr",
        r"steuer-?id|idnr|steuer-?identifikationsnummer|steuer-?idnr|tin|tax",
    ),
    # Account numbers of a social network begin with 1000 and have 15 digits too.
    _Form(r"(?!1000\d{11})" + _NIR, "fr.nir"),
    _Form(_NIR, "fr.nir", r"nir|insee|sécurité sociale|sécu"),
    _Form(r"\d{8}[ -]?[A-HJ-NP-TV-Z]", "es.dni"),
    _Form(r"[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z]", "es.nie"),
    _Form(r"(?i:[A-Z]{6}\d\d[A-EHLMPRST][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z])", "it.codicefiscale"),
    _Form(r"\d{11}", "pl.pesel", r"pesel"),
    _Form(r"\d{4}[. ]?\d\d[. ]?\d{3}", "nl.bsn", r"bsn|burgerservicenummer|sofi-?nummer|citizen service number"),
    _Form(r"\d{9}", "pt.nif", r"nif|contribuinte|nif/niss"),
    _Form(r"[1-9]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d\d{3}[\dXx]", "cn.ric"),
    _Form(r"\d{3}\.\d{3}\.\d{3}-\d\d", "br.cpf"),
    _Form(r"\d{11}|\d{9}-\d\d", "br.cpf", r"cpf"),
    _Form(r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", "in_.aadhaar", r"aadhaar|aadhar|adhaar|uidai|uid|आधार|ஆதார்|ఆధార్"),
    _Form(r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]", "in_.pan", r"pan|permanent account number|income tax"),
    _Form(r"(?:18|19|20)?\d{6}[-+]\d{4}", _is_personnummer),
    _Form(r"(?:18|19|20)?\d{10}", _is_personnummer, r"personnummer|personnr|samordningsnummer"),
    _Form(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", "fi.hetu"),
    _Form(r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", _is_rijksregister),
    _Form(r"\d{11}", _is_rijksregister, r"rijksregisternummer|registre national|national register|insz|niss"),
    _Form(r"\d{6}-\d{7}", _is_rrn),
    _Form(r"\d{6}[- ]?\d{4}", _is_birth_number, r"cpr|cpr-?nr|cpr-?nummer|personnummer"),
    _Form(r"\d{6} ?\d{5}", _is_fodselsnummer, r"fødselsnummer|fodselsnummer|personnummer|f\.?nr"),
    _Form(r"756\.?\d{4}\.?\d{4}\.?\d\d", "ch.ssn"),
    _Form(r"[1-9]\d{10}", "tr.tckimlik", r"t\.?c\.?|kimlik|tckn|tc kimlik(?: no)?"),
    _Form(r"\d{3}[ -]?\d{3}[ -]?\d{3}", "ca.sin", r"sin|social insurance|nas"),
    _Form(r"\d{3} ?\d{3} ?\d{3}", "au.tfn", r"tfn|tax file"),
    _Form(r"\d{13}", _is_south_african, r"id|identity|identiteitsnommer|rsa id"),
    _Form(r"[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d", "mx.curp"),
    _Form(r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]", "cl.rut"),
    _Form(r"(?:20|23|24|27)-\d{8}-\d", "ar.cuit"),
    _Form(r"\d{10}", "ua.rntrc", r"рнокпп|іпн|ідентифікаційний код|ипн"),
)


# Every alternative begins with a digit, so that Polars' engine can leap from digit to digit.
_HINTS = (
    r"(?:[0-9][ ().+\-/\u00a0]{0,2}){8}[0-9]",
    r"[0-9]{6}[0-9.\-]?[ A-Z\-+\u00a0][A-Z0-9]",
    r"[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
    r"[0-9]{2}[A-Za-z][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z]",
    r"[0-9]{4}[A-Z]",
    r"[0-9]{2} ?2[AB] ?[0-9]{3}",
    r"[0-9]\.[0-9]{3}\.[0-9]{3}-[0-9Kk]",
)
_SHAPE = re.compile("|".join(_HINTS), re.ASCII)
_LONGEST = 24
_LETTERS_FIRST = tuple(form for form in _FORMS if form.form.startswith(("[A-Z]", "(?i:[A-Z]", "[XYZ]", "(?!BG")))
_DIGITS_FIRST = tuple(form for form in _FORMS if form not in _LETTERS_FIRST)


def _identities(text: str) -> Iterator[Bounds]:
    """Numbers of every country, the first and longest of those that overlap."""
    last = 0
    for start, end in sorted(_matches(text), key=lambda bounds: (bounds[0], -bounds[1])):
        if start >= last:
            yield start, end
            last = end


def _matches(text: str) -> Iterator[Bounds]:
    """Real numbers of every form, looked for from the words around what the hints match."""
    last = 0
    for hint in _SHAPE.finditer(text):
        first, last = max(last, hint.start() - _LONGEST), hint.end()
        for start in _START.finditer(text, first, last):
            for form in _DIGITS_FIRST if start[0].isdigit() else _LETTERS_FIRST:
                match = form.pattern.match(text, start.start())
                if match is not None and form.is_real(text, match):
                    yield match.span()


IDENTITY_RULE = Rule("national_id", _HINTS, _identities)
