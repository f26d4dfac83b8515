"""Gradients are scaled as torch does it, and only where their norm is too large."""

from __future__ import annotations

import pytest
import torch
from parity import noise
from torch import nn

from models.training.loop import _clipped


def weights() -> list[nn.Parameter]:
    found = [nn.Parameter(torch.zeros(3, 2)), nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(1))]
    found[0].grad, found[1].grad = noise(3, 2), noise(4, seed=1)
    return found


@pytest.mark.parametrize("clip", [0.5, 2.0, 100.0])
def test_norm_and_gradients_are_those_of_torch(clip: float) -> None:
    ours, theirs = weights(), weights()
    norm = _clipped(ours, clip)
    assert norm == float(nn.utils.clip_grad_norm_(theirs, clip))
    for one, other in zip(ours[:2], theirs[:2], strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.equal(one.grad, other.grad)


def test_a_norm_that_is_no_number_is_told() -> None:
    found = weights()
    assert found[1].grad is not None
    found[1].grad[0] = torch.nan
    norm = _clipped(found, 1.0)
    assert norm != norm
