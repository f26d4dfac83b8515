"""The infobox of a page as pairs of name and value."""

from __future__ import annotations

import json
import re

from pipelines.wikitext.inline import plain
from pipelines.wikitext.markers import BREAK
from pipelines.wikitext.page import Page

MAX_PAIRS, MAX_NAME, MAX_VALUE, MAX_TOTAL = 80, 60, 500, 8000
"""Pairs, and code points of a name, a value and all values together, that are kept at the most."""

_WORDS = (
    "infobox", "taxobox", "speciesbox", "automatic taxobox", "info/", "info ", "infoboks", "infoskreine", "infotaula",
    "infokast", "infokutija", "infocaseta", "infocasetă", "ficha", "картка", "карточка", "инфокутия", "инфокутија",
    "інфобокс", "πληροφορίες", "κουτί πληροφοριών", "πλαίσιο πληροφοριών", "thông tin", "hộp thông tin", "基礎情報",
    "信息框", "資訊框", "생물 분류", "bilgi kutusu", "kotak info", "sinottico", "infolauk", "infolentelė",
    "tietolaatikko",
    "knowledge panel", "জ্ঞানসন্দুক", "ज्ञानसन्दूक", "صندوق معلومات", "معلومات", "جعبه", "תבנית מידע", "ინფოდაფა",
    "տեղեկաքարտ",
)  # fmt: skip
_NO_NAME = re.compile(r"[\n<>\[\]]")
_JSON = json.JSONEncoder(ensure_ascii=False)
_LEAST_PAIRS = 3


def take(content: str, page: Page, *, leads: bool) -> None:
    """Keep the pairs of a template of the lead that is an infobox, by its name or, where `leads`, by its shape."""
    head, _, rest = content.partition("|")
    name = head.replace("_", " ").strip()
    if not (name.lower().startswith(_WORDS) or (leads and "\n" in head + rest)):
        return
    pairs = dict(pair for part in rest.split("|") if (pair := _pair(part)))
    if len(pairs) < _LEAST_PAIRS:
        return
    values = plain("\n".join(pairs.values())).split("\n")
    page.infobox_name = name[:MAX_NAME]
    page.infobox = _bounded(dict(zip(pairs, values, strict=True)))


def _pair(part: str) -> tuple[str, str] | None:
    """Name and value on one line, without line breaks around it; nothing for a part without a value."""
    name, equals, value = part.partition("=")
    name = name.strip()
    if not (name and equals) or len(name) > MAX_NAME or _NO_NAME.search(name):
        return None
    value = " ".join(value.split()).strip(f"{BREAK} ")
    return (name, value) if value else None


def _bounded(pairs: dict[str, str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    left = MAX_TOTAL
    for name, value in zip(pairs, map(str.strip, pairs.values()), strict=True):
        if not any(map(str.isalnum, value)):
            continue
        kept[name] = value[: min(MAX_VALUE, left)]
        left -= len(kept[name])
        if len(kept) == MAX_PAIRS or not left:
            break
    return kept


def as_json(page: Page) -> str | None:
    """`{"infobox": {"name": …, "pairs": {…}}}`, None without an infobox."""
    if not page.infobox:
        return None
    return _JSON.encode({"infobox": {"name": page.infobox_name, "pairs": page.infobox}})
