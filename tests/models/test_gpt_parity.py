"""Whole small models against those of Hugging Face, on the same weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hugging import built, gradients
from parity import assert_close, assert_same_gradients, copied, noise
from torch import Tensor

from models.decoding import sampling
from models.language.gpt import GPT, GPTConfig, gpt2

TOKENS = torch.randint(0, 30, (3, 9), generator=torch.Generator().manual_seed(1))
GPT2 = {
    "transformer.wte": "embedding",
    "transformer.wpe": "places",
    "transformer.ln_f": "norm",
    "transformer.h": "blocks",
    "ln_1": "attention_norm",
    "ln_2": "feed_forward_norm",
    "attn.c_attn": "attention.query_key_value",
    "attn.c_proj": "attention.output",
    "mlp.c_fc": "feed_forward.rise",
    "mlp.c_proj": "feed_forward.output",
}
LLAMA = {
    "model.embed_tokens.weight": "embedding.weight",
    "model.norm": "norm",
    "lm_head.weight": "unembedding",
    "model.layers": "blocks",
    "input_layernorm": "attention_norm",
    "post_attention_layernorm": "feed_forward_norm",
    "self_attn.o_proj": "attention.output",
    "mlp.down_proj": "feed_forward.output",
}
STACKED = {
    "attention.query_key_value": [f"self_attn.{part}_proj" for part in "qkv"],
    "feed_forward.rise": ["mlp.gate_proj", "mlp.up_proj"],
}


def renamed(weights: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    for theirs, ours in names.items():
        weights = {name.replace(theirs, ours): weight for name, weight in weights.items()}
    return weights


def from_gpt2(weights: dict[str, Any]) -> dict[str, Any]:
    """Ours of GPT-2's weights or gradients; matrices of its layers are stored the other way round."""
    turned = {name: weight.T if weight.ndim == 2 and ".c_" in name else weight for name, weight in weights.items()}
    return renamed(turned, GPT2)


def from_llama(weights: dict[str, Any]) -> dict[str, Any]:
    found = renamed(weights, LLAMA)
    for number in range(2):
        for ours, parts in STACKED.items():
            matrices = [found.pop(f"blocks.{number}.{part}.weight") for part in parts]
            found[f"blocks.{number}.{ours}.weight"] = torch.cat(matrices)
    return found


def test_gpt2_equals_that_of_hugging_face() -> None:
    sizes = {"n_positions": 12, "n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 30}
    theirs = built("GPT2LMHeadModel", "GPT2Config", **sizes, bos_token_id=0, eos_token_id=0)
    ours = GPT(gpt2(vocab_size=30, context=12, layers=2, heads=2, width=16)).eval()
    copied(dict(ours.named_parameters()), from_gpt2(dict(theirs.named_parameters())))
    assert_equal(ours, theirs, from_gpt2)


def test_llama_equals_that_of_hugging_face() -> None:
    theirs = built(
        "LlamaForCausalLM",
        "LlamaConfig",
        vocab_size=30,
        hidden_size=16,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=12,
        rms_norm_eps=1e-6,
    )
    config = GPTConfig(
        vocab_size=30,
        context=12,
        layers=2,
        heads=2,
        width=16,
        activation="swiglu",
        norm_epsilon=1e-6,
        query_key_norm=False,
        embedding_norm=False,
        tied=False,
        prior=False,
    )
    ours = GPT(config).eval()
    copied(dict(ours.named_parameters()), from_llama(dict(theirs.named_parameters())))
    assert_equal(ours, theirs, from_llama)


def assert_equal(ours: GPT, theirs: Any, by_our_names: Any) -> None:
    """Logits, loss, gradients, and what is generated."""
    assert_close([ours(TOKENS)], [theirs(TOKENS).logits])
    found, expected = ours.loss(TOKENS), theirs(TOKENS, labels=TOKENS).loss
    assert_close([found], [expected])
    found.backward()
    expected.backward()
    assert_same_gradients(gradients(ours), by_our_names(gradients(theirs)))
    text = theirs.generate(TOKENS[:1, :4], max_new_tokens=8, do_sample=False, eos_token_id=None, pad_token_id=0)
    assert ours.generate(TOKENS[0, :4].tolist(), max_new=8, sampling=sampling.GREEDY) == text[0, 4:].tolist()


PROCESSORS = [
    ("TopKLogitsWarper", sampling.top_k, 5),
    ("TopPLogitsWarper", sampling.top_p, 0.7),
    ("MinPLogitsWarper", sampling.min_p, 0.2),
]


@pytest.mark.parametrize(("name", "ours", "value"), PROCESSORS)
def test_filters_keep_what_those_of_hugging_face_keep(name: str, ours: Any, value: float) -> None:
    import transformers

    logits: Tensor = noise(4, 30) * 2
    assert_close([ours(logits, value)], [getattr(transformers, name)(value)(None, logits)])


def test_repetition_penalty_is_that_of_hugging_face() -> None:
    import transformers

    logits, history = noise(3, 30) * 2, TOKENS
    expected = transformers.RepetitionPenaltyLogitsProcessor(1.3)(history, logits.clone())
    assert_close([sampling.penalise_repetition(logits, history, 1.3)], [expected])
