from __future__ import annotations

import pytest
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


def test_tokens_are_drawn_as_often_as_they_are_probable() -> None:
    shares = torch.tensor([0.5, 0.0, 0.2, 0.3, 0.0])
    drawn = drawn_from(shares.log().expand(20_000, 5), 1.0, torch.Generator().manual_seed(0))
    assert (drawn.bincount(minlength=5) / 20_000).tolist() == pytest.approx(shares.tolist(), abs=0.015)


def test_lower_temperature_draws_the_probable_more_often() -> None:
    logits = torch.tensor([1.0, 0.0]).expand(20_000, 2)
    cold = drawn_from(logits, 0.5, torch.Generator().manual_seed(0))
    assert (cold == 0).float().mean().item() == pytest.approx(torch.tensor(2.0).sigmoid().item(), abs=0.01)


def test_rounding_never_reaches_past_the_last_token_with_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "rand", lambda *shape, **_options: torch.ones(shape))
    assert drawn_from(torch.tensor([[0.0, 0.0, float("-inf")]]), 1.0).tolist() == [1]
