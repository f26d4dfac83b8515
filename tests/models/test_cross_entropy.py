from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from parity import assert_close, noise
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from models.layers import cross_entropy
from models.layers.cross_entropy import IGNORED, capped, linear_cross_entropy

HIDDEN, WEIGHT, BIAS = noise(7, 4, seed=1), noise(5, 4, seed=2), noise(5, seed=3)
TARGETS = torch.tensor([0, 4, IGNORED, 2, 2, IGNORED, 1])


def with_gradients(loss: Callable[..., Tensor], bias: Tensor | None = BIAS) -> list[Tensor]:
    inputs = [part.clone().requires_grad_() for part in (HIDDEN, WEIGHT, bias) if part is not None]
    value = loss(*inputs, *([None] if bias is None else []))
    return [value, *torch.autograd.grad(value * 3, inputs)]


@pytest.mark.parametrize("bias", [BIAS, None])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("cap", [0.0, 1.5])
@pytest.mark.parametrize("chunk", [1, 10, 1000])
def test_loss_and_gradients_are_those_of_the_plain_form(
    monkeypatch: pytest.MonkeyPatch, chunk: int, cap: float, smoothing: float, bias: Tensor | None
) -> None:
    monkeypatch.setattr(cross_entropy, "CHUNK", chunk)

    def plain(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        logits = capped(F.linear(hidden, weight, bias), cap)
        nats = F.cross_entropy(logits, TARGETS, reduction="none", label_smoothing=smoothing)
        return nats.sum() / 5

    def ours(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return linear_cross_entropy(hidden, weight, bias, TARGETS, cap=cap, smoothing=smoothing)

    assert_close(with_gradients(ours, bias), with_gradients(plain, bias))


@given(st.lists(st.sampled_from([IGNORED, 0, 3]), min_size=7, max_size=7))
def test_the_mean_is_over_targets_that_are_not_ignored(targets: list[int]) -> None:
    logs = F.linear(HIDDEN, WEIGHT, BIAS).log_softmax(dim=-1)
    nats = [-logs[row, target].item() for row, target in enumerate(targets) if target != IGNORED]
    found = linear_cross_entropy(HIDDEN, WEIGHT, BIAS, torch.tensor(targets)).item()
    assert found == pytest.approx(sum(nats) / max(1, len(nats)), rel=1e-5)


def test_autocast_keeps_weights_and_gradients_in_full_precision() -> None:
    hidden, weight = HIDDEN.clone().requires_grad_(), WEIGHT.clone().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = linear_cross_entropy(hidden, weight, BIAS, TARGETS)
    loss.backward()
    assert loss.dtype == torch.float32
    assert hidden.grad is not None
    assert hidden.grad.dtype == torch.float32
    assert loss.item() == pytest.approx(linear_cross_entropy(HIDDEN, WEIGHT, BIAS, TARGETS).item(), rel=0.02)


def test_a_frozen_table_gets_no_gradient() -> None:
    hidden = HIDDEN.clone().requires_grad_()
    linear_cross_entropy(hidden, WEIGHT, BIAS, TARGETS).backward()
    assert hidden.grad is not None
    assert WEIGHT.grad is None


def test_an_improbable_target_costs_what_it_must() -> None:
    loss = linear_cross_entropy(torch.tensor([[200.0]]), torch.tensor([[1.0], [0.0]]), None, torch.tensor([1]))
    assert loss.item() == pytest.approx(200.0)
