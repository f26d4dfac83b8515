"""Templates that stand for a fixed sign or name leave it in the text; one that is not known leaves nothing."""

from __future__ import annotations

import pytest

from pipelines.wikitext import to_text

SIGNS = {
    **dict.fromkeys(("ndash", "en dash", "–", "--"), "a–b"),
    **dict.fromkeys(("mdash", "mdashb", "em dash", "—"), "a—b"),
    **dict.fromkeys(("snd", "spnd", "spaced ndash", "spaced en dash", "dash"), "a – b"),
    **dict.fromkeys(("spaced mdash", "тире"), "a — b"),
    **dict.fromkeys(("nbsp", "nbsp;", "space", "spaces", "sp", "pad", "thin space", "hair space", "thinsp"), "a b"),
    **dict.fromkeys(("·", "dot", "middot", "·w", "·wrap"), "a · b"),
    **dict.fromkeys(("•", "bull", "•w"), "a • b"),
    **dict.fromkeys(("degree", "deg"), "a°b"),
    **dict.fromkeys(("shy", "0", "clear", "no such template"), "ab"),
    **dict.fromkeys(("!", "pipe"), "a|b"),
    **{"eqm": "a ⇌ b", "=": "a=b", "(": "a{b", ")": "a}b", "((": "a{{b", "))": "a}}b", "!!": "a||b"},
    **{"(!": "a{|b", "!)": "a|}b", "'": "a'b", "'s": "a'sb", '"': 'a"b', "' \"": "a' \"b", "\" '": "a\" 'b"},
    **{"・": "a・b", "pi": "aπb", "okina": "aʻb", "hamza": "aʾb", "ayin": "aʿb", "times": "a×b", "half": "a½b"},
    **{"number sign": "a#b", "asterisk": "a*b", "sharp": "a♯b", "flat": "a♭b", "natural": "a♮b", "&": "a&b"},
    **{"colon": "a:b", "c.": "ac. b", "minus": "a−b", "euro": "a€b", "pound sign": "a£b", "x mark": "a✗b"},
    **{"check mark": "a✓b", "'-": "a'b", "-'": "a'b", "к.": "aК.b", "м.": "aМ.b", "л.": "aЛ.b", "er": "aerb"},
    **{"1er": "a1erb", "1re": "a1reb", "ier": "aIerb", "av jc": "aav. J.-C.b", "ap jc": "aapr. J.-C.b"},
    **{"n°": "ano b", "numéro": "ano b", "mme": "aMmeb", "mlle": "aMlleb", "m.": "aM.b", "dr": "aDrb", "mgr": "aMgrb"},
}
COUNTRIES = "afg arg bra che chn deu fra gbr ita jpn nld pol uno usa zwe"
SHIPS = "uss hms rms ss mv hmas hmcs sms ms mts ns css usns rfa"  # and INS, below
MONEY = {"us$": "US$", "eur": "€", "gbp": "£", "jpy": "¥", "inr": "₹", "aud": "A$", "cad": "C$", "uah": "₴", "rub": "₽"}


@pytest.mark.parametrize("name", sorted(SIGNS))
def test_sign_of_a_template(name: str) -> None:
    assert to_text(f"a{{{{{name}}}}}b").text == SIGNS[name]


@pytest.mark.parametrize("name", COUNTRIES.split())
def test_country_by_its_code(name: str) -> None:
    assert to_text(f"won by {{{{{name}}}}} again").text == f"won by {name.upper()} again"


@pytest.mark.parametrize("name", SHIPS.split())
def test_ship_with_and_without_its_hull_number(name: str) -> None:
    assert to_text(f"{{{{{name}|Old Castle|CVN-1}}}} left").text == f"{name.upper()} Old Castle (CVN-1) left"
    assert to_text(f"{{{{{name}|Old Castle}}}} left").text == f"{name.upper()} Old Castle left"


@pytest.mark.parametrize("name", sorted(MONEY))
def test_money(name: str) -> None:
    assert to_text(f"for {{{{{name}|5}}}} each").text == f"for {MONEY[name]}5 each"


def test_wrapper_of_a_script_leaves_its_words_in_the_language_of_the_wiki() -> None:
    assert to_text("شہر {{نستعلیق|متن}} ہے", lang="ur").text == "شہر متن ہے"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("INS|Vikrant", "INS Vikrant"),
        ("ins|these words", "these words"),
        ("Ins|these words", "these words"),
        ("ROM", "ROM"),
        ("rom|XV", "XV"),
        ("Rom|XV", "XV"),
    ],
)
def test_name_in_capitals_is_a_ship_or_a_country_where_small_letters_are_words(content: str, shown: str) -> None:
    assert to_text(f"with {{{{{content}}}}} added").text == f"with {shown} added"
