"""Templates of dates, in the wiki's language."""

from __future__ import annotations

from pipelines.wikitext.page import Page
from pipelines.wikitext.templates.arguments import YES, Arguments, Renderer, argument, around, joined, positional, words

# fmt: off
_MONTHS = {
    lang: names.split()
    for lang, names in {
        "en": "January February March April May June July August September October November December",
        "el": "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου Οκτωβρίου Νοεμβρίου "
              "Δεκεμβρίου",
        "uk": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
        "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        "bg": "януари февруари март април май юни юли август септември октомври ноември декември",
        "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
        "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "nl": "januari februari maart april mei juni juli augustus september oktober november december",
        "sv": "januari februari mars april maj juni juli augusti september oktober november december",
        "br": "Genver C'hwevrer Meurzh Ebrel Mae Mezheven Gouere Eost Gwengolo Here Du Kerzu",
    }.items()
}
_PATTERNS = {
    "vi": "{day} tháng {number} năm {year}", "ja": "{year}年{number}月{day}日", "zh": "{year}年{number}月{day}日",
    "ko": "{year}년 {number}월 {day}일", "de": "{day}. {month} {year}", "es": "{day} de {month} de {year}",
    "pt": "{day} de {month} de {year}",
}
_AS_OF = {"en": "As of {}", "vi": "Tính đến {}", "uk": "Станом на {}", "ru": "По состоянию на {}", "de": "Stand {}",
          "el": "Από {}", "bg": "Към {}", "fr": "En {}", "ja": "{}現在", "zh": "截至{}", "it": "Al {}",
          "pl": "Stan na {}"}
# fmt: on
_NUMBERS = {name.lower(): str(number) for number, name in enumerate(_MONTHS["en"], start=1)}


def month_name(word: str, page: Page) -> str:
    """`2` as the name of the month, a word as it is; a number where the language is not known."""
    names = _MONTHS.get(page.lang)
    return (
        names[int(word) - 1]
        if names and word.isascii() and word.isdecimal() and len(word) < 3 and 1 <= int(word) <= 12
        else word
    )


def written(year: str, month: str, day: str, page: Page, *, day_first: bool = False) -> str:
    """A date as the language writes it; what is missing is left out."""
    month = _NUMBERS.get(month.lower(), month)
    pattern = _PATTERNS.get(page.lang)
    if pattern and "{number}" in pattern:
        return _numbered(year, month, day, page) if month.isdecimal() else " ".join(filter(None, (day, month, year)))
    name = month_name(month, page)
    if not day or not name:
        return " ".join(word for word in (name, year) if word)
    if name.isdecimal():
        return f"{year}-{name:0>2}-{day:0>2}"
    if page.lang == "en" and not day_first:
        return f"{name} {day}, {year}"
    return (pattern or "{day} {month} {year}").format(day=day, month=name, year=year)


def _numbered(year: str, month: str, day: str, page: Page) -> str:
    month = month.lstrip("0")
    if page.lang == "vi":
        return f"{day} tháng {month} năm {year}" if day else f"tháng {month} năm {year}"
    shown = _PATTERNS[page.lang].format(day=day.lstrip("0"), number=month, year=year)
    return shown if day else shown.partition("月")[0] + "月" * ("月" in shown)


def _date(arguments: Arguments, page: Page) -> str:
    """`1905|2|9` and `9|2|1905` alike: the longest of three figures is the year."""
    first, second, third = [*positional(arguments), "", "", ""][:3]
    if len(third) > 2 and third[:3].isdigit() and len(first) <= 2:
        first, third = third, first
    return written(first, second, third, page, day_first=arguments.get("df", "").lower() in YES)


def _as_of(arguments: Arguments, page: Page) -> str:
    if arguments.get("alt"):
        return arguments["alt"]
    year, month, day = [*words(arguments), "", "", ""][:3]
    when = written(year, month, day, page, day_first=True)
    if arguments.get("lc", "").lower() in YES and page.lang == "en":
        return f"as of {when}"
    return _AS_OF.get(page.lang, "{}").format(when)


def _span(arguments: Arguments, _: Page) -> str:
    """Chinese `{{bd|1879年|3月14日|1955年|4月18日}}`: born and died."""
    born_year, born, died_year, died = [*positional(arguments), "", "", "", ""][:4]
    return f"（{born_year}{born}－{died_year}{died}）"


def _old_style(arguments: Arguments, _: Page) -> str:
    """`February 2|1905|January 20` is `February 2, 1905`; Ukrainian `26|квітня|1795|15` is `26 (15) квітня 1795`."""
    given = positional(arguments)
    if len(given) > 2 and given[0].isdigit():
        old = f" ({given[3]})" if len(given) > 3 and given[3] else ""
        return f"{given[0]}{old} {given[1]} {given[2]}"
    return ", ".join(arguments[key] for key in ("1", "2") if arguments.get(key))


def _reign(arguments: Arguments, _: Page) -> str:
    return "r. " + "–".join(words(arguments))


# fmt: off
_DATES = ["birth date", "birth-date", "birth date and age", "bda", "dob", "death date", "death date and age",
          "start date", "start date and age", "end date", "film date", "release date", "birth year and age", "date",
          "birth date and age2", "dda", "death year and age", "start-date", "ημερομηνία γέννησης",
          "ημερομηνία γέννησης και ηλικία", "ημερομηνία θανάτου", "ημερομηνία θανάτου και ηλικία", "дн", "дн2", "дс",
          "дс2", "дата народження", "дата народження і вік", "дата смерті", "дата смерті і вік", "дата рождения",
          "дата смерти", "дата", "дата рождение", "дата рождения и возраст", "рождение", "роден на",
          "дата на раждане", "ngày sinh", "ngày sinh và tuổi", "ngày mất", "ngày mất và tuổi", "ngày bắt đầu",
          "date de naissance", "date de naissance-", "date de décès", "date-", "date rapide", "datum",
          "data urodzenia", "生年月日と年齢", "生年月日", "死亡年月日と没年齢", "没年月日と没年齢", "出生日期",
          "出生日期及年齡", "出生日期和年龄", "死亡日期",
          "死亡日期及年齡", "死亡日期和年龄", "bda2", "deiziad", "data"]
DATES: dict[str, Renderer] = (
    dict.fromkeys(_DATES, _date)
    | dict.fromkeys(("as of", "asof", "tính đến", "станом на", "по состоянию на", "stand", "截至", "από",
                     "à jour"), _as_of)
    | dict.fromkeys(("circa", "ca", "c", "ca."), around("c. ")) | dict.fromkeys(("floruit", "fl."), around("fl. "))
    | dict.fromkeys(("reign", "r."), _reign) | dict.fromkeys(("oldstyledate", "old style date"), _old_style)
    | {"ad": around("AD "), "bd": _span, "bce": around("", " BCE"), "ce year": around("CE ")}
    | dict.fromkeys(("нар.", "нар"), around("нар. ")) | dict.fromkeys(("н",), around("н. "))
    | dict.fromkeys(("пом.", "пом"), around("пом. ")) | dict.fromkeys(("рік у театрі", "рік у науці",
                     "рік"), argument("1"))
    | dict.fromkeys(("siècle", "s-", "sap", "s2-"), joined("")) | {"sm": joined("")}
)
# fmt: on
