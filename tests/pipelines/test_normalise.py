from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines import normalise
from pipelines.normalise import normalised, without_boilerplate


def plain(text: str) -> str:
    return str(pl.DataFrame({"text": [text]}).select(normalised(pl.col("text"))).item())


def proper(text: str) -> str:
    return str(pl.DataFrame({"text": [text]}).select(without_boilerplate(normalised(pl.col("text")))).item())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufeffa\u200bb\x00", "ab"),
        ("e\u200b\u0301", "é"),
        ("a\u00a0 \t b", "a b"),
        ("a \r\n b\rc", "a\nb\nc"),
        ("a\n\n \n\nb\n", "a\n\nb"),
        ("a\u2028b", "a\nb"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_text_gets_one_spelling(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text(max_size=50))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    "line",
    [
        "[edit]",
        "We use cookies to improve your experience.",
        'Retrieved from "https://example.org/w/index.php?title=X"',
        "© 2020 Example Corp. All rights reserved.",
        "Click here to read more",
        "Privacy Policy",
    ],
)
def test_boilerplate_lines_go(line: str) -> None:
    assert proper(f"First line.\n{line}\nLast line.") == "First line.\n\nLast line."


@pytest.mark.parametrize(
    "line",
    [
        "To edit a film takes months.",
        "Edit wars are fought by editors.",
        "The statue was retrieved from the sea.",
        "Bakers use cookies as bait.",
    ],
)
def test_prose_about_the_same_things_stays(line: str) -> None:
    assert proper(line) == line


@given(st.lists(st.text(alphabet="aé\u0301 \u00a0\t\n\r\u200b각\u1100\u1161\u11a8ｶﾞ[1]edit", max_size=9), max_size=4))
@example(["a\u0301\u0327", "\u1100\u1161", "\u212b", "ক\u09c7\u09be", "[edit]", "a[12]", ""])
def test_a_column_is_made_plain_as_its_texts_are(texts: list[str]) -> None:
    assert normalise.plain(pl.Series(texts, dtype=pl.String)).to_list() == [proper(text) for text in texts]


def test_marks_of_notes_go_where_they_are_asked_for() -> None:
    texts = pl.Series(["It rains.[12] It does. [citation needed]", "It rains."])
    assert normalise.plain(texts, citations=True).to_list() == ["It rains. It does.", "It rains."]
    assert normalise.plain(texts).to_list() == texts.to_list()


def test_every_character_that_composition_may_change_is_looked_at() -> None:
    chars = pl.Series([chr(code) for code in range(0x300, 0x30000) if not 0xD800 <= code < 0xE000])
    passed = chars.filter(~chars.str.contains(rf"[{normalise._MAYBE_NOT_COMPOSED}\s]")).to_list()
    assert all(unicodedata.is_normalized("NFC", "e" + char + "e") for char in passed)
    assert not any(unicodedata.combining(char) for char in passed)
    parts = {unicodedata.normalize("NFD", char)[1:2] for char in passed} - {""}
    assert not parts & set(passed)
