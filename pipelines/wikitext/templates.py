"""The few templates whose words belong to the sentence around them; all others are removed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pipelines.wikitext.names import listed

Arguments = Mapping[str, str]
_NAMED = re.compile(r"\s*([\w \-]{1,40}?)\s*=", re.ASCII)
_UNITS = {
    "sqmi": "sq mi", "sqft": "sq ft", "sqkm": "km²", "km2": "km²", "m2": "m²", "cm2": "cm²", "mi2": "sq mi",
    "ft2": "sq ft", "m3": "m³", "km3": "km³", "cm3": "cm³", "ft3": "cu ft", "cuft": "cu ft", "cuin": "cu in",
    "cumi": "cu mi", "C": "°C", "F": "°F", "K": "K", "C-change": "°C", "F-change": "°F", "g/cm3": "g/cm³",
    "kg/m3": "kg/m³", "m/s2": "m/s²", "km/h": "km/h", "kmph": "km/h", "USgal": "US gal", "impgal": "imp gal",
    "PD/sqkm": "inhabitants per km²", "PD/sqmi": "inhabitants per square mile", "/km2": "per km²", "nmi": "nmi",
    "lbf": "lbf", "acre": "acres", "foot": "feet", "mile": "miles", "inch": "inches", "e6acre": "million acres",
}  # fmt: skip
_RANGES = {
    "to": " to ",
    "and": " and ",
    "or": " or ",
    "by": " by ",
    "x": " × ",
    "×": " × ",
    "*": " × ",
    "to(-)": " to ",
}
_RANGES |= {"-": "–", "–": "–", "and(-)": " and ", "+/-": " ± ", "±": " ± ", ",": ", "}
_MONTHS = listed("January February March April May June July August September October November December")
_MONTH_NUMBERS = {str(number) for number in range(1, 13)} | {f"{number:02}" for number in range(1, 10)}
_YES = {"y", "yes", "on", "true", "1"}
_DATES = [
    "birth date",
    "birth-date",
    "birth date and age",
    "bda",
    "dob",
    "death date",
    "death date and age",
    "start date",
    "start date and age",
    "end date",
    "film date",
    "release date",
    "birth year and age",
    "date",
]
_FIGURE = re.compile(r"[\d.,+\-−/ ]{1,40}")

# fmt: off
_FIRST = (
    "nowrap|nobr|no wrap|small|smaller|big|larger|large|abbr|tooltip|abbrlink|sic|not a typo|typo|as written|"
    "proper name|em|strong|bold|italic|code|mono|tt|var|mvar|math|samp|kbd|key|unicode|polytonic|serif|"
    "sans-serif|underline|uline|u|visible anchor|vanchor|flag|flagu|flagcountry|flagdeco|formatnum|"
    "columns-list|col-list|cols|plainlist|flatlist|smallcaps|sc|sc1|sc2|allcaps|caps|chem2|ce|annotated link|"
    "resize|font|color box|pslink|hebrew|script/hebrew|script/arabic|nastaliq|arabic|cyrl|grc-tr|noitalic|"
    "nobold|vr|railgauge|normal|roman|rma|keypress|wikt-lang|strike|s|del|ins|dfn|clarify span|disputed span|"
    "failed span"
)
_LAST = listed("lang transl transliteration rtl-lang script lang-rtl tlit wt")
_QUOTES = ["quote", "blockquote", "quotation", "cquote", "bquote", "quote box inline", "centered pull quote",
           "poemquote", "poem quote", "verse translation", "block quote", "rquote inline", "цитата", "citation bloc"]
_FIXED = {
    "snd": " – ", "spnd": " – ", "spaced ndash": " – ", "spaced en dash": " – ", "ndash": "–", "en dash": "–",
    "–": "–", "mdash": "—", "mdashb": "—", "eqm": " ⇌ ", "em dash": "—", "spaced mdash": " — ",
    "—": "—", "--": "–", "dash": " – ", "nbsp": " ",
    "space": " ", "spaces": " ", "thinsp": " ", "thin space": " ", "hair space": " ", "'": "'", "'s": "'s", '"': '"',
    "' \"": "' \"", "\" '": "\" '", "·": " · ", "•": " • ", "dot": " · ", "middot": " · ", "bull": " • ", "!": "|",
    "=": "=", "(": "{", ")": "}", "pi": "π", "okina": "ʻ", "hamza": "ʾ", "ayin": "ʿ", "shy": "", "times": "×",
    "degree": "°", "deg": "°", "half": "½", "number sign": "#", "asterisk": "*", "sharp": "♯", "flat": "♭",
    "natural": "♮", "ce year": "CE", "clear": "", "&": "&", "colon": ":", "c.": "c. ", "minus": "−", "euro": "€",
    "pound sign": "£", "x mark": "✗", "check mark": "✓", "'-": "'", "-'": "'",
}
_MONEY = {"us$": "US$", "usd": "US$", "$": "$", "€": "€", "eur": "€", "£": "£", "gbp": "£", "¥": "¥", "jpy": "¥",
          "inr": "₹", "₹": "₹", "a$": "A$", "aud": "A$", "c$": "C$", "cad": "C$", "nz$": "NZ$", "₴": "₴", "uah": "₴"}
_SHIPS = listed("uss hms rms ss mv hmas hmcs sms ms mts ins ns css usns rfa")
# fmt: on


def template_text(content: str) -> str:
    """The words that `{{content}}` leaves in the text; empty for a template that is not known."""
    head, _, rest = content.partition("|")
    name = head.strip().replace("_", " ").lower()
    if name in _FIXED:
        return _FIXED[name]
    if name.startswith(("formatnum:", "lc:", "uc:", "lcfirst:", "ucfirst:")):
        return _function(head)
    render = RENDERERS.get(name) or (_lang_xx if name.startswith("lang-") else None)
    return render(_arguments(rest)) if render else ""


def keeps_text(head: str) -> bool:
    """Whether a template so named leaves words of its arguments, told by its first line alone."""
    name = head.partition("|")[0].strip().replace("_", " ").lower()
    return name in RENDERERS or name.startswith("lang-")


def _arguments(rest: str) -> dict[str, str]:
    """Arguments by name, positional ones by their number as a string."""
    found: dict[str, str] = {}
    position = 0
    for part in rest.split("|"):
        named = _NAMED.match(part)
        if named:
            found[named[1]] = part[named.end() :].strip()
        else:
            position += 1
            found[str(position)] = part.strip()
    return found


def _positional(arguments: Arguments) -> list[str]:
    return [arguments[key] for key in map(str, range(1, len(arguments) + 1)) if key in arguments]


def _function(head: str) -> str:
    name, _, value = head.strip().partition(":")
    change = {"lc": str.lower, "uc": str.upper, "formatnum": _grouped}.get(name.lower())
    return change(value) if change else value


def _first(arguments: Arguments) -> str:
    return arguments.get("1", "")


def _last(arguments: Arguments) -> str:
    words = [word for word in _positional(arguments) if word]
    return words[-1] if words else arguments.get("text", "")


def _lang(arguments: Arguments) -> str:
    return arguments.get("2", "") or arguments.get("text", "")


def _lang_xx(arguments: Arguments) -> str:
    return arguments.get("1", "") or arguments.get("text", "")


def _joined(separator: str) -> Callable[[Arguments], str]:
    return lambda arguments: separator.join(word for word in _positional(arguments) if word)


def _quote(arguments: Arguments) -> str:
    words = arguments.get("text") or arguments.get("quote") or arguments.get("1", "")
    return f"\n\n{words}\n\n" if words else ""


def _convert(arguments: Arguments) -> str:
    """`5|km|mi` is `5 km`, `5|to|10|km` is `5 to 10 km`, `6|ft|2|in` is `6 ft 2 in`."""
    words = [_grouped(word) for word in _positional(arguments)]
    shown = words[0] if words else ""
    index = 1
    while index + 1 < len(words) and words[index] in _RANGES:
        shown += _RANGES[words[index]] + words[index + 1]
        index += 2
    if index < len(words):
        shown += f" {_UNITS.get(words[index], words[index])}"
    if index + 2 < len(words) and _FIGURE.fullmatch(words[index + 1]):
        shown += f" {words[index + 1]} {_UNITS.get(words[index + 2], words[index + 2])}"
    return shown


def _grouped(word: str) -> str:
    """`2381741` is `2,381,741`, as the template shows it."""
    whole, point, decimals = word.partition(".")
    short = len(whole) < 4 or len(whole) > 18 or not (whole.isascii() and whole.isdigit())
    return word if short else f"{int(whole):,}{point}{decimals}"


def _date(arguments: Arguments) -> str:
    """`1905|2|9` is `February 9, 1905`, with `df=yes` `9 February 1905`."""
    year, month, day = [*_positional(arguments), "", "", ""][:3]
    name = _MONTHS[int(month) - 1] if month in _MONTH_NUMBERS else month
    if not name:
        return year
    if not day:
        return f"{name} {year}"
    return f"{day} {name} {year}" if arguments.get("df", "").lower() in _YES else f"{name} {day}, {year}"


def _fraction(arguments: Arguments) -> str:
    words = [word for word in _positional(arguments) if word]
    if len(words) == 1:
        return f"1/{words[0]}"
    return f"{words[0]} {words[1]}/{words[2]}" if len(words) > 2 else "/".join(words)


def _value(arguments: Arguments) -> str:
    unit = next((arguments[key] for key in ("u", "ul", "up", "upl") if arguments.get(key)), "")
    power = f"×10^{arguments['e']}" if arguments.get("e") else ""
    error = f"±{arguments['2']}" if arguments.get("2") else ""
    return f"{arguments.get('1', '')}{error}{power} {_UNITS.get(unit, unit)}".strip()


def _as_of(arguments: Arguments) -> str:
    words = _positional(arguments)
    if len(words) > 1 and words[1] in _MONTH_NUMBERS:
        words[1] = _MONTHS[int(words[1]) - 1]
    lead = "as of" if arguments.get("lc", "").lower() in _YES else "As of"
    return arguments.get("alt") or f"{lead} {' '.join(reversed(words))}".strip()


def _nihongo(arguments: Arguments) -> str:
    return arguments.get("1") or arguments.get("3") or arguments.get("2", "")


def _ill(arguments: Arguments) -> str:
    return arguments.get("lt") or arguments.get("1", "")


def _music(arguments: Arguments) -> str:
    return {"flat": "♭", "sharp": "♯", "natural": "♮", "b": "♭", "#": "♯"}.get(arguments.get("1", ""), "")


def _prefixed(prefix: str) -> Callable[[Arguments], str]:
    return lambda arguments: f"{prefix}{arguments.get('1', '')}"


def _angled(arguments: Arguments) -> str:
    return f"⟨{arguments.get('1', '')}⟩"


def _old_style_date(arguments: Arguments) -> str:
    return ", ".join(arguments[key] for key in ("1", "2") if arguments.get(key))


def _price(arguments: Arguments) -> str:
    return _grouped(arguments.get("1", ""))


def _power(arguments: Arguments) -> str:
    return f"×10^{arguments.get('1', '')}"


def _reign(arguments: Arguments) -> str:
    return "r. " + "–".join(word for word in _positional(arguments) if word)


def _registry() -> dict[str, Callable[[Arguments], str]]:
    table: dict[str, Callable[[Arguments], str]] = {}
    table |= dict.fromkeys(_FIRST.split("|"), _first)
    table |= dict.fromkeys(_LAST, _last) | dict.fromkeys(_QUOTES, _quote)
    table |= {name: _prefixed(f"{name.upper()} ") for name in _SHIPS}
    table |= {name: _prefixed(sign) for name, sign in _MONEY.items()}
    table |= dict.fromkeys(("convert", "cvt", "conv"), _convert) | dict.fromkeys(
        ("frac", "sfrac", "fraction"), _fraction
    )
    table |= dict.fromkeys(("ill", "illm", "interlanguage link", "нп", "нп5", "iw"), _ill)
    table |= dict.fromkeys(("sortname", "ship", "bibleverse", "bibleref", "sclass", "hlist"), _joined(" "))
    table |= dict.fromkeys(("chem", "gaps", "linktext", "su"), _joined(""))
    table |= dict.fromkeys(("sup", "^"), _first) | dict.fromkeys(("sub", "sub sub"), _first)
    table |= dict.fromkeys(("circa", "ca", "c"), _prefixed("c. ")) | dict.fromkeys(
        ("floruit", "fl."), _prefixed("fl. ")
    )
    table |= dict.fromkeys(("nihongo", "nihongo foot"), _nihongo) | dict.fromkeys(("reign", "r."), _reign)
    table |= {
        "lang": _lang,
        "val": _value,
        "as of": _as_of,
        "asof": _as_of,
        "music": _music,
        "angbr": _angled,
        "oldstyledate": _old_style_date,
        "format price": _price,
        "e": _power,
    }
    table |= dict.fromkeys(_DATES, _date)
    table |= {"ad": _prefixed("AD "), "hlist": _joined(", "), "unbulleted list": _joined(", ")}
    return table


RENDERERS = _registry()
