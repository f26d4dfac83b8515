from __future__ import annotations

from typing import Any

import pytest
import torch
from parity import assert_close, assert_same_gradients, copied, noise, stirred
from torch import Tensor, nn

from data.errors import ConfigError
from models.layers.attention import causal_mask, padding_mask
from models.layers.transformer import ACTIVATIONS, NORMS, RESIDUALS, Block, BlockCache, BlockConfig

HIDDEN, MEMORY = noise(2, 6, 16, seed=4), noise(2, 5, 16, seed=5)
LENGTHS = torch.tensor([5, 3])
# Ours by theirs; cross-attention lies in one matrix there and in two here.
NAMES = {
    "attention.query_key_value.weight": "self_attn.in_proj_weight",
    "attention.query_key_value.bias": "self_attn.in_proj_bias",
    "attention.output": "self_attn.out_proj",
    "attention_norm": "norm1",
    "cross_attention.output": "multihead_attn.out_proj",
    "cross_attention_norm": "norm2",
    "feed_forward.rise": "linear1",
    "feed_forward.output": "linear2",
}


def block(**options: Any) -> Block:
    return stirred(Block(BlockConfig(**({"width": 16, "heads": 2, "causal": False} | options))), by=0.2)


def by_their_names(weights: dict[str, Tensor], *, cross: bool) -> dict[str, Tensor]:
    """Weights (or gradients) of a block under the names of PyTorch's layers."""
    names = NAMES | {"feed_forward_norm": "norm3" if cross else "norm2"}
    renamed = {
        next((theirs + name[len(ours) :] for ours, theirs in names.items() if name.startswith(ours)), name): weight
        for name, weight in weights.items()
    }
    if cross:
        for kind in ("weight", "bias"):
            parts = [renamed.pop(f"cross_attention.{part}.{kind}") for part in ("query", "key_value")]
            renamed[f"multihead_attn.in_proj_{kind}"] = torch.cat(parts)
    return renamed


def gradients(model: nn.Module, output: Tensor) -> dict[str, Tensor]:
    weights = dict(model.named_parameters())
    return dict(zip(weights, torch.autograd.grad(output.square().mean(), list(weights.values())), strict=True))


@pytest.mark.parametrize("residual", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder_layer_equals_that_of_torch(residual: str, activation: str) -> None:
    ours = block(norm="layer", bias=True, residual=residual, activation=activation)
    theirs = nn.TransformerEncoderLayer(
        16, 2, 64, activation=activation, batch_first=True, norm_first=residual == "pre"
    )
    copied(dict(theirs.named_parameters()), by_their_names(dict(ours.named_parameters()), cross=False))
    mask = padding_mask(LENGTHS, time=6)
    found, expected = ours(HIDDEN, mask=mask), theirs.eval()(HIDDEN, src_key_padding_mask=~mask[:, 0, 0])
    real = mask[:, 0, 0].unsqueeze(-1)  # what stands at padding is nobody's concern
    assert_close([found * real], [expected * real])
    assert_same_gradients(
        by_their_names(gradients(ours, found * real), cross=False), gradients(theirs, expected * real)
    )


@pytest.mark.parametrize("residual", ["pre", "post"])
def test_decoder_layer_equals_that_of_torch(residual: str) -> None:
    ours = block(norm="layer", bias=True, residual=residual, activation="relu", causal=True, cross=True)
    theirs = nn.TransformerDecoderLayer(16, 2, 64, batch_first=True, norm_first=residual == "pre").eval()
    copied(dict(theirs.named_parameters()), by_their_names(dict(ours.named_parameters()), cross=True))
    mask = padding_mask(LENGTHS, time=5)
    found = ours(HIDDEN, memory=MEMORY, memory_mask=mask)
    expected = theirs(HIDDEN, MEMORY, tgt_mask=~causal_mask(6, 6), memory_key_padding_mask=~mask[:, 0, 0])
    assert_close([found], [expected])
    assert_same_gradients(by_their_names(gradients(ours, found), cross=True), gradients(theirs, expected))


@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize("residual", RESIDUALS)
def test_tokens_one_by_one_with_a_cache_equal_the_whole(residual: str, *, cross: bool) -> None:
    model, cache = block(residual=residual, causal=True, cross=cross, query_key_norm=True), BlockCache()
    memory = MEMORY if cross else None
    found = [model(token, memory=memory, cache=cache) for token in HIDDEN.split(1, dim=1)]
    assert_close([torch.cat(found, dim=1)], [model(HIDDEN, memory=memory)])


def test_rows_of_a_cache_follow_a_beam_search() -> None:
    model, cache, rows = block(causal=True, cross=True), BlockCache(), torch.tensor([1, 0, 1])
    model(HIDDEN[:, :5], memory=MEMORY, cache=cache)
    cache.select(rows)
    found = model(HIDDEN[rows, 5:], memory=MEMORY[rows], cache=cache)
    assert_close([found], [model(HIDDEN[rows], memory=MEMORY[rows])[:, 5:]])


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_weight_takes_part(norm: str, activation: str) -> None:
    model = block(norm=norm, activation=activation, bias=True, cross=True)
    found = gradients(model, model(HIDDEN, memory=MEMORY))
    assert all(gradient.abs().max() > 0 for gradient in found.values())


def test_new_rezero_block_is_the_identity_and_learns() -> None:
    model = Block(BlockConfig(width=16, heads=2, causal=True, residual="rezero"))
    output = model(HIDDEN)
    assert torch.equal(output, HIDDEN)
    found = gradients(model, output)
    assert found["attention_norm.gain"] != 0
    assert not any("norm.weight" in name for name in found)


def test_swiglu_has_about_as_many_weights_as_the_others() -> None:
    sizes = [
        sum(
            weight.numel()
            for weight in Block(BlockConfig(width=96, heads=2, causal=True, activation=kind)).parameters()
        )
        for kind in ("gelu", "swiglu")
    ]
    assert sizes[0] == sizes[1]


def test_dropout_acts_in_training_alone() -> None:
    model = block(dropout=0.5)
    assert torch.equal(model(HIDDEN), model(HIDDEN))
    model.train()
    assert not torch.equal(model(HIDDEN), model(HIDDEN))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "width is 0; it must be at least 1"),
        ({"width": 15}, "width is 15; it must be a multiple of heads"),
        ({"norm": "batch"}, "norm is 'batch'; it must be one of rms, layer"),
        ({"residual": "none"}, "residual is 'none'"),
        ({"activation": "selu"}, "activation is 'selu'"),
        ({"dropout": 1.0}, "dropout is 1.0; it must be at least 0 and below 1"),
    ],
)
def test_bad_option_of_a_block_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BlockConfig(**({"width": 16, "heads": 2, "causal": True} | options))
