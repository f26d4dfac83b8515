from __future__ import annotations

import torch

from models.generative.sentences import Marks, drawn_from, word_nats

MARKS = Marks(pad=8, begin=9, end=0)


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
