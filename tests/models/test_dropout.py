from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.layers.dropout import Dropout, dropout

MANY = torch.ones(2_000, 512)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_share_and_mean_are_those_of_the_rate(rate: float) -> None:
    torch.manual_seed(1)
    found = dropout(MANY, rate, training=True)
    nearest = round(rate * 256) / 256
    assert float((found == 0).float().mean()) == pytest.approx(nearest, abs=0.002)
    assert float(found.mean()) == pytest.approx(1.0, abs=0.003)


@settings(deadline=None)
@given(st.floats(0.0, 0.999), st.integers(1, 30))
def test_what_is_kept_is_scaled_alike(rate: float, size: int) -> None:
    torch.manual_seed(0)
    found = dropout(torch.full((size,), 3.0), rate, training=True)
    kept = found[found != 0]
    assert len(kept.unique()) <= 1
    assert bool((kept >= 3.0).all())
    assert found.shape == (size,)


def test_gradient_is_dropped_where_the_state_is() -> None:
    torch.manual_seed(2)
    states = torch.randn(50, requires_grad=True)
    found = dropout(states, 0.4, training=True)
    found.sum().backward()
    assert states.grad is not None
    assert torch.allclose(found.detach(), states.detach() * states.grad)
    assert 0 < int((states.grad == 0).sum()) < 50


def test_neighbours_are_dropped_apart() -> None:
    torch.manual_seed(3)
    kept = (dropout(MANY, 0.5, training=True) != 0).float()
    for distance in (1, 2, 7, 8, 64):
        both = (kept[:, distance:] * kept[:, :-distance]).mean()
        assert float(both) == pytest.approx(0.25, abs=0.01)


def test_equal_seeds_drop_the_same() -> None:
    found = []
    for _ in range(2):
        torch.manual_seed(7)
        found.append(dropout(MANY, 0.3, training=True))
    assert torch.equal(*found)


def test_precision_stays() -> None:
    assert dropout(MANY.bfloat16(), 0.3, training=True).dtype == torch.bfloat16


def test_nothing_is_dropped_outside_training() -> None:
    assert Dropout(0.5).eval()(MANY) is MANY
    assert dropout(MANY, 0.0, training=True) is MANY
