from __future__ import annotations

import tiny_text
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from data.token_store import TokenStore
from models.batching.sentences import cut, ends
from models.generative.sentences import Marks, drawn_from, word_nats
from models.vocabulary import END_OF_TEXT, Vocabulary

MARKS = Marks(pad=8, begin=9, end=0)
PIECES = [END_OF_TEXT, "one", "two", ".", "!", " ", "\n", "?!"]


def pieces() -> Vocabulary:
    return Vocabulary(Tokenizer(models.WordLevel(dict(zip(PIECES, range(8), strict=True)), unk_token=" ")).to_str())


def test_sentence_is_read_behind_begin_and_predicted_before_end() -> None:
    words, lengths = torch.tensor([[1, 2, 3], [4, 8, 8]]), torch.tensor([3, 1])
    assert MARKS.read(words).tolist() == [[9, 1, 2, 3], [9, 4, 8, 8]]
    assert MARKS.predicted(words, lengths).tolist() == [[1, 2, 3, 0], [4, 0, 8, 8]]


def test_drawn_rows_stop_at_the_end() -> None:
    assert MARKS.rows(torch.tensor([[1, 2, 0, 3], [1, 1, 1, 1], [0, 0, 5, 0]])) == [[1, 2], [1, 1, 1, 1], []]


def test_marks_are_barred_and_nothing_else() -> None:
    assert torch.isinf(MARKS.barred(10)).nonzero().flatten().tolist() == [8, 9]


def test_padding_costs_nothing() -> None:
    hidden, targets = torch.zeros(1, 3, 4), torch.tensor([[1, 0, 8]])
    nats = word_nats(hidden, targets, MARKS, lambda states: states)
    assert nats.tolist() == [[*torch.full((2,), 4.0).log().tolist(), 0.0]]


def test_temperature_zero_takes_the_most_probable() -> None:
    assert drawn_from(torch.tensor([[0.0, 3.0, 1.0]]), 0.0).tolist() == [1]


def test_documents_are_cut_after_a_run_of_ends() -> None:
    store = TokenStore.of([[1, 3, 4, 6, 2, 2, 7], [1, 2], [], [4, 1]])
    found = cut(store, pieces())
    assert [found.row(i).tolist() for i in range(len(found))] == [[1, 3, 4, 6], [2, 2, 7], [1, 2], [4], [1]]
    assert found.fingerprint != store.fingerprint


@given(st.lists(st.lists(st.integers(1, 7), max_size=9), max_size=5))
def test_cutting_keeps_every_token_in_order(rows: list[list[int]]) -> None:
    store = TokenStore.of(rows)
    found = cut(store, pieces())
    assert [token for i in range(len(found)) for token in found.row(i)] == [token for row in rows for token in row]
    assert set(store.offsets) <= set(found.offsets)


def test_what_ends_a_sentence() -> None:
    assert [text for text in (".", " ?!", "\n\n", "。", " ", "", "a.", ",") if ends(text)] == [".", " ?!", "\n\n", "。"]


def test_rows_without_ends_stay() -> None:
    store = TokenStore.of(tiny_text.sentences())
    assert cut(store, tiny_text.vocabulary()).offsets.tolist() == store.offsets.tolist()
