"""Muon beside PyTorch's own, and in the numbers of the processor."""

from __future__ import annotations

import pytest
import torch
from torch import nn, optim

from models.training import muon
from models.training.muon import Muon, orthogonal

SHAPES = [(3, 5), (6, 2), (4, 4)]


def weights() -> list[nn.Parameter]:
    torch.manual_seed(0)
    return [nn.Parameter(torch.randn(shape)) for shape in SHAPES]


def learn(found: list[nn.Parameter], optimiser: optim.Optimizer) -> None:
    """Three steps down a hill that is steeper in some directions."""
    for _ in range(3):
        optimiser.zero_grad()
        losses = [(weight.pow(2) * torch.arange(1.0, weight.shape[1] + 1)).sum() for weight in found]
        torch.stack(losses).sum().backward()
        optimiser.step()


def test_steps_are_those_of_pytorch_where_the_processor_has_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(muon, "has_bfloat16", lambda device: True)
    ours, theirs = weights(), weights()
    learn(ours, Muon([{"params": ours, "weight_decay": 0.01}], lr=0.1, momentum=0.9))
    learn(theirs, optim.Muon(theirs, lr=0.1, momentum=0.9, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"))
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other)


def test_elsewhere_steps_are_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly the same ones: bfloat16 has three digits."""
    found = []
    for has in (True, False):
        monkeypatch.setattr(muon, "has_bfloat16", lambda device, has=has: has)
        found.append(weights())
        learn(found[-1], Muon([{"params": found[-1]}], lr=0.1, momentum=0.9))
    for one, other in zip(*found, strict=True):
        assert not torch.equal(one, other)
        torch.testing.assert_close(one, other, atol=0.02, rtol=0.02)


@pytest.mark.parametrize("shape", SHAPES)
def test_directions_stay_and_their_lengths_become_alike(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    matrix = torch.randn(shape)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    turned = left.mT @ orthogonal(matrix, torch.float32) @ right.mT
    lengths = turned.diagonal()
    torch.testing.assert_close(turned, lengths.diag(), atol=1e-4, rtol=0.0)
    assert all(0.5 < length < 1.5 for length in lengths.tolist())


def test_no_gradient_no_move() -> None:
    (weight,) = weights()[:1]
    before = weight.detach().clone()
    Muon([{"params": [weight]}], lr=0.1, momentum=0.9).step()
    assert torch.equal(weight, before)
