"""Values of any type, as columns and JSON keys hold them, to what a record wants: a string, an id, a time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

_LONGEST_ID = 1000  # code points
_LONGEST_TIME = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_EXACT = 2**53  # whole numbers up to here are exact as floats
_MONTHS = {"janfebmaraprmayjunjulaugsepoctnovdec"[3 * number : 3 * number + 3]: number + 1 for number in range(12)}
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})[ -](?P<month>[A-Za-z]{3,9})\.?[ -](?P<year>\d{4})")
_MONTH_FIRST = re.compile(r"(?P<month>[A-Za-z]{3,9})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?")
_ZONE = re.compile(r" ?(?:UTC|GMT|Z)$| (?=[+-]\d\d:?\d\d$)")


def is_missing(value: object) -> bool:
    """Whether there is no value: null, not a number (as pandas writes a null) or a blank string."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_encodable(text: str) -> bool:
    """Whether UTF-8 can hold the string: it has no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def string_of(value: object) -> str | None:
    """A string or number as a string without outer blanks; None where it is neither, blank or not valid Unicode."""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _whole(value) or str(value)
    if not isinstance(value, str) or not value.strip() or not is_encodable(value):
        return None
    return value.strip()


def id_of(value: object) -> str | None:
    """A native id as a string, None where there is none. Raises ValueError for what cannot be an id."""
    if is_missing(value):
        return None
    native = str(value) if isinstance(value, UUID) else _whole(value) if not isinstance(value, str | bytes) else None
    native = native or (string_of(value) if isinstance(value, str | bytes) else None)
    if native is None or len(native) > _LONGEST_ID:
        raise ValueError(f"neither a whole number nor a valid string of at most {_LONGEST_ID} characters")
    return native


def _whole(value: object) -> str | None:
    """The digits of a whole number: 7, 7.0 (a column of numbers with nulls is one of floats) and Decimal("7")."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, int):
        return str(value) if abs(value).bit_length() <= 1000 else None
    if not math.isfinite(value) or value != int(value) or (isinstance(value, float) and abs(value) > _LARGEST_EXACT):
        return None
    return str(int(value))


def time_of(value: object) -> datetime | None:
    """A time in UTC, None where none can be read without guessing.

    Strings: ISO 8601 also of reduced precision (2020, 2020-05), year first with slashes, RFC 2822, English
    month names, and digits. Digits and numbers: a year, YYYYMMDD, YYYYMMDDhhmmss, or a Unix time whose unit its
    size tells: seconds from 1e8 (March 1973), then milliseconds, microseconds and nanoseconds. A time without a zone is
    taken as UTC; 02/03/2020 is ambiguous and so is read as nothing.
    """
    try:
        when = _time(value)
        return when if when is None else _utc(when)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _time(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, float) and not value.is_integer():
        return _unix(value)
    text = (value.strip() if isinstance(value, str) else _whole(value)) or ""
    if not text or len(text) > _LONGEST_TIME:
        return None
    return _digits(text) if text.isascii() and text.isdecimal() else _written(text)


def _utc(when: datetime) -> datetime:
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def _digits(text: str) -> datetime | None:
    """Digits alone; a Unix time in milliseconds has fourteen digits only from 2286 on."""
    if len(text) == 4:
        return datetime(int(text), 1, 1)
    if len(text) == 8:
        return datetime.fromisoformat(text)
    if len(text) == 14 and "1900" <= text[:4] <= "2100":
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}")
    return _unix(int(text))


def _unix(number: float) -> datetime | None:
    for exponent in (0, 3, 6, 9):
        if 10 ** (8 + exponent) <= number < 10 ** (11 + exponent):
            return _EPOCH + timedelta(microseconds=int(number * 10**6) // 10**exponent)
    return None


def _written(text: str) -> datetime | None:
    if "." in text and text.replace(".", "", 1).isdecimal() and text.index(".") > 8:
        return _unix(float(text))
    text = _ZONE.sub(lambda found: "+00:00" if found[0].strip() else "", text)
    attempts: tuple[Callable[[str], datetime | None], ...] = (datetime.fromisoformat, _partial, _rfc2822, _named)
    for attempt in attempts:
        try:
            when = attempt(text)
        except (ValueError, TypeError, IndexError):
            continue
        if when is not None:
            return when
    return None


def _partial(text: str) -> datetime | None:
    """Year and month, or a date whose parts stand apart by slashes or dots or lack a leading zero."""
    found = _YEAR_FIRST.match(text)
    if not found:
        return None
    day = f"{found[1]}-{found[2]:>02}-{found[3] or '1':>02}"
    return datetime.fromisoformat(day + text[found.end() :])


def _rfc2822(text: str) -> datetime | None:
    return parsedate_to_datetime(text.replace("+00:00", " +0000")) if text[3:4] == "," else None


def _named(text: str) -> datetime | None:
    """A day with the English name of its month, and nothing or a time behind it."""
    found = _DAY_FIRST.match(text) or _MONTH_FIRST.match(text)
    if not found:
        return None
    parts: dict[str, Any] = found.groupdict()
    month = _MONTHS.get(parts["month"][:3].lower())
    rest = text[found.end() :].lstrip(" ,")
    return datetime.fromisoformat(f"{parts['year']}-{month or 0:02}-{int(parts['day']):02}" + (rest and f"T{rest}"))
