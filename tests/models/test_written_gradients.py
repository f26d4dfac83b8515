from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from parity import assert_close, noise
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from models.layers import gradients
from models.layers.gradients import RMSNorm, gelu_tanh, squared_relu, turned, unit_rms

ANGLES = noise(5, 4, seed=7)


def plainly_turned(states: Tensor) -> Tensor:
    """Pairs of channels as complex numbers, times e^(i angle)."""
    first, second = states.chunk(2, dim=-1)
    product = torch.complex(first, second) * torch.polar(torch.ones_like(ANGLES), ANGLES)
    return torch.cat((product.real, product.imag), dim=-1)


PAIRS: list[tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = [
    (squared_relu, lambda states: F.relu(states).square()),
    (gelu_tanh, lambda states: F.gelu(states, approximate="tanh")),
    (unit_rms, lambda states: F.rms_norm(states, (8,))),
    (lambda states: unit_rms(states, epsilon=0.1), lambda states: F.rms_norm(states, (8,), eps=0.1)),
    (lambda states: turned(states, ANGLES.cos(), ANGLES.sin()), plainly_turned),
]


@pytest.mark.parametrize(("ours", "plain"), PAIRS)
def test_values_and_gradients_are_those_of_the_plain_form(
    ours: Callable[[Tensor], Tensor], plain: Callable[[Tensor], Tensor]
) -> None:
    states, weight = noise(3, 2, 5, 8).requires_grad_(), noise(3, 2, 5, 8, seed=1)
    found, expected = ours(states), plain(states)
    assert_close([found], [expected])
    assert_close(
        torch.autograd.grad((found * weight).sum(), states), torch.autograd.grad((expected * weight).sum(), states)
    )


@pytest.mark.parametrize("ours", [squared_relu, gelu_tanh, unit_rms, PAIRS[4][0]])
def test_states_need_not_lie_side_by_side_in_memory(ours: Callable[[Tensor], Tensor]) -> None:
    states = noise(2, 5, 3, 8).transpose(1, 2)
    assert_close([ours(states)], [ours(states.contiguous())])


@pytest.mark.parametrize(("ours", "plain"), PAIRS[:3])
def test_half_precision_stays_half(ours: Callable[[Tensor], Tensor], plain: Callable[[Tensor], Tensor]) -> None:
    states = noise(4, 8)
    assert ours(states.bfloat16()).dtype == torch.bfloat16
    assert torch.allclose(ours(states.bfloat16()).float(), plain(states), atol=0.02, rtol=0.02)


def test_gelu_is_that_of_torch_from_end_to_end_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradients, "_PIECE", 7)
    states = torch.linspace(-40, 40, 100).requires_grad_()
    found, expected = gelu_tanh(states), F.gelu(states, approximate="tanh")
    assert_close([found], [expected])
    assert_close(torch.autograd.grad(found.sum(), states), torch.autograd.grad(expected.sum(), states))
    with torch.no_grad():
        assert torch.equal(gelu_tanh(states), found)


def test_rms_norm_is_that_of_torch() -> None:
    ours, theirs, states = RMSNorm(8, epsilon=1e-6), torch.nn.RMSNorm(8, eps=1e-6), noise(3, 8) * 4
    for norm in (ours, theirs):
        norm.weight.data.copy_(noise(8, seed=2))
    assert_close([ours(states)], [theirs(states)])
    losses = [(norm(states) * states).sum() for norm in (ours, theirs)]
    assert_close(torch.autograd.grad(losses[0], ours.weight), torch.autograd.grad(losses[1], theirs.weight))
