from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from parity import assert_close, noise, stirred
from torch import Tensor, nn

from data.errors import ConfigError
from models.layers.attention import (
    SCORES,
    Additive,
    Attention,
    CrossAttention,
    DotProduct,
    General,
    KeyValues,
    both,
    causal_mask,
    document_mask,
    mix,
    padding_mask,
    recording,
    scored,
)
from models.layers.positions import Rotary

QUERY, KEYS, VALUES = noise(2, 3, 4, seed=1), noise(2, 5, 4, seed=2), noise(2, 5, 6, seed=3)
HIDDEN, MEMORY = noise(2, 6, 16, seed=4), noise(2, 5, 16, seed=5)


def one_by_one(score: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """A score of one query and one key, taken for every pair."""
    rows = [[[score(q, k) for k in keys] for q in queries] for queries, keys in zip(QUERY, KEYS, strict=True)]
    return torch.stack([torch.stack([torch.stack(row) for row in batch]) for batch in rows])


def test_dot_product_is_that_of_luong() -> None:
    assert_close([DotProduct().scores(QUERY, KEYS)], [one_by_one(torch.dot)])


def test_scaled_dot_product_is_that_of_vaswani() -> None:
    attention = scored("scaled_dot_product", query_width=4, key_width=4)
    assert_close([attention.scores(QUERY, KEYS)], [one_by_one(lambda q, k: torch.dot(q, k) / math.sqrt(4))])


def test_general_is_that_of_luong() -> None:
    attention = General(4, 4)
    expected = one_by_one(lambda q, k: q @ attention.key.weight @ k)
    assert_close([attention.scores(QUERY, attention.prepare(KEYS))], [expected])


def test_additive_is_that_of_bahdanau() -> None:
    attention = Additive(4, 4, width=7)
    w, u, v = attention.query.weight, attention.key.weight, attention.score.weight[0]
    expected = one_by_one(lambda q, k: v @ torch.tanh(w @ q + u @ k))
    assert_close([attention.scores(QUERY, attention.prepare(KEYS))], [expected])


@pytest.mark.parametrize("score", SCORES)
def test_values_are_mixed_by_the_softmax_of_the_scores(score: str) -> None:
    attention = scored(score, query_width=4, key_width=4)
    mixed, weights = attention(QUERY, KEYS, VALUES)
    expected = attention.scores(QUERY, attention.prepare(KEYS)).softmax(dim=-1)
    assert_close([weights, mixed], [expected, torch.einsum("bqk,bkv->bqv", expected, VALUES)])


@pytest.mark.parametrize("score", SCORES)
@given(lengths=st.lists(st.integers(0, 5), min_size=2, max_size=2))
def test_weights_sum_to_one_over_what_may_be_seen(score: str, lengths: list[int]) -> None:
    mask = padding_mask(torch.tensor(lengths), time=5).squeeze(1)
    mixed, weights = scored(score, query_width=4, key_width=4)(QUERY, KEYS, VALUES, mask)
    for row, length in enumerate(lengths):
        assert not weights[row, :, length:].any()
        assert torch.allclose(weights[row].sum(dim=-1), torch.full((3,), float(length > 0)))
        assert length or not mixed[row].any()


def test_weights_of_hidden_keys_get_no_gradient() -> None:
    scores = noise(2, 3).requires_grad_()
    mask = torch.tensor([[True, True, False], [False, False, False]])
    mix(scores, noise(3, 4, seed=1), mask).mixed.sum().backward()
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()
    assert not scores.grad[~mask].any()


def test_unknown_score_is_an_error() -> None:
    with pytest.raises(ConfigError, match="score is 'cosine'; it must be one of dot_product"):
        scored("cosine", query_width=4, key_width=4)


def test_products_of_different_widths_are_an_error() -> None:
    with pytest.raises(ConfigError, match="queries of 4 and keys of 8"):
        scored("dot_product", query_width=4, key_width=8)


def torchs(attention: Attention | CrossAttention) -> nn.MultiheadAttention:
    """PyTorch's attention with the same weights."""
    built = nn.MultiheadAttention(16, attention.heads, batch_first=True)
    projections = (
        [attention.query_key_value] if isinstance(attention, Attention) else [attention.query, attention.key_value]
    )
    with torch.no_grad():
        built.in_proj_weight.copy_(torch.cat([layer.weight for layer in projections]))
        built.in_proj_bias.copy_(torch.cat([layer.bias for layer in projections]))
        built.out_proj.load_state_dict(attention.output.state_dict())
    return built


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("lengths", [None, [6, 4]])
def test_self_attention_equals_that_of_torch(*, causal: bool, lengths: list[int] | None) -> None:
    attention = stirred(Attention(16, heads=2, causal=causal, bias=True))
    other, inputs = torchs(attention), HIDDEN.clone().requires_grad_()
    mask = None if lengths is None else padding_mask(torch.tensor(lengths), time=6)
    found = attention(inputs, mask=mask)
    expected, _ = other(
        inputs,
        inputs,
        inputs,
        attn_mask=~causal_mask(6, 6) if causal else None,
        key_padding_mask=None if mask is None else ~mask[:, 0, 0],
    )
    assert_close([found], [expected])
    ours = torch.autograd.grad(found.square().mean(), [inputs, attention.query_key_value.weight, attention.output.bias])
    theirs = torch.autograd.grad(expected.square().mean(), [inputs, other.in_proj_weight, other.out_proj.bias])
    assert_close(ours, theirs)


def test_cross_attention_equals_that_of_torch() -> None:
    attention = stirred(CrossAttention(16, heads=4, bias=True))
    other, mask = torchs(attention), padding_mask(torch.tensor([5, 2]), time=5)
    found = attention(HIDDEN, MEMORY, mask=mask)
    expected, _ = other(HIDDEN, MEMORY, MEMORY, key_padding_mask=~mask[:, 0, 0])
    assert_close([found], [expected])
    ours = torch.autograd.grad(found.square().mean(), [attention.query.weight, attention.key_value.weight])
    (theirs,) = torch.autograd.grad(expected.square().mean(), [other.in_proj_weight])
    assert_close([torch.cat(ours)], [theirs])


@pytest.mark.parametrize("lengths", [None, [6, 4]])
def test_recorded_weights_are_those_that_mixed(lengths: list[int] | None) -> None:
    attention = stirred(Attention(16, heads=2, causal=True, bias=True))
    mask = None if lengths is None else padding_mask(torch.tensor(lengths), time=6)
    with recording(attention) as weights:
        recorded = attention(HIDDEN, mask=mask)
    assert_close([recorded], [attention(HIDDEN, mask=mask)])
    hidden = both(causal_mask(6, 6), mask)
    assert hidden is not None
    _, expected = torchs(attention)(
        HIDDEN, HIDDEN, HIDDEN, attn_mask=~hidden.expand(2, 2, 6, 6).flatten(0, 1), average_attn_weights=False
    )
    assert_close(weights[""], [expected])
    assert len(weights[""]) == 1


@pytest.mark.parametrize("record", [False, True])
def test_a_query_that_may_see_nothing_gets_zeros(*, record: bool) -> None:
    attention = stirred(Attention(16, heads=2, causal=False))
    mask = padding_mask(torch.tensor([6, 0]), time=6)
    inputs = HIDDEN.clone().requires_grad_()
    if record:
        with recording(attention):
            mixed = attention(inputs, mask=mask)
    else:
        mixed = attention(inputs, mask=mask)
    assert not mixed[1].any()
    assert torch.isfinite(torch.autograd.grad(mixed.sum(), inputs)[0]).all()


@given(st.lists(st.integers(1, 3), min_size=1, max_size=6), st.booleans())
def test_attention_in_pieces_with_a_cache_equals_the_whole(pieces: list[int], rotary: bool) -> None:
    attention = stirred(Attention(16, heads=2, causal=True, query_key_norm=True))
    angles = Rotary(8, length=18)
    inputs, cache, places = noise(2, sum(pieces), 16), KeyValues(), torch.arange(18).split([*pieces, 18 - sum(pieces)])
    found = [
        attention(piece, rotation=angles(place) if rotary else None, cache=cache)
        for piece, place in zip(inputs.split(pieces, dim=1), places[: len(pieces)], strict=True)
    ]
    rotation = angles(torch.arange(sum(pieces))) if rotary else None
    assert_close([torch.cat(found, dim=1)], [attention(inputs, rotation=rotation)])
    assert len(cache) == sum(pieces)


def test_rows_of_a_cache_can_be_repeated_and_dropped() -> None:
    attention, cache, rows = stirred(Attention(16, heads=2, causal=True)), KeyValues(), torch.tensor([1, 1, 0])
    attention(HIDDEN[:, :4], cache=cache)
    cache.select(rows)
    assert_close([attention(HIDDEN[rows, 4:], cache=cache)], [attention(HIDDEN)[rows, 4:]])


def test_a_cached_memory_is_read_once() -> None:
    attention, cache = stirred(CrossAttention(16, heads=2)), KeyValues()
    attention(HIDDEN, MEMORY, cache=cache)
    assert_close([attention(HIDDEN, MEMORY * 0, cache=cache)], [attention(HIDDEN, MEMORY)])
    assert len(cache) == 5


def test_an_empty_cache_has_no_keys() -> None:
    with pytest.raises(ValueError, match="no keys"):
        KeyValues().all()


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(0, 5), st.booleans(), st.integers(1, 6))
def test_nothing_is_seen_across_borders_of_documents_padding_and_the_future(
    sizes: list[int], place: int, causal: bool, length: int
) -> None:
    documents = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))[:6]
    documents = torch.nn.functional.pad(documents, (0, 6 - len(documents)), value=9)
    mask = both(document_mask(documents[None]), padding_mask(torch.tensor([length]), time=6))
    attention, before = stirred(Attention(16, heads=2, causal=causal)), HIDDEN[:1]
    after = before.clone()
    after[:, place] += 1.0
    changed = (attention(before, mask=mask) - attention(after, mask=mask)).abs().amax(dim=-1)[0] > 1e-6
    for query in set(range(6)) - {place}:  # a query that itself changes tells nothing
        seen = documents[query] == documents[place] and place < length and (place <= query or not causal)
        assert bool(changed[query]) == bool(seen)


def test_dropout_falls_on_weights_in_training_alone() -> None:
    attention = stirred(Attention(16, heads=2, causal=True, dropout=0.5))
    assert torch.equal(attention(HIDDEN), attention(HIDDEN))
    attention.train()
    assert not torch.equal(attention(HIDDEN), attention(HIDDEN))
