"""Spans, and tokens with tags, to words with one BIO tag each."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import TextmillError
from pipelines.labelled.tagging import names, numbered, tagged

SPAN = pl.Struct({"start": pl.Int32, "end": pl.Int32, "type": pl.String})


def of_tokens(tokens: Any, tags: Any, rejects: Counter[str] | None = None) -> list[Any]:
    schema = {"tokens": pl.List(pl.String), "tags": pl.List(pl.String)}
    return tagged(pl.DataFrame({"tokens": [tokens], "tags": [tags]}, schema=schema), rejects).rows()


def of_spans(text: Any, spans: Any, rejects: Counter[str] | None = None) -> list[Any]:
    found = None if spans is None else [dict(zip(("start", "end", "type"), span, strict=True)) for span in spans]
    schema = {"text": pl.String, "spans": pl.List(SPAN)}
    return tagged(pl.DataFrame({"text": [text], "spans": [found]}, schema=schema), rejects).rows()


@pytest.mark.parametrize(
    ("tags", "read"),
    [
        (["B-A", "I-A", "O", "B-A"], ["B-A", "I-A", "O", "B-A"]),
        (["I-A", "I-A", "O", "I-A"], ["B-A", "I-A", "O", "B-A"]),
        (["I-A", "B-A", "I-B", "I-B"], ["B-A", "B-A", "B-B", "I-B"]),
        (["B-A", "E-A", "S-A", "S-B"], ["B-A", "I-A", "B-A", "B-B"]),
    ],
)
def test_tags_of_other_schemes_are_read(tags: list[str], read: list[str]) -> None:
    assert of_tokens(["a", "b", "c", "d"], tags) == [(["a", " b", " c", " d"], read)]


def test_words_of_a_text_have_their_blanks_and_tags() -> None:
    found = of_spans("Ada  Lovelace's 1843\nnotes.", [(0, 13, "PER"), (16, 20, "DATE")])
    words = ["Ada", " Lovelace", "'", "s", " 1843", " notes", "."]
    assert found == [(words, ["B-PER", "I-PER", "O", "O", "B-DATE", "O", "O"])]


def test_a_span_that_cuts_a_word_is_widened() -> None:
    assert of_spans("Germans ate", [(0, 6, "LOC")]) == [(["Germans", " ate"], ["B-LOC", "O"])]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((None, ["O"]), "missing_value"),
        ((["a"], ["O", "O"]), "lengths_differ"),
        (([], []), "no_word"),
        ((["a", " "], ["O", "O"]), "no_word"),
        ((["a"], ["B"]), "invalid_tag"),
        ((["a"], ["NN"]), "invalid_tag"),
        ((["a"], [None]), "invalid_tag"),
    ],
)
def test_tokens_that_cannot_be_read_are_counted(row: tuple[Any, Any], reason: str) -> None:
    rejects: Counter[str] = Counter()
    assert (of_tokens(*row, rejects), rejects) == ([], {reason: 1})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("a b", None), "missing_value"),
        (("  ", []), "no_word"),
        (("a b", [(2, 4, "A")]), "span_outside_text"),
        (("a b", [(-1, 1, "A")]), "span_outside_text"),
        (("a b", [(1, 2, "A")]), "span_outside_text"),
        (("a b", [(2, 2, "A")]), "span_outside_text"),
        (("a b", [(0, 3, "A"), (2, 3, "B")]), "spans_overlap"),
    ],
)
def test_spans_that_cannot_be_read_are_counted(row: tuple[Any, Any], reason: str) -> None:
    rejects: Counter[str] = Counter()
    assert (of_spans(*row, rejects), rejects) == ([], {reason: 1})


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"tokens": [["a"]], "tags": [[3]]}, "tags holds List.*tags such as B-PER"),
        ({"tokens": ["a"], "tags": [["O"]]}, "tokens holds String"),
        ({"text": ["a"], "spans": [[1]]}, "spans holds .*with start, end and type"),
    ],
)
def test_columns_of_something_else_are_refused(columns: dict[str, Any], said: str) -> None:
    with pytest.raises(TextmillError, match=said):
        tagged(pl.DataFrame(columns))


def test_rows_without_any_span_have_no_mention() -> None:
    frame = pl.DataFrame({"text": ["a b"], "spans": [[]]})
    assert tagged(frame).rows() == [(["a", " b"], ["O", "O"])]


_ROWS = st.lists(st.tuples(st.sampled_from(["Ada", "17", "."]), st.sampled_from("OAB"), st.booleans()), min_size=1)


@given(_ROWS)
def test_spans_of_tags_are_those_tags_again(row: list[tuple[str, str, bool]]) -> None:
    tokens, tags, spans = [], [], []
    for token, kind, goes_on in row:
        start, inside = sum(map(len, tokens)) + len(tokens), goes_on and bool(tags) and tags[-1][2:] == kind
        tokens.append(token)
        tags.append("O" if kind == "O" else f"{'I' if inside else 'B'}-{kind}")
        if inside and kind != "O":
            spans[-1] = (spans[-1][0], start + len(token), kind)
        elif kind != "O":
            spans.append((start, start + len(token), kind))
    assert of_spans(" ".join(tokens), spans) == of_tokens(tokens, tags)
    assert [names(["A", "B"])[number] for number in numbered(tags, {"A": 0, "B": 1})] == tags
