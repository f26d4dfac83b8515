from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.quality.tokens import cut, cut_all


@pytest.mark.parametrize(
    ("chunk", "tokens"),
    [
        ("river", "river"),
        ("river,", "river ,"),
        ("river.", "river ."),
        ("Straße.", "Straße ."),
        ("있다.", "있다 ."),
        ("J.", "J."),
        ("NATO.", "NATO ."),
        ("U.S.", "U.S."),
        ("U.S.,", "U.S. ,"),
        ("e.g.", "e.g."),
        ("Mr.", "Mr."),
        ("don't", "do n't"),
        ("It's", "It 's"),
        ("Obama's", "Obama 's"),
        ("O'Brien", "O'Brien"),
        ("cannot", "can not"),
        ("19th-century", "19th - century"),
        ("F-16", "F-16"),
        ("1990–2000", "1990–2000"),
        ("1,000", "1,000"),
        ("3.14.", "3.14 ."),
        ("10km", "10 km"),
        ("5%", "5 %"),
        ("$5", "$ 5"),
        ("6am", "6 am"),
        ('"well."', '" well . "'),
        ("(see", "( see"),
        ("said).", "said ) ."),
        ("end.The", "end . The"),
        ("a,b", "a , b"),
        ("and/or", "and/or"),
        ("he/she", "he / she"),
        ("wait...", "wait ..."),
        ("…", "…"),
        ("...", "..."),
        ("https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("name@example.org", "name@example.org"),
        (":-)", ":-)"),
        ("##", "# #"),
        ("x" * 2000, "x" * 2000),
        ("-" * 2000, "-" * 2000),
    ],
)
def test_runs_are_cut_into_words_and_marks(chunk: str, tokens: str) -> None:
    assert list(cut(chunk)) == tokens.split()


CHUNKS = st.text(alphabet="aBéЯ'’.,;-–(\"“«»[])1…/:@#한", min_size=1, max_size=12)


@settings(deadline=None)
@given(CHUNKS)
def test_tokens_joined_are_the_run(chunk: str) -> None:
    assert "".join(cut(chunk)) == chunk


@settings(deadline=None)
@given(
    st.lists(
        CHUNKS
        | st.sampled_from(
            ["river", "river,", "Mr.", "cannot", "NATO.", "(St.", "«річка».", "(об'єкт),", "[12]", "12).", "(a)"]
        ),
        unique=True,
    )
)
def test_a_column_is_cut_as_its_runs_are(chunks: list[str]) -> None:
    encoded, sizes = cut_all(pl.Series(chunks, dtype=pl.String))
    assert encoded.to_pylist() == [token for chunk in chunks for token in cut(chunk)]
    assert sizes.tolist() == [len(cut(chunk)) for chunk in chunks]
