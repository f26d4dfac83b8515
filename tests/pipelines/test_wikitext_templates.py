from __future__ import annotations

import pytest

from pipelines.wikitext import to_text
from pipelines.wikitext.templates.expressions import ExpressionError, evaluated

# language, wikitext, text
TEMPLATES = {
    "convert groups as the language does": ("vi", "rộng {{convert|2095|km2|abbr=on}}.", "rộng 2.095 km²."),
    "figures in Ukrainian": ("uk", "Площа {{nts|603700}}{{nbsp}}км².", "Площа 603 700 км²."),
    "formatnum": ("de", "{{formatnum:12345.5}}", "12.345,5"),
    "formatnum raw": ("en", "{{formatnum:12,345|R}}", "12345"),
    "small figures are not grouped": ("en", "{{convert|100|km}}", "100 km"),
    "French unit": ("fr", "{{unité|5|km|2}}", "5 km²"),
    "power of ten": ("vi", "7,6{{e|–22}} giây", "7,6×10⁻²² giây"),
    "formula of chemistry": ("en", "{{chem|H|2|O}} and {{chem|4|He}}", "H2O and 4He"),
    "sound": ("ja", "記号「{{IPA|ɬ}}」", "記号「[ɬ]」"),
    "sound with its slashes": ("en", "final {{IPA|/k/}}", "final /k/"),
    "sound of a language": ("vi", "{{IPA-de|ˈdɔjtʃlant|pron}}", "[ˈdɔjtʃlant]"),
    "sound with a language code": ("en", "{{IPA|fr|paʁi}}", "[paʁi]"),
    "Greek sound": ("el", "το {{ΔΦΑ|/i/}} είναι", "το /i/ είναι"),
    "language in the name": ("uk", "(від {{lang-el2|μέτρον}})", "(від μέτρον)"),
    "short language": ("ja", "（{{lang-en-short|geography}}）", "（geography）"),
    "Latgalian": ("ltg", "'''Auguoji''' ({{Vol-la|Plantae}})", "Auguoji (Plantae)"),
    "language of Ukrainian": ("uk", "({{langi|fr|Charlotte}})", "(Charlotte)"),
    "language named": ("en", "{{lang|la|text=verbum}}", "verbum"),
    "Japanese word of a language": ("ja", "「{{en|I am happy.}}」", "「I am happy.」"),
    "mark of a language": ("el", "ιστοσελίδα {{en}}", "ιστοσελίδα"),
    "Chinese": ("vi", "({{zh|c=哀牢|p=Āiláo}})", "(哀牢; Āiláo)"),
    "transliteration": ("vi", "là {{transl|ar|ISO|[[X|Isa]]}})", "là Isa)"),
    "Japanese reading": ("ja", "{{読み仮名|'''地理'''|ちり|geography}}は", "地理（ちり、geography）は"),
    "red link of Japanese": ("ja", "「{{仮リンク|アダム|en|Adam}}」", "「アダム」"),
    "red link of Chinese": ("zh", "{{le|希臘|Greek|罗马}}和{{link-en|名|Name}}", "罗马和名"),
    "red link by translation": ("zh", "於{{tsl|en|Bulletin|通報}}的", "於通報的"),
    "red link of Ukrainian": ("uk", "У {{нп|Лист|Листі|en|Letter}} є", "У Листі є"),
    "red link of English": ("en", "{{ill|Name|de|Name|lt=the name}}", "the name"),
    "date in French": ("fr", "né le {{Date de naissance|11|novembre|1866}}", "né le 11 novembre 1866"),
    "date in Ukrainian": ("uk", "({{нар}} {{ДН|14|3|1854|2}})", "(нар. 14 березня 1854)"),
    "date in Japanese": ("ja", "{{生年月日と年齢|1905|2|9}}", "1905年2月9日"),
    "date in a language not known": ("xx", "{{birth date|1905|2|9}}", "1905-02-09"),
    "month alone": ("zh", "{{as of|2010|5}}", "截至2010年5月"),
    "as of in Vietnamese": ("vi", "{{Tính đến|2019|October|21}}", "Tính đến 21 tháng 10 năm 2019"),
    "old style": ("uk", "{{OldStyleDate|26|квітня|1795|15}}", "26 (15) квітня 1795"),
    "circa": ("en", "{{circa|1500}}", "c. 1500"),
    "life": ("zh", "某{{bd|1879年|3月14日|1955年|4月18日}}", "某（1879年3月14日－1955年4月18日）"),
    "quotation": ("uk", "a {{цитата|Слова тут}}", "a\n\nСлова тут"),
    "quotation inside the line": ("fr", "il dit {{citation|oui}}", "il dit «oui»"),
    "colour": ("ja", "{{Color|red|■}}x", "■x"),
    "doubtful words stay": ("ja", "「{{要出典範囲|解明|date=2021年5月}}」", "「解明」"),
    "code": ("vi", "thẻ {{code|lang=html|code=<b>}}", "thẻ"),
    "ship": ("en", "{{USS|Name|CVN-69|6}}", "USS Name (CVN-69)"),
    "money": ("vi", "mức {{CAD|84.390}}", "mức C$84.390"),
    "country": ("uk", "({{UKR}})", "(UKR)"),
    "list": ("en", "x: {{ubl|a|b}}", "x:\na\nb"),
    "pipe and equals": ("en", "a {{!}} b {{=}} c", "a | b = c"),
    "title": ("ltg", "'''{{PAGENAME}}''' ir", "Page ir"),
    "note": ("en", "a{{sfn|Smith|2002|p=3}}{{rp|90}} b", "a b"),
    "columns": ("uk", "a\n{{columns-list|2|\n* [[b]]\n* c\n}}\n{{columns-list|colwidth=9em|\n* d\n}}", "a\nb\nc\nd"),
    "doubtful words": ("ja", "『{{要出典|まず、定義だ|date=2021年5月}}』", "『まず、定義だ』"),
    "mark of doubt": ("ja", "定義だ{{要出典|date=2021年5月}}。", "定義だ。"),
    "document": ("ja", "6つの「{{PDFlink|[http://x.org 圏]|1MB}}」に", "6つの「圏」に"),
    "archived page": ("ja", "『{{Wayback|url=http://x.org|title=頁|date=2010}}』", "『頁』"),
    "legend": ("zh", "{{legend|#FFC0C0|北方}}", "北方"),
    "century": (
        "fr",
        "au début du {{XXe siècle}} et au {{Ier siècle av. J.-C.}}",
        "au début du XXe siècle et au Ier siècle av. J.-C.",
    ),
    "no century": ("fr", "a {{Mix}}{{XX}}{{siècle}}b", "a b"),
    "braces in a template": ("en", "a {{nowrap|{b}}} c", "a {b} c"),
    "sound with a length mark": ("ja", "{{IPA|a:}}", "[a:]"),
    "navigation": ("en", "a\n\n{{Navbox\n| name = x\n| list1 = [[b]]\n}}", "a"),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name: str) -> None:
    lang, wikitext, expected = TEMPLATES[name]
    assert to_text(wikitext, lang=lang, title="Page").text == expected


FUNCTIONS = {
    "if": ("{{#if: x | yes | no }} {{#if: | yes | no }}", "yes no"),
    "ifeq": ("{{#ifeq: a | a | same | other}}", "same"),
    "switch": ("{{#switch: b | a = one | b | c = two | three}}", "two"),
    "switch default": ("{{#switch: x | a = one | #default = other}}", "other"),
    "expression": ("{{formatnum:{{#expr: 2000 * 3 / 4 round 0}}}}", "1,500"),
    "no expression": ("a {{#expr: nonsense)}}b", "a b"),
    "ifexpr": ("{{#ifexpr: 2 > 1 | yes | no}}", "yes"),
    "case": ("{{lc:ABC}} {{ucfirst:abc}}", "abc Abc"),
    "clock": ("a {{CURRENTYEAR}}{{#time: o}}b", "a b"),
    "module": ("a {{#invoke:X|main|b}}c", "a c"),
    "note by function": ("a{{#tag:ref|x}} b", "a b"),
    "default of an argument": ("{{{1|shown}}}", "shown"),
    "argument in a template": ("{{nowrap|{{{1|shown}}}}}", "shown"),
    "colon in a name is no function": ("{{Template talk:x|lost}}kept", "kept"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parser_function(name: str) -> None:
    wikitext, expected = FUNCTIONS[name]
    assert to_text(wikitext).text == expected


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("-2 ^ 2", "4"),
        ("7 mod 4", "3"),
        ("10 / 4", "2.5"),
        ("2.5 round 0", "3"),
        ("1 < 2 and 2 < 1", "0"),
        ("floor 2.7", "2"),
        ("1.5e2 × 2", "300"),
        ("", ""),
    ],
)
def test_expressions(expression: str, value: str) -> None:
    assert evaluated(expression) == value


@pytest.mark.parametrize(
    "expression", ["1 +", "(1", "1 2", "1 / 0", "9 ^ 999", "(0-8) ^ 0.5", "x", "1" * 400, "(" * 250, "1 mod 0", "$"]
)
def test_what_is_no_expression_is_an_error(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluated(expression)
