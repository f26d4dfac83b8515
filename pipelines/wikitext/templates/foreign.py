"""Templates of words in other languages, of their sounds and of links to other wikis."""

from __future__ import annotations

import re

from pipelines.wikitext.names import listed
from pipelines.wikitext.page import Page
from pipelines.wikitext.templates.arguments import (
    Arguments,
    Renderer,
    argument,
    constant,
    last,
    named,
    positional,
    words,
)

# lang-de, lang-en-short, vol-lv (Latgalian), bahasa-…: the language stands in the name
_LANGUAGE = re.compile(r"(?:lang|langi|vol|lang-\*|мова|langue|язык)-[^|]{1,20}|zitat-[a-z]{2}")
_SOUND = re.compile(r"(?:ipa|мфа|міжнародний фонетичний|мфа2|apis?|дфа|δφα)-[a-zà-ÿа-яіїєґα-ω\-]{1,15}")
_CENTURY = re.compile(r"([ivx]{1,6}(?:er?|e))( siècle)?( av\. j\.?-c\.?)?")  # French {{XXe siècle}}
_ICONS = frozenset(
    listed(
        "en fr de ru uk es it pt pl ja zh la el grc ar he nl sv fi cs hu tr ko vi sa fa hi th id da no ro bg sr hr "
        "sk sl lt lv et be ca eu"
    )
)
_SOUND_OPTIONS = frozenset({"lang", "local", "pron", "ipa", "us", "uk", "both", "all", "small", "label", "links", ""})


def by_pattern(name: str) -> Renderer | None:
    """Renderer of a template whose name holds a language code or a number of a century."""
    if "-" in name:
        if _LANGUAGE.fullmatch(name):
            return _named_language
        if _SOUND.fullmatch(name):
            return _sound
    century = _CENTURY.fullmatch(name)
    return constant(_century(*century.groups(""))) if century else None


def _century(number: str, word: str, before: str) -> str:
    numeral = number.rstrip("er")
    return numeral.upper() + number[len(numeral) :] + word + (" av. J.-C." if before else "")


def _lang(arguments: Arguments, _: Page) -> str:
    return named(arguments, "2", "text", "texte", "текст")


def _named_language(arguments: Arguments, _: Page) -> str:
    return named(arguments, "1", "text")


def _icon_or_words(arguments: Arguments, _: Page) -> str:
    """`{{en|words}}` shows the words; `{{en}}` is the mark of a source's language."""
    return arguments.get("1", "")


def _sound(arguments: Arguments, _: Page) -> str:
    """`{{IPA|/k/}}` is `/k/`, `{{IPA-de|x|lang}}` is `[x]`."""
    given = [word for word in positional(arguments) if word.lower() not in _SOUND_OPTIONS and ".ogg" not in word]
    if not given:
        return ""
    sound = given[1] if len(given) > 1 and re.fullmatch(r"[a-z]{2,3}", given[0]) else given[0]
    return sound if sound[0] in "[/⟨(" else f"[{sound}]"


def _english_sound(arguments: Arguments, _: Page) -> str:
    """`{{IPAc-en|b|ɑː|θ}}` is `/bɑːθ/`."""
    sounds = [word for word in positional(arguments) if word.lower() not in _SOUND_OPTIONS]
    sound = "".join(word.replace("_", " ") for word in sounds)
    return f"/{sound}/" if sound else ""


def _chinese(arguments: Arguments, _: Page) -> str:
    """`{{zh|c=哀牢|p=Āiláo}}` is `哀牢; Āiláo`."""
    given = (arguments.get(key, "") for key in ("c", "s", "t", "p", "w", "j", "hp", "1"))
    return "; ".join(dict.fromkeys(word for word in given if word))


def _nihongo(arguments: Arguments, _: Page) -> str:
    shown = named(arguments, "1", "3", "2")
    written = arguments.get("2", "")
    return f"{shown} ({written})" if written and written != shown else shown


def _interlanguage(arguments: Arguments, _: Page) -> str:
    """`{{ill|Name|de|Name}}` shows the name, or the label it is given."""
    return named(arguments, "lt", "label", "text", "1")


def _second_or_first(arguments: Arguments, _: Page) -> str:
    """`{{нп|Стаття|слова|en|Article}}` shows the words, where there are any."""
    return named(arguments, "2", "1") if len(positional(arguments)) > 2 else arguments.get("1", "")


def _link_helper(arguments: Arguments, _: Page) -> str:
    """`{{link-en|名|Name|標籤}}`, `{{le|名|Name|標籤}}`: the label, else the name."""
    return named(arguments, "3", "1")


def _translated(arguments: Arguments, _: Page) -> str:
    """`{{tsl|en|Name|名|標籤}}`."""
    return named(arguments, "4", "3", "2")


def _reading(arguments: Arguments, _: Page) -> str:
    """`{{読み仮名|'''地理学'''|ちりがく|geography}}` is `地理学（ちりがく、geography）`."""
    shown, *readings = [*words(arguments), ""]
    inside = "、".join(word for word in readings if word)
    return f"{shown}（{inside}）" if inside else shown


def _ruby(arguments: Arguments, _: Page) -> str:
    given = words(arguments)
    return f"{given[0]}({given[1]})" if len(given) > 1 else "".join(given)


def _several(arguments: Arguments, _: Page) -> str:
    """`{{lang3|uk|ru|bg|три}}` and the like: languages, then the word."""
    return (words(arguments) or [""])[-1]


# fmt: off
FOREIGN: dict[str, Renderer] = (
    dict.fromkeys(("lang", "langue", "lang2", "langi", "langx", "foreign", "idioma", "língua", "bahasa", "мова", "语言",
                   "język", "w języku", "言語", "lang-ru2", "llang", "рф", "langr"), _lang)
    | dict.fromkeys(("transl", "transliteration", "rtl-lang", "script", "lang-rtl", "tlit", "wt", "trad", "lang3",
                     "lang4",
                     "lang5"), last)
    | dict.fromkeys(sorted(_ICONS), _icon_or_words)
    | dict.fromkeys(("ipa", "ipa2", "ipaeng", "ipaslink", "ipalink", "ipablink", "api", "api'", "мфа", "мфа2",
                     "мфа-всі", "ipa1",
                     "дфа", "δφα", "προφορά", "pron", "вимова", "発音記号", "国际音标", "國際音標", "afi",
                     "phát âm"), _sound)
    | {"ipac-en": _english_sound, "ipac-pl": _english_sound, "ipac-cmn": _english_sound, "zh": _chinese, "ruby": _ruby}
    | dict.fromkeys(("nihongo", "nihongo foot", "japonais", "giapponese", "tiếng nhật", "nihongo2"), _nihongo)
    | dict.fromkeys(("ill", "illm", "ill2", "interlanguage link", "仮リンク", "iw", "iw2", "liên kết khác wiki", "lien",
                     "le lien",
                     "interlanguage link multi", "ill-wd", "link-interwiki"), _interlanguage)
    | dict.fromkeys(("нп", "нп1", "нп2", "нп3", "нп4", "нп5", "не перекладено", "не переведено", "не переведено 2",
                     "не переведено 3", "не переведено 5", "не перекладено 5", "пч"), _second_or_first)
    | {"link-wd": _link_helper, "le": _link_helper, "interlang": argument("3", "2")}
    | {f"link-{code}": _link_helper for code in sorted(_ICONS)}
    | {f"internal link helper/{code}": _link_helper for code in sorted(_ICONS)}
    | {f"{code}s": argument("1") for code in ("en", "fr", "de", "ru", "es", "it", "la", "grc", "ja", "zh", "pl", "ar")}
    | dict.fromkeys(("tsl", "translink", "ilh"), _translated)
    | dict.fromkeys(("読み仮名", "読み仮名 ruby不使用", "読み仮名2"), _reading)
    | dict.fromkeys(("ふりがな", "ルビ", "注音", "拼音"), _ruby)
    | dict.fromkeys(("arabisch", "hebräisch", "chinesisch", "koreanisch", "japanisch", "kyrillisch",
                     "griechisch"), argument("1"))
)
# fmt: on
