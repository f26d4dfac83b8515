from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
