"""What holds of any wikitext, with any options."""

from __future__ import annotations

import sys
import unicodedata
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.wikitext import gaps, markers, parser, tables, to_text
from pipelines.wikitext.page import Page
from pipelines.wikitext.parser import MAX_DEPTH, Parser
from pipelines.wikitext.templates import RENDERERS, is_content, template_text

LANGUAGES = st.sampled_from(["en", "el", "uk", "vi", "ja", "zh", "fr", "ltg", "xx"])
FIGURES = ["1", "2", "-7", "1905", "12", "9" * 20, "²", "٣"]
WORDS = st.sampled_from(
    [
        *FIGURES,
        "",
        "x",
        "é",
        "月",
        "March",
        "km",
        "to",
        "1=",
        "e=3",
        "a=b",
        "lang=fr",
        "text=",
        "df=y",
        "[[a|b]]",
        "\n* y",
        "''",
    ]
)
CALLS = st.tuples(st.sampled_from(sorted(RENDERERS)), st.lists(WORDS, max_size=6)).map(
    lambda call: "{{" + "|".join([call[0], *call[1]]) + "}}"
)
PIECES = st.sampled_from(
    "{{ }} {{{ }}} [[ ]] {| |} |- = == <ref> </ref> <!-- --> <math> </math> <poem> </poem> -{ }- ' ( ) , ; * • &amp;\t"
    "\n\t\n\n\t \té\te\u0301\t\ufdd0\t\ufdd9\t\ufdef\t\x00\t\u00a0\t\n== H ==\n\t[[File:\tword".replace(
        " ", "\t"
    ).split("\t")
)


@settings(max_examples=60)
@given(
    st.lists(CALLS | PIECES, max_size=25).map("".join),
    LANGUAGES,
    st.sampled_from(["drop", "lines"]),
    st.sampled_from(["latex", "drop"]),
    st.booleans(),
)
def test_any_text_with_any_options(
    wikitext: str, lang: str, tables: Literal["drop", "lines"], math: Literal["latex", "drop"], infobox: bool
) -> None:
    found = to_text(wikitext, lang=lang, title="T", tables=tables, math=math, infobox=infobox)
    assert unicodedata.is_normalized("NFC", found.text)
    assert not any("\ufdd0" <= char <= "\ufdef" or char == "\x00" for char in found.text)
    ends = [0, *(section.end for section in found.sections)]
    assert ends[:-1] == [section.start for section in found.sections]
    assert ends[-1] == len(found.text)


def test_every_template_takes_any_number_of_arguments() -> None:
    calls = [
        [name, *[word] * count] for name in sorted(RENDERERS) for count in range(5) for word in ("", "x", "12", "²")
    ]
    shown = [template_text("|".join(call), Page(lang=lang)) for call in calls for lang in ("en", "ja")]
    assert all(isinstance(text, str) for text in shown)


def test_names_of_templates_are_as_they_are_looked_up() -> None:
    assert [name for name in RENDERERS if not is_content(name)] == []


def characters_that_never_change() -> list[str]:
    return [char for char in map(chr, range(0x10000)) if markers.is_final("\u0100" + char)]


def test_what_is_taken_for_final_is_left_by_normalising() -> None:
    """No such character decomposes, is reordered, or joins a character before it (Unicode Annex 15)."""
    seconds = {
        chr(int(parts[1], 16))
        for code in range(sys.maxunicode + 1)
        if (parts := unicodedata.decomposition(chr(code)).split()) and len(parts) == 2 and parts[0][0] != "<"
    }
    final = characters_that_never_change()
    assert len(final) > 45_000
    assert [char for char in final if unicodedata.combining(char) or char in seconds] == []
    assert unicodedata.normalize("NFC", "".join(final)) == "".join(final)
    assert not {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))} & set(final)


@pytest.mark.parametrize(
    "text",
    ["e\u0301", "\u1112\u1161\u11ab", "か\u3099", "\u2126", "\u00e9\u0323\u0301", "ý\ufdd9", markers.protect("[[é")],
)
def test_what_may_change_is_not_taken_for_final(text: str) -> None:
    assert not markers.is_final(text)


def test_odd_letters_are_blanks_and_what_may_change() -> None:
    wide = [chr(code) for code in range(0x300, 0x10000)] + ["\U0001f600"]
    letters = [*map(chr, range(0x300)), *wide]
    odd = {letter for letter in letters if markers._ODD.match(letter)}
    assert odd == {letter for letter in letters if markers._BLANK.match(letter) or markers._MAY_CHANGE.match(letter)}
    blanks = set(filter(markers._BLANK.match, letters))
    assert blanks == set(filter(str.isspace, letters)) - {"\n", "\r", " "}


@pytest.mark.parametrize("count", [1, markers._FEW - 1, markers._FEW, 200])
def test_blanks_become_spaces_however_many_they_are(count: int) -> None:
    text, changing = markers.blanks_as_spaces("a\u3000b\tc\u0301\n" * count)
    assert text == "a b c\u0301\n" * count
    assert changing == ("\u0301" if 3 * count < markers._FEW else None)


@given(st.text(alphabet="a é\u0301\u00a0\t\u3000ا\n", max_size=150))
def test_letters_that_may_change_are_told(text: str) -> None:
    spaced, changing = markers.blanks_as_spaces(text)
    assert spaced == markers._BLANK.sub(" ", text)
    assert changing is None or set(changing) == set(markers._MAY_CHANGE.findall(spaced))


@given(st.lists(st.sampled_from(["\n{|", "\n|}", "{{x|", "}}", "\n| a", "b", "\n= h =\n", "\n"]), max_size=30))
def test_whole_tables_are_dropped_as_the_parser_drops_them(pieces: list[str]) -> None:
    text = "".join(pieces)
    shorter = tables.without_tables(text)
    assert _by_tokens(shorter) == _by_tokens(text)
    assert len(shorter) <= len(text)


def _by_tokens(text: str) -> str:
    parser = Parser(text, Page())
    parser._templates = parser._tokens  # type: ignore[method-assign]
    return parser.run()


@given(
    st.lists(st.sampled_from(["\n", "\n\n", "*", ";", " ", "•", "-", "----", "|", "(", "_", "a", "b c"]), max_size=30)
)
def test_gaps_are_read_alike_with_and_without_their_table(pieces: list[str]) -> None:
    text = "".join(pieces)
    known = gaps.parted(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gaps, "_LONGEST_KEPT", 0)
        assert gaps.parted(text) == known


@given(st.text())
def test_text_taken_for_final_is_normalised(text: str) -> None:
    text = markers.without_marks(text)
    assert markers.final(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("text", ["a\ufdd0b", "a\ufdefb", "ý\ufdd3", "\x00ab", "a\ud800b"])
def test_marks_of_the_input_are_removed(text: str) -> None:
    assert markers.without_marks(text) == "".join(char for char in text if char in "abý")


@pytest.mark.parametrize("text", ["aýb", "\ufdf2", "\ufe00x", "日本", "\U0001f600"])
def test_other_characters_of_the_input_stay(text: str) -> None:
    assert markers.without_marks(text) == text


TEMPLATES = st.lists(
    st.sampled_from(["{{", "}}", "|", "nowrap|", "lang|fr|", "x|", "a", " ", "\n", "\n== h ==\n", "\n=", "[[a|b]]"]),
    max_size=40,
)


@given(TEMPLATES.map(" ".join))
def test_sections_without_tables_are_read_alike_by_splits_and_by_tokens(text: str) -> None:
    by_tokens = Parser(text, Page())
    by_tokens._templates = by_tokens._tokens  # type: ignore[method-assign]
    assert Parser(text, Page()).run() == by_tokens.run()


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 3 * MAX_DEPTH])
def test_templates_are_followed_to_the_greatest_depth(depth: int) -> None:
    text = "a " + "{{nowrap|" * depth + "x" + "}}" * depth + " b"
    assert to_text(text).text == ("a x b" if depth <= parser.MAX_DEPTH else "a b")
