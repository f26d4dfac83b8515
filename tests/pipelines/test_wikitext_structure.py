from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.wikitext import to_text
from pipelines.wikitext.infobox import MAX_PAIRS, MAX_TOTAL, MAX_VALUE

CASES = {
    "definitions": ("; Term : words\n; Other\n: its words\n; 8:30", "Term\nwords\nOther\nits words\n8:30"),
    "list after prose": ("prose\n* one\n* two\nmore", "prose\none\ntwo\nmore"),
    "html list": ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
    "caption with links and brackets": ("A[[File:x.jpg|thumb|by [[B]] [1] and [http://x.org c]]] d", "A d"),
    "caption with a template": ("A[[File:x.jpg|{{nowrap|[[B]]}} c]] d", "A d"),
    "label with a template": ("[[A|{{lang|fr|b}} c]]", "b c"),
    "link inside a label": ("[[A|b [[c]] d]]", "b c d"),
    "label over two lines": ("[[A|b\nc]]", "b c"),
    "external label with a link": ("[http://x.org the [[site]]]", "the site"),
    "stray link end": ("a|b]] c x[i[0]]", "a|b c x[i[0]]"),
    "external left open": ("[http://x.org a label\nb", "a label b"),
    "note with a tag": ("a<ref>x <i>y</i> {{z}}</ref> b", "a b"),
    "note with a slash": ("a<ref name=x/y>n</ref> b<REF name='q'/> c", "a b c"),
    "note over a heading": ("a<ref>lost\n== H ==\nb</ref> c", "a\n\nH\n\nb c"),
    "list of notes": ("a\n<references><ref name=x>b</ref></references>", "a"),
    "code in the line": ("the <syntaxhighlight lang=c inline>a[i]</syntaxhighlight> here", "the a[i] here"),
    "markup in nowiki": ("<nowiki>{{a}} [[b]] <ref></nowiki>", "{{a}} [[b]] <ref>"),
    "variants": ("-{zh-hans:网络; zh-hant:網路}-和-{H|zh:x}--{R|原文}-", "网络和原文"),
    "arrow and braces": ("a -{b}- c", "a b c"),
    "quotes around an apostrophe": ("l'''Art''' d''''x'''", "lArt d'x"),
    "entity is no markup": ("&#42; a &#91;&#91;b&#93;&#93; &lt;ref&gt;", "* a [[b]] <ref>"),
    "spaces of all kinds": ("a\u3000b\u00a0\tc\u2009d", "a b c d"),
    "argument braces": ("{{{{{a}}}}} b", "b"),
    "table in a template": ("{{navbox|\n{|\n| {{nowrap|x}}\n|}\n}}a", "a"),
    "table mark in a line": ("set {| a |} b", "set {| a |} b"),
    "lines without a word": ("a\n*\nb\n* ,\n\n!\n: c\n...\nd", "a\nb\n\nc\nd"),
    "rule with words": ("a\n---- b\nc", "a\n\nb c"),
    "heading without a word": ("a\n== ? ==\nb\n* c", "a\n\n?\n\nb\nc"),
    "heading between lists": ("* a\n== H ==\n* b\n== I ==\nc\nd", "a\n\nH\n\nb\n\nI\n\nc d"),
    "break before prose and lists": ("a<br>\nb\nc<br>* d\ne", "a\nb c\n* d e"),
    "break after a list line": ("* a<br>b\nc", "a\nb c"),
    "cell of no table": ("a\n| b\nc\n| d\n| e\n\nf", "a\n\nc\n\nf"),
    "term over several marks": ("*; a: b\n: ;(c) : d", "a\nb\n(c)\nd"),
    "list marks in a poem": ("a<poem>\n* b\n: c\n\nd</poem>", "a\n\n* b\n: c\n\nd"),
    "prose that begins with a sign": ("a\n(b) c\n«d»\n* «e»\n_f", "a (b) c «d»\n«e»\n_f"),
    "spaces at line ends": ("a  \n* b \n*  c  d <br> e", "a\nb\nc d\ne"),
    "long gap": ("a\n" + "*-\n" * 40 + "b", "a\nb"),
    "many accents": ("e\u0301 " * 70 + "x\u00a0y", "é " * 70 + "x y"),
    "accent in a heading": ("== Cafe\u0301 ==\nb\n\ne\u0301", "Café\n\nb\n\né"),
    "protected sign in a heading": ("== a&#61;b ==\nc", "a=b\n\nc"),
    "space before a comma": ("a , b ,, c ; ; d . e", "a, b , c ; d. e"),
    "table over a heading": ("{|\n| a\n== H ==\nb\n|}\nc", "H\n\nb\n\nc"),
    "table with templates": ("a\n{|\n| {{x|{{y}}}} {{z}}\n|}b", "a b"),
    "table in tables": ("a\n{|\n|" + "\n{|\n|" * 9 + "x" + "\n|}" * 10 + "\nb", "a\n\nb"),
    "table that a template leaves": ("{{x|\n{|\n| a }}\n|}\nb", "b"),
    "links of every kind": ("[[a|b]] [[c]] [[d#e]] [[Image:f|g]] [[:Category:h|]] [[i|j|k]]", "b c d#e h j|k"),
    "Greek file": ("a[[Αρχείο:x.jpg|thumb|β]] c", "a c"),
}


@pytest.mark.parametrize("name", CASES)
def test_structure(name: str) -> None:
    wikitext, expected = CASES[name]
    assert to_text(wikitext).text == expected


TABLE = 'a\n{| class="x"\n|+ Title\n! scope="col" | Name !! Age\n|-\n| [[A|b]] || style="x" | 1\n|-\n|\n|}\nb'


def test_tables_are_dropped_or_lines() -> None:
    assert to_text(TABLE).text == "a\n\nb"
    assert to_text(TABLE, tables="lines").text == "a\n\nTitle | Name | Age\nb | 1\n\nb"


def test_html_tables_become_lines_too() -> None:
    wikitext = "<table><tr><th>x</th><td>y</td></tr><tr><td>z</td></tr></table>"
    assert to_text(wikitext, tables="lines").text == "x | y\nz"


def test_formulas_are_latex_or_dropped() -> None:
    wikitext = "let <math>x</math> be <math>\\frac{1}{\\sqrt{2}}</math>."
    assert to_text(wikitext).text == "let x be \\frac{1}{\\sqrt{2} }."
    assert to_text(wikitext, math="drop").text == "let x be."


def infobox(wikitext: str, **options: Any) -> Any:
    meta = to_text(wikitext, **options).meta
    return json.loads(meta)["infobox"] if meta else None


BOX = "{{Infobox town\n| name = '''Aville'''\n| area = {{convert|5|km2}}\n| seat = [[B|C]]<br>D\n| none =\n}}\nA is."


def test_infobox_keeps_plain_values() -> None:
    assert to_text(BOX).text == "A is."
    assert infobox(BOX) == {"name": "Infobox town", "pairs": {"name": "Aville", "area": "5 km²", "seat": "C, D"}}


def test_infobox_can_be_left_out() -> None:
    assert infobox(BOX, infobox=False) is None


@pytest.mark.parametrize("name", ["Письменник", "基礎情報 国", "Πόλη", "infoskreine mīsts", "Картка:ОС"])
def test_infobox_of_any_language_is_known_by_its_shape(name: str) -> None:
    found = infobox(f"{{{{{name}\n|a=1\n|б=2\n|名=3\n}}}}\nText.", lang="xx")
    assert found == {"name": name, "pairs": {"a": "1", "б": "2", "名": "3"}}


@pytest.mark.parametrize(
    "wikitext",
    [
        "Words first.\n{{Table\n|a=1\n|b=2\n|c=3\n}}",
        "{{Note|a=1|b=2|c=3}}\nText.",
        "{{Wrapper|{{Infobox x\n|a=1\n|b=2\n|c=3\n}}}}\nText.",
        "{{Short\n|a=1\n|b=2\n}}\nText.",
        "Text.\n== H ==\n{{Infobox x\n|a=1\n|b=2\n|c=3\n}}",
    ],
)
def test_other_templates_are_no_infobox(wikitext: str) -> None:
    assert infobox(wikitext) is None


def test_infobox_values_do_not_end_in_what_stood_for_a_line_break() -> None:
    box = "{{Infobox x\n|a=10<br>\n|b=<br />1<br>2<br/>\n|c=<br>\n|d= x ''\n|e=5\n}}"
    assert infobox(box)["pairs"] == {"a": "10", "b": "1, 2", "d": "x", "e": "5"}


@pytest.mark.parametrize("name", ["a[b", "a<b", "n" * 61, "a\nb", ""])
def test_what_is_no_name_is_no_pair_of_an_infobox(name: str) -> None:
    assert list(infobox(f"{{{{Infobox x|a=1|{name}=2|c=3|d=4}}}}")["pairs"]) == ["a", "c", "d"]


def test_infobox_is_bounded() -> None:
    pairs = "".join(f"|key{i}={'v' * 10_000}\n" for i in range(1000))
    few = infobox("{{Infobox x\n" + pairs + "}}")["pairs"]
    assert len(few) <= MAX_PAIRS
    assert max(map(len, few.values())) == MAX_VALUE
    assert sum(map(len, few.values())) <= MAX_TOTAL


UNITS = ["{{a|", "{{nowrap|", "{|\n", "[[a|", "[[File:", "<ref name=x>", "</ref>", "'''", "{{{", "}}"]
UNITS += [
    "]]",
    "|}\n",
    "-{",
    "<math>",
    "<table><tr>",
    "&",
    "__A",
    "[//x ",
    "* ",
    ";a: ",
    "( ",
    ", ",
    "<br>",
    "{{Infobox|a=",
    "\n=a",
    "[[",
]


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear_in_what_is_left_open(unit: str) -> None:
    """A quadratic step would take hours over this; the last section is whole."""
    found = to_text(unit * 100_000 + "\n\n== H ==\nlast words")
    assert found.text.endswith("H\n\nlast words")


PAIRS = [("{{nowrap|", "}}"), ("[[a|", "]]"), ("{|\n|", "\n|}"), ("<ref>", "</ref>")]


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_deep_nesting_leaves_the_rest(opening: str, closing: str) -> None:
    assert to_text(opening * 20_000 + "x" + closing * 20_000 + "\n\nafter").text.endswith("after")


def test_templates_after_a_long_line_without_words_cost_no_square() -> None:
    found = to_text(" ." * 200_000 + "{{a}}" * 20_000 + "\n\n== H ==\nlast words")
    assert found.text.endswith("H\n\nlast words")
