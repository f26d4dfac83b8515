from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.layers.positions import Rotary, Sinusoidal, restarting


@pytest.mark.parametrize(("position", "channel"), [(0, 0), (3, 0), (3, 1), (7, 4), (7, 5)])
def test_sinusoids_are_those_of_vaswani(position: int, channel: int) -> None:
    angle = position / 10_000 ** (2 * (channel // 2) / 6)
    found = Sinusoidal(6, length=8)(torch.tensor([position]))[0, channel].item()
    assert found == pytest.approx(math.cos(angle) if channel % 2 else math.sin(angle), abs=1e-6)


def test_tables_are_not_saved() -> None:
    assert not Sinusoidal(6, length=8).state_dict()


def test_odd_width_is_an_error() -> None:
    with pytest.raises(ValueError, match="width is 5"):
        Sinusoidal(5, length=8)


def test_rotations_of_rows_differ_where_positions_do() -> None:
    rotary = Rotary(4, length=8)
    cos, _ = rotary(torch.tensor([[0, 1, 2], [0, 0, 1]]))
    assert cos.shape == (2, 1, 3, 2)
    assert torch.equal(cos[1, 0], rotary(torch.tensor([0, 0, 1]))[0])


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_positions_begin_anew_in_each_document(sizes: list[int]) -> None:
    documents = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))[None]
    assert restarting(documents).tolist() == [[place for size in sizes for place in range(size)]]
