from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from data.errors import ConfigError
from models.decoding.sampling import (
    GREEDY,
    Sampling,
    draw,
    filtered,
    min_p,
    penalise_repetition,
    top_k,
    top_p,
)

LOGITS = st.lists(st.floats(-8, 8, width=32), min_size=2, max_size=12).map(torch.tensor)
SAMPLINGS = st.builds(
    Sampling,
    temperature=st.floats(0.1, 3.0),
    top_k=st.integers(0, 14),
    top_p=st.floats(0.05, 1.0),
    min_p=st.floats(0.0, 1.0),
)
KNOWN = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()


def kept(logits: Tensor) -> list[int]:
    return logits.isfinite().nonzero().flatten().tolist()


@given(LOGITS, SAMPLINGS)
def test_the_most_probable_token_stays(logits: Tensor, sampling: Sampling) -> None:
    assert int(logits.argmax()) in kept(filtered(logits, sampling))


@given(LOGITS, SAMPLINGS)
def test_what_stays_is_more_probable_than_what_goes(logits: Tensor, sampling: Sampling) -> None:
    stays = filtered(logits, sampling).isfinite()
    assert stays.all() or logits[stays].min() >= logits[~stays].max()


@given(LOGITS, SAMPLINGS)
def test_filters_change_no_logit_that_stays(logits: Tensor, sampling: Sampling) -> None:
    found = filtered(logits, sampling)
    stays = found.isfinite()
    assert torch.allclose(found[stays], logits[stays] / sampling.temperature)


@given(LOGITS, st.integers(1, 14))
def test_top_k_keeps_k_and_what_ties_with_the_last(logits: Tensor, k: int) -> None:
    last = logits.sort(descending=True).values[min(k, len(logits)) - 1]
    assert kept(top_k(logits, k)) == (logits >= last).nonzero().flatten().tolist()


@given(LOGITS, st.floats(0.05, 0.95))
def test_top_p_keeps_the_fewest_that_reach_p(logits: Tensor, p: float) -> None:
    mass = logits.softmax(dim=-1)[kept(top_p(logits, p))].sort(descending=True).values
    assert mass.sum() >= p - 1e-5
    assert mass[:-1].sum() < p + 1e-5


@given(LOGITS, st.floats(0.01, 1.0))
def test_min_p_keeps_a_share_of_the_best(logits: Tensor, p: float) -> None:
    probabilities = logits.softmax(dim=-1)
    assert kept(min_p(logits, p)) == (probabilities >= p * probabilities.max()).nonzero().flatten().tolist()


@given(LOGITS, st.floats(1.0, 3.0))
def test_a_penalty_makes_seen_tokens_less_probable_and_leaves_others(logits: Tensor, penalty: float) -> None:
    found = penalise_repetition(logits, torch.tensor([0, 0]), penalty)
    assert found[0] <= logits[0]
    assert torch.equal(found[1:], logits[1:])


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (top_k(KNOWN, 2), [0, 1]),
        (top_k(KNOWN, 0), [0, 1, 2, 3]),
        (top_p(KNOWN, 0.35), [0]),
        (top_p(KNOWN, 0.65), [0, 1]),
        (top_p(KNOWN, 1.0), [0, 1, 2, 3]),
        (min_p(KNOWN, 0.45), [0, 1, 2]),
        (min_p(KNOWN, 0.0), [0, 1, 2, 3]),
    ],
)
def test_filters_on_known_probabilities(found: Tensor, expected: list[int]) -> None:
    assert kept(found) == expected


def test_penalty_divides_positive_logits_and_multiplies_negative_ones() -> None:
    found = penalise_repetition(torch.tensor([2.0, -2.0, 1.0]), torch.tensor([0, 1]), 2.0)
    assert found.tolist() == [1.0, -4.0, 1.0]


def test_drawing_follows_the_probabilities() -> None:
    tokens = draw(KNOWN.expand(20_000, 4), Sampling(temperature=1.0), generator=torch.Generator().manual_seed(0))
    shares = torch.bincount(tokens, minlength=4) / 20_000
    assert torch.allclose(shares, KNOWN.exp(), atol=0.015)


def test_drawing_follows_the_generator() -> None:
    first, second = (
        draw(KNOWN.expand(50, 4), Sampling(), generator=torch.Generator().manual_seed(3)) for _ in range(2)
    )
    assert torch.equal(first, second)


def test_greedy_takes_the_best_that_is_not_penalised() -> None:
    assert int(draw(KNOWN, GREEDY)) == 0
    assert int(draw(KNOWN + 2, Sampling(temperature=0, repetition_penalty=2.0), history=torch.tensor([0]))) == 1


def test_one_token_per_row_of_any_shape() -> None:
    assert draw(KNOWN.expand(2, 3, 4), Sampling()).shape == (2, 3)
    assert draw(KNOWN, Sampling()).shape == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -0.1}, "temperature is -0.1; it must be at least 0"),
        ({"top_k": -1}, "top_k is -1"),
        ({"top_p": 0.0}, "top_p is 0.0; it must be above 0 and at most 1"),
        ({"min_p": 1.5}, "min_p is 1.5; it must be between 0 and 1"),
        ({"repetition_penalty": 0.0}, "repetition_penalty is 0.0; it must be above 0"),
    ],
)
def test_bad_option_of_sampling_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Sampling(**options)
