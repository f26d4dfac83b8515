"""Templates of figures and units; figures are grouped as the wiki's language does."""

from __future__ import annotations

import re

from pipelines.wikitext.page import Page
from pipelines.wikitext.templates.arguments import (
    Arguments,
    Renderer,
    argument,
    around,
    joined,
    named,
    positional,
    words,
)

# fmt: off
_UNITS = {
    "sqmi": "sq mi", "sqft": "sq ft", "sqkm": "km²", "km2": "km²", "m2": "m²", "cm2": "cm²", "mi2": "sq mi",
    "ft2": "sq ft", "m3": "m³", "km3": "km³", "cm3": "cm³", "ft3": "cu ft", "cuft": "cu ft", "cuin": "cu in",
    "cumi": "cu mi", "C": "°C", "F": "°F", "K": "K", "C-change": "°C", "F-change": "°F", "g/cm3": "g/cm³",
    "kg/m3": "kg/m³", "m/s2": "m/s²", "km/h": "km/h", "kmph": "km/h", "USgal": "US gal", "impgal": "imp gal",
    "PD/sqkm": "inhabitants per km²", "PD/sqmi": "inhabitants per square mile", "/km2": "per km²", "nmi": "nmi",
    "lbf": "lbf", "acre": "acres", "foot": "feet", "mile": "miles", "inch": "inches", "e6acre": "million acres",
    "m3/s": "m³/s", "μm": "μm", "um": "μm",
}
_RANGES = {
    "to": " to ", "and": " and ", "or": " or ", "by": " by ", "x": " × ", "×": " × ", "*": " × ", "to(-)": " to ",
    "-": "–", "–": "–", "and(-)": " and ", "+/-": " ± ", "±": " ± ", ",": ", ", "đến": " đến ", "до": " до ",
}
_SEPARATORS = {
    lang: separators
    for separators, languages in {
        (".", ","): "el vi de it es pt id tr nl da ro br ca gl hr sl sr bs mk is eu fo kl li fur sc",
        ("\u00a0", ","): "uk ru fr pl bg cs fi sv nb nn no sk hu be kk lv ltg lt et hy ka tt ba cv eo oc af sq",
    }.items()
    for lang in languages.split()
}
# fmt: on
_FIGURE = re.compile(r"[\d.,+\-−/ ]{1,40}")
_PLAIN_FIGURE = re.compile(r"([+\-−]?)(\d{1,18})(?:\.(\d{1,30}))?")


def grouped(word: str, page: Page) -> str:
    """`2381741` is `2,381,741` on an English wiki and `2.381.741` on a German one."""
    figure = _PLAIN_FIGURE.fullmatch(word.strip())
    if not figure:
        return word
    thousands, point = _SEPARATORS.get(page.lang, (",", "."))
    sign, whole, decimals = figure.groups()
    if len(whole) > 3 and not whole.startswith("0"):
        whole = f"{int(whole):,}".replace(",", thousands)
    return sign + whole + (point + decimals if decimals else "")


def _convert(arguments: Arguments, page: Page) -> str:
    """`5|km|mi` is `5 km`, `5|to|10|km` is `5 to 10 km`, `6|ft|2|in` is `6 ft 2 in`."""
    given = [grouped(word, page) for word in positional(arguments)]
    shown = given[0] if given else ""
    index = 1
    while index + 1 < len(given) and given[index] in _RANGES:
        shown += _RANGES[given[index]] + given[index + 1]
        index += 2
    if index < len(given):
        shown += f" {_unit(given[index])}"
    if index + 2 < len(given) and _FIGURE.fullmatch(given[index + 1]):
        shown += f" {given[index + 1]} {_unit(given[index + 2])}"
    return shown


def _unit(name: str) -> str:
    return _UNITS.get(name, name)


def _fraction(arguments: Arguments, _: Page) -> str:
    given = words(arguments)
    if len(given) == 1:
        return f"1/{given[0]}"
    return f"{given[0]} {given[1]}/{given[2]}" if len(given) > 2 else "/".join(given)


def _value(arguments: Arguments, page: Page) -> str:
    unit = named(arguments, "u", "ul", "up", "upl")
    power = f"×10^{arguments['e']}" if arguments.get("e") else ""
    error = f"±{arguments['2']}" if arguments.get("2") else ""
    return f"{grouped(arguments.get('1', ''), page)}{error}{power} {_unit(unit)}".strip()


def _figure(arguments: Arguments, page: Page) -> str:
    return grouped(arguments.get("1", ""), page)


def _measure(arguments: Arguments, page: Page) -> str:
    """`5|km|2` is `5 km²`: a figure, then units with their powers."""
    figure, *rest = [*positional(arguments), ""]
    units = "".join(f"<^{word}>" if word.lstrip("-−").isdigit() else f" {_unit(word)}" for word in rest if word)
    return grouped(figure, page) + re.sub(r"<\^([^>]*)>", lambda power: raised(power[1]), units)


def _metric(arguments: Arguments, page: Page) -> str:
    """Italian `{{M|5|ul=km}}`."""
    unit = named(arguments, "u", "ul") or arguments.get("2", "")
    return f"{grouped(arguments.get('1', ''), page)} {_unit(unit)}".strip()


_SUPERSCRIPTS = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_SUBSCRIPTS = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")


def raised(word: str) -> str:
    """Digits as superscripts, anything else as it is."""
    return word.translate(_SUPERSCRIPTS) if word and not word.strip("0123456789+-−n") else word


def _power(arguments: Arguments, _: Page) -> str:
    exponent = arguments.get("1", "").replace("–", "−")
    return f"×10{raised(exponent)}" if raised(exponent) != exponent else f"×10^{exponent}"


def _sup(arguments: Arguments, _: Page) -> str:
    return raised(arguments.get("1", ""))


def _chemical(arguments: Arguments, _: Page) -> str:
    """`{{chem|H|2|O}}` is H2O; `{{chem|4|He}}` is 4He, as the same words without formatting."""
    return "".join(words(arguments))


# fmt: off
NUMBERS: dict[str, Renderer] = (
    dict.fromkeys(("convert", "cvt", "conv", "chuyển đổi", "đổi", "convertir", "конвертувати", "перевести",
    "превръщане",
                   "konwersja", "μετατροπή", "換算", "unit conversion"), _convert)
    | dict.fromkeys(("frac", "sfrac", "fraction", "дробь", "дріб", "分数", "分數", "κλάσμα", "phân số",
    "tmath"), _fraction)
    | dict.fromkeys(("val", "число", "nombre unité"), _value)
    | dict.fromkeys(("formatnum", "format price", "nts", "ntsh", "formatnombre", "nombre", "nb", "zahl", "liczba",
                     "num", "nombre2", "форматирование числа", "numero", "数字", "digits", "chiffres"), _figure)
    | dict.fromkeys(("unité", "unite", "unité/2", "jednostka", "unit"), _measure)
    | dict.fromkeys(("m", "misura"), _metric)
    | dict.fromkeys(("e", "esp", "x10"), _power)
    | dict.fromkeys(("sup", "^", "exp", "exposant", "надстрочный"), _sup)
    | dict.fromkeys(("chem", "chem2", "ce", "化学式", "fórmula química", "gaps", "формула"), _chemical)
    | dict.fromkeys(("sub", "sub sub", "ind", "indice"), argument("1"))
    | dict.fromkeys(("градус цельсія", "градус цельсия"), around("°C"))
    | {"su": joined(""), "circa num": argument("1"), "percentage": joined("/"), "pct": around("", "%")}
)
# fmt: on
