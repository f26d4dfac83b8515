from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import segment

SENTENCES = [
    ("Born in 1984. Died late.", ["Born in 1984.", "Died late."]),
    ("Mr. Smith met Dr. Jones. He left.", ["Mr. Smith met Dr. Jones.", "He left."]),
    ("J. R. R. Tolkien wrote it.", ["J. R. R. Tolkien wrote it."]),
    ("He served in the U.S. Army. It paid $3.50.", ["He served in the U.S. Army.", "It paid $3.50."]),
    ("She moved to the U.S. She stayed.", ["She moved to the U.S.", "She stayed."]),
    ("Birds, e.g. Ravens, fly.", ["Birds, e.g. Ravens, fly."]),
    ("We met at 5 p.m. The sun set.", ["We met at 5 p.m.", "The sun set."]),
    ("See Fig. 3 and no. 5. Done.", ["See Fig. 3 and no. 5.", "Done."]),
    ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
    ('"Really?" he asked. "Yes." She left.', ['"Really?" he asked.', '"Yes."', "She left."]),
    ("A . . . B", ["A . . .", "B"]),
    ("great movie. loved every minute.", ["great movie.", "loved every minute."]),
    ("1. Introduction", ["1. Introduction"]),
    ("am 3. Oktober 1990 war es. Ende.", ["am 3. Oktober 1990 war es.", "Ende."]),
    ("他说。好！", ["他说。", "好！"]),
    ("「行く。」と言った。", ["「行く。」と言った。"]),
    ("यह हिन्दी है। वह किताब है।", ["यह हिन्दी है।", "वह किताब है।"]),
    ("Heading\nText one.\n\n- item", ["Heading", "Text one.", "- item"]),
    ("", []),
    (" \n\n ", []),
]


@pytest.mark.parametrize(("text", "sentences"), SENTENCES)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in segment.sentence_spans(text)] == sentences


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Halley's comet, state-owned", ["Halley's", "comet", "state", "owned"]),
        ("can’t 1,000.50 3D", ["can’t", "1,000.50", "3D"]),
        ("the U.S. of i.e. two", ["the", "U.S.", "of", "i.e.", "two"]),
        ("naïve e\u0301te", ["naïve", "e\u0301te"]),
        ("हिन्दी है।", ["हिन्दी", "है"]),
        ("東京タワー", ["東", "京", "タワー"]),
        ("... — !", []),
    ],
)
def test_words_are_letters_marks_and_digits(text: str, words: list[str]) -> None:
    assert segment.words(text) == words


@given(st.text(alphabet=st.sampled_from("aB1.。?!\n \"')é東ि"), max_size=60))
def test_sentence_spans_are_ordered_and_lose_no_word(text: str) -> None:
    spans = segment.sentence_spans(text)
    assert all(a < b for a, b in spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    covered = "".join(text[start:end] for start, end in spans)
    assert [c for c in covered if c.isalnum()] == [c for c in text if c.isalnum()]
    assert not any("\n" in text[start:end] for start, end in spans)


@given(st.text(alphabet=st.sampled_from("aB1.,'’ \n-é東タि"), max_size=40))
def test_expression_counts_and_extracts_the_words_of_the_function(text: str) -> None:
    frame = pl.DataFrame({"text": [text]})
    counted = frame.select(
        segment.word_count(pl.col("text")).alias("n"), segment.extract_words(pl.col("text")).alias("words")
    )
    assert counted.row(0) == (len(segment.words(text)), segment.words(text))


@pytest.mark.parametrize(
    ("text", "count"), [("Mr. Smith left. He is J. Doe.", 2), ("One.\nTwo\n\nThree!", 3), ("他说。好！", 2), ("", 0)]
)
def test_sentences_are_counted(text: str, count: int) -> None:
    assert pl.DataFrame({"text": [text]}).select(segment.sentence_count(pl.col("text"))).item() == count
