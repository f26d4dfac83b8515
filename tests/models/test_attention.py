from __future__ import annotations

import pytest
import torch

from models.layers.attention import Attention
from models.layers.positions import Rotary, rotate
from models.layers.transformer import Block, BlockConfig


def hidden(time: int = 6) -> torch.Tensor:
    return torch.randn(2, time, 16, generator=torch.Generator().manual_seed(0))


def test_causal_attention_does_not_see_the_future() -> None:
    attention = Attention(16, heads=2, causal=True)
    before, changed = hidden(), hidden()
    changed[:, 4:] = 5.0
    assert torch.allclose(attention(before)[:, :4], attention(changed)[:, :4])


def test_attention_without_causality_sees_the_future() -> None:
    attention = Attention(16, heads=2, causal=False)
    before, changed = hidden(), hidden()
    changed[:, 4:] = 5.0
    assert not torch.allclose(attention(before)[:, :4], attention(changed)[:, :4])


def test_mask_hides_padding() -> None:
    attention = Attention(16, heads=2, causal=False)
    mask = torch.tensor([True, True, True, True, False, False]).view(1, 1, 1, 6)
    before, changed = hidden(), hidden()
    changed[:, 4:] = 5.0
    assert torch.allclose(attention(before, mask=mask)[:, :4], attention(changed, mask=mask)[:, :4])


def test_rotation_keeps_lengths() -> None:
    heads = torch.randn(1, 2, 6, 8, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(
        rotate(heads, Rotary(8, length=6)(torch.arange(6))).norm(dim=-1), heads.norm(dim=-1), atol=1e-5
    )


def test_rotated_products_depend_on_the_distance_only() -> None:
    generator = torch.Generator().manual_seed(0)
    query, key = (torch.randn(8, generator=generator).expand(1, 1, 6, 8) for _ in range(2))
    rotation = Rotary(8, length=6)(torch.arange(6))
    scores = rotate(query, rotation)[0, 0] @ rotate(key, rotation)[0, 0].T
    assert torch.allclose(scores.diagonal(-2), scores[2, 0].expand(4), atol=1e-4)


def test_rotary_tables_are_not_saved() -> None:
    assert not Rotary(8, length=6).state_dict()


def test_odd_head_width_is_an_error() -> None:
    with pytest.raises(ValueError, match="width is 3"):
        Rotary(3, length=6)


def test_width_that_heads_do_not_divide_is_an_error() -> None:
    with pytest.raises(ValueError, match="width 10 is not a multiple of heads 4"):
        Attention(10, heads=4, causal=True)


def test_block_keeps_the_shape() -> None:
    assert Block(BlockConfig(width=16, heads=2, causal=True))(hidden()).shape == (2, 6, 16)
