from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.wikitext import Section, to_text

CASES = {
    "bold and italic": ("'''Bold''' and ''italic''", "Bold and italic"),
    "apostrophe after bold": ("the '''dog''''s bone", "the dog's bone"),
    "link": ("a [[bus]]", "a bus"),
    "link trail": ("two [[bus]]es", "two buses"),
    "label": ("[[Paris|the capital]]", "the capital"),
    "pipe trick": ("[[Boston (band)|]] of [[Boston, Massachusetts|]]", "Boston of Boston"),
    "colon link": ("see [[:Category:Cats]] and [[Alien: Covenant]]", "see Category:Cats and Alien: Covenant"),
    "link to another language": ("see [[:fr:Chat_noir]] and [[:de:Katze|Katze]]", "see Chat noir and Katze"),
    "bullets": ("a\n• b\n•c", "a\nb\nc"),
    "bullet inside the line": ("a • b", "a • b"),
    "text where headings almost are": ("=a\n= b\n\n=c= d", "=a = b\n\n=c= d"),
    "heading over a template": ("{{x|\n== H ==\nb}} c", "H\n\nb c"),
    "section link": ("[[#History]]", "History"),
    "file with nested links": ("A[[File:x.jpg|thumb|by [[Bob]] and [[Al|Alice]]]] b", "A b"),
    "category": ("text\n[[Category:Cats]]", "text"),
    "language link": ("text\n[[de:Katze]]\n[[zh-yue:貓]]", "text"),
    "sister project": ("a [[wikt:cat|cat]] is a [[wikt:feline]]", "a cat is a feline"),
    "external link": ("see [http://example.org/?a=1 the site] or [http://example.org]", "see the site or"),
    "bare address": ("at http://example.org now", "at http://example.org now"),
    "template": ("a{{cite web|url=x|title={{nested|y}}}} b", "a b"),
    "convert": ("{{convert|5|km|mi}} and {{convert|3|to|4|C|F}}", "5 km and 3 to 4 °C"),
    "convert two units": ("{{convert|6|ft|2|in|m|abbr=on}}", "6 ft 2 in"),
    "large figure": ("{{convert|2381741|km2}} {{formatnum:12345.5}}", "2,381,741 km² 12,345.5"),
    "date": ("{{birth date|1905|2|9}}, {{start date|2001|05|3|df=y}}", "February 9, 1905, 3 May 2001"),
    "lang": ("{{lang|fr|Bonjour}} {{lang-de|Hallo}}", "Bonjour Hallo"),
    "nowrap around a link": ("{{nowrap|[[New York|NYC]] city}}", "NYC city"),
    "sound": ("Bath ({{IPAc-en|b|ɑː|θ}}) is", "Bath (/bɑːθ/) is"),
    "brackets half empty": ("Bath ({{listen|x}}; [[Latin]]: aqua) is", "Bath (Latin: aqua) is"),
    "brackets at the end": ("x\na (b, )", "x a (b)"),
    "brackets twice in a line": ("a ( ; b) c (d ; )\n\ne (f, )", "a (b) c (d)\n\ne (f)"),
    "brackets end empty": ("Bath (city, {{listen|x}}) is", "Bath (city) is"),
    "space before a full stop": ("word {{fact}}.", "word."),
    "as of": ("{{as of|2010|5}}", "As of May 2010"),
    "fraction": ("{{frac|3|1|2}} and {{frac|1|2}}", "3 1/2 and 1/2"),
    "value": ("{{val|5|e=3|u=km}}", "5×10^3 km"),
    "spaced dash": ("a{{snd}}b", "a – b"),
    "blockquote": ("a\n{{quote|words here|author}}\nb", "a\n\nwords here\n\nb"),
    "table": ('a\n{| class="x"\n|-\n| cell [[b|c]]\n{|\n|inner\n|}\n|}\nb', "a\n\nb"),
    "html table": ("a <table><tr><td>x</td></tr></table> b", "a\n\nb"),
    "reference": ('a<ref name="x">note [[y]]</ref> b<ref name="x" /> c', "a b c"),
    "comment": ("a<!-- hidden --> b", "a b"),
    "comment lines": ("a\n<!-- x -->\n<!-- y -->\nb", "a b"),
    "heading with comment": ("x\n== A == <!-- c -->\ny", "x\n\nA\n\ny"),
    "simple math": ("let <math>x</math> be", "let x be"),
    "tex": ("let <math>\\frac{1}{2}</math> be", "let \\frac{1}{2} be"),
    "gallery": ("a\n<gallery>\nFile:x.jpg|cap\n</gallery>\nb", "a\n\nb"),
    "nowiki": ("<nowiki>[[x]] ''y'' {{z}}</nowiki>", "[[x]] ''y'' {{z}}"),
    "code": ("a\n<source lang=c>int x;</source>\nb", "a\n\nb"),
    "tags": ("a <span style='x'>b</span> <small>c</small>", "a b c"),
    "not a tag": ("if a < b and #include <stdio.h>", "if a < b and #include <stdio.h>"),
    "superscript": ("10<sup>6</sup> m<sup>−2</sup> 1<sup>st</sup> H<sub>2</sub>O", "10⁶ m⁻² 1st H2O"),
    "entities": ("a&nbsp;&ndash; b &lt;x&gt; &amp;amp;", "a – b <x> &amp;"),
    "magic words": ("__NOTOC__{{PAGENAME}}a {{DEFAULTSORT:x}}", "a"),
    "lists": ("* one\n** two\n# three\n: four", "one\ntwo\nthree\nfour"),
    "soft wrap": ("one\ntwo\n\nthree", "one two\n\nthree"),
    "line break": ("one<br>two<br />three", "one\ntwo\nthree"),
    "poem": ("<poem>one\ntwo</poem>", "one\ntwo"),
    "rule": ("a\n----\nb", "a\n\nb"),
    "nfc": ("Cafe\u0301 e&#769;", "Café é"),
    "stray closing": ("a }} b a[i[0]]", "a b a[i[0]]"),
    "carriage returns": ("a\r\n\r\nb", "a\n\nb"),
}


@pytest.mark.parametrize("name", CASES)
def test_markup(name: str) -> None:
    wikitext, expected = CASES[name]
    assert to_text(wikitext).text == expected


UNCLOSED = {
    "link": ("a [[b\n\nnext", "a b\n\nnext"),
    "template": ("{{Infobox\n| a = b\n\n== H ==\nnext", "H\n\nnext"),
    "template over prose": ("{{broken\n| a = b\nprose stays\n\n== H ==\nnext", "prose stays\n\nH\n\nnext"),
    "kept template": ("{{nowrap|words stay\n\nnext", "words stay\n\nnext"),
    "table": ("{|\n| cell\n\nprose\n\n== H ==\nnext", "prose\n\nH\n\nnext"),
    "reference": ("a<ref>lost\nb<ref>x</ref>\n\nnext", "a b\n\nnext"),
    "comment": ("a <!-- lost\n\nnext", "a\n\nnext"),
    "link inside a template": ("{{cite|[[x}} a", "a"),
    "template inside a table": ("{|\n| {{x\n|}\nnext", "next"),
}


@pytest.mark.parametrize("name", UNCLOSED)
def test_unclosed_markup_does_not_swallow_what_follows(name: str) -> None:
    wikitext, expected = UNCLOSED[name]
    assert to_text(wikitext).text == expected


def test_namespaces_of_the_wiki_hide_files_and_categories() -> None:
    wikitext = "a[[Gambar:x.jpg|thumb|caption]] b[[Bólkur:Kattar]]"
    assert to_text(wikitext, namespaces={6: "Gambar", 14: "Bólkur"}).text == "a b"


def test_own_language_is_no_language_link() -> None:
    assert to_text("[[en:Cat|cat]]", lang="en").text == "cat"


def test_sections_hold_heading_and_body() -> None:
    found = to_text("lead\n\n== A ''x'' ==\nbody\n=== B ===\nmore")
    assert found.text == "lead\n\nA x\n\nbody\n\nB\n\nmore"
    assert found.sections == [Section(0, "", 0, 6), Section(2, "A x", 6, 17), Section(3, "B", 17, 24)]
    assert found.text[6:17] == "A x\n\nbody\n\n"


def test_empty_sections_are_dropped_and_their_parents_kept() -> None:
    found = to_text("lead\n== A ==\n=== B ===\nbody\n== References ==\n{{reflist}}\n== C ==\n=== D ===\n")
    assert [section.title for section in found.sections] == ["", "A", "B"]


def test_text_without_a_lead_starts_with_its_heading() -> None:
    assert [section.level for section in to_text("== A ==\nbody").sections] == [2]


def test_nothing_has_no_section() -> None:
    found = to_text("{{only|templates}}")
    assert (found.text, found.sections) == ("", [])


PATHOLOGICAL = [
    "{{",
    "[[",
    "<ref>",
    "<!--",
    "<a",
    "'",
    "= ",
    "( ;",
    "{|\n",
    "-{",
    "\n=",
    "[http://",
    "<nowiki>",
    "<poem>",
]


@pytest.mark.parametrize("unit", PATHOLOGICAL)
def test_repeated_openings_leave_the_next_section_whole(unit: str) -> None:
    found = to_text(unit * 100_000 + "\n\n== H ==\nlast words")
    assert found.text.endswith("H\n\nlast words")


def test_deep_nesting_closes_cleanly() -> None:
    assert to_text("{{a|" * 50_000 + "x" + "}}" * 50_000 + "after").text == "after"


PIECES = (
    "{{ }} [[ ]] {| |} | = == \n \n\n <ref> </ref> <!-- --> ' '' ''' * # : <br> <nowiki> </nowiki> a é ( ) , &amp; "
    "\ufdd0 \u0301 <sup> </sup> <poem> </poem> {{nowrap| [http://x File: convert|1|km"
)
MARKUP = st.sampled_from([*PIECES.split(" "), " "])


def check_tiling(wikitext: str) -> None:
    found = to_text(wikitext)
    ends = [0, *(section.end for section in found.sections)]
    assert ends[:-1] == [section.start for section in found.sections]
    assert ends[-1] == len(found.text)
    assert all(found.text[s.start : s.end].startswith(s.title) for s in found.sections)
    assert "  " not in found.text
    assert not any("\ufdd0" <= char <= "\ufdef" for char in found.text)


@given(st.lists(MARKUP, max_size=60).map("".join))
def test_sections_tile_the_text_of_any_markup(wikitext: str) -> None:
    check_tiling(wikitext)


@given(st.text())
def test_sections_tile_the_text_of_any_string(wikitext: str) -> None:
    check_tiling(wikitext)
