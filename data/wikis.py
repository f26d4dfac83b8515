"""Editions of Wikipedia: language code to database name, and `wikipedia:<lang>[:<date>|latest]` as a source."""

from __future__ import annotations

import re

from data.catalogue import Source, UnknownSourceError

LICENCE = "CC BY-SA 4.0 and GFDL (Wikipedia)"
# Editions whose database has the name of an older code (https://meta.wikimedia.org/wiki/Special_language_codes).
_DATABASES = {
    "be-tarask": "be_x_old",
    "gsw": "als",
    "lzh": "zh_classical",
    "nan": "zh_min_nan",
    "nb": "no",
    "rup": "roa_rup",
    "sgs": "bat_smg",
    "vro": "fiu_vro",
    "yue": "zh_yue",
}
_LANGUAGES = {"simple": "en", **{database: code for code, database in _DATABASES.items() if database != "no"}}
_CODE = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


def wikipedia(words: str) -> Source:
    """The source of `<lang>[:<date>|latest]`. Raises UnknownSourceError for what cannot be one."""
    code, _, when = words.partition(":")
    code = code.lower().removesuffix("wiki")
    date = when.replace("-", "") or "latest"
    if not _CODE.fullmatch(code):
        raise UnknownSourceError(
            f"'wikipedia:{words}' names no language; write the code before .wikipedia.org: wikipedia:uk"
        )
    if date != "latest" and not re.fullmatch(r"[0-9]{8}", date):
        raise UnknownSourceError(
            f"'wikipedia:{words}': '{when}' is no date; write wikipedia:{code}:YYYYMMDD or wikipedia:{code}:latest"
        )
    name = database(code)
    return Source(
        name=name,
        location=f"wikipedia:{code}:{date}",
        reader="wikipedia",
        licence=LICENCE,
        language=_LANGUAGES.get(name.removesuffix("wiki"), code),
        about=f"Wikipedia, {code}.wikipedia.org, {'latest dump' if date == 'latest' else 'dump of ' + date}",
    )


def database(code: str) -> str:
    """Name of the database of a language's Wikipedia: `uk` → `ukwiki`."""
    return _DATABASES.get(code, code).replace("-", "_") + "wiki"


def dump_of(location: str) -> tuple[str, str]:
    """Database and date of the location of a dump: `wikipedia:uk:latest` → (`ukwiki`, `latest`)."""
    _, code, date = location.split(":")
    return database(code), date
