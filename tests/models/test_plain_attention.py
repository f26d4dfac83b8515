"""Attention in bfloat16, by plain products on a processor, beside PyTorch's kernel in float32."""

from __future__ import annotations

import pytest
import torch
from parity import noise
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from models.layers import attention, causal
from models.layers.attention import attend

MASK = torch.tensor([[True, True, True, False], [True, False, False, False]])[:, None, None]


def heads(*, time: int = 4, batch: int = 2) -> list[Tensor]:
    return [noise(batch, 3, time, 8, seed=seed).bfloat16().requires_grad_() for seed in range(3)]


def kernel(parts: list[Tensor], mask: Tensor | None, *, causal: bool) -> Tensor:
    query, key, value = (part.float() for part in parts)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)


@pytest.mark.parametrize(("mask", "causal"), [(None, False), (None, True), (MASK, False)])
def test_values_and_gradients_are_those_of_the_kernel(mask: Tensor | None, *, causal: bool) -> None:
    parts = heads()
    found, expected = attend(*parts, mask=mask, causal=causal), kernel(parts, mask, causal=causal)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.03, rtol=0.03)
    gradients = [torch.autograd.grad(value.float().square().sum(), parts) for value in (found, expected)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=0.1, rtol=0.1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("time", [1, 4, 5, 11])
def test_causal_blocks_are_the_kernel(monkeypatch: pytest.MonkeyPatch, time: int, dtype: torch.dtype) -> None:
    monkeypatch.setattr(causal, "BLOCK", 4 * dtype.itemsize)
    parts = [part.detach().to(dtype).requires_grad_() for part in heads(time=time)]
    near = {"atol": 1e-5, "rtol": 1e-5} if dtype == torch.float32 else {"atol": 0.03, "rtol": 0.03}
    found, expected = causal.causal_attention(*parts), kernel(parts, None, causal=True)
    torch.testing.assert_close(found.float(), expected, **near)
    weight = noise(*found.shape, seed=9)
    gradients = [torch.autograd.grad((value.float() * weight).sum(), parts) for value in (found, expected)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, **near)


@pytest.mark.parametrize("time", [191, 192])
def test_blocks_are_taken_where_they_are_faster(monkeypatch: pytest.MonkeyPatch, time: int) -> None:
    seen: list[int] = []
    monkeypatch.setattr(attention, "causal_attention", lambda query, _key, _value: seen.append(query.shape[2]))
    parts = [noise(1, 1, time, 4) for _ in range(3)]
    attend(*parts, mask=None, causal=True)
    attend(*parts, mask=None, causal=True, dropout=0.5)
    assert seen == ([time] if time == 192 else [])


def test_what_may_look_at_nothing_gets_zeros() -> None:
    mask = torch.tensor([True, False]).view(2, 1, 1, 1).expand(2, 1, 1, 4)
    assert not attend(*heads(), mask=mask, causal=False)[1].any()


def test_many_keys_go_to_the_kernel() -> None:
    parts = heads(time=513, batch=1)
    found = attend(*parts, mask=None, causal=True)
    expected = F.scaled_dot_product_attention(*parts, is_causal=True)
    assert torch.equal(found, expected)


def test_weights_are_dropped_and_the_mean_stays() -> None:
    torch.manual_seed(0)
    query, key, value = heads(time=256, batch=1)
    found = attend(query, key, torch.ones_like(value), mask=None, causal=False, dropout=0.5)
    assert float(found.detach().float().std()) > 0.01
    assert float(found.detach().float().mean()) == pytest.approx(1.0, abs=0.02)
