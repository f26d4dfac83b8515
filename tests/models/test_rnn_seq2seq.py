from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import seq2seq
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import assert_close, assert_same_gradients, stirred
from seq2seq import BEGIN, END, LENGTHS, MARKS, SIZE, SOURCE, TOKENS
from torch import nn

from data.errors import ConfigError
from models.decoding.beam import Search, beam_search, greedy
from models.layers.attention import SCORES
from models.seq2seq.rnn import RNNSeq2Seq, RNNSeq2SeqConfig, coverage_loss

KINDS: list[dict[str, Any]] = [
    {"cell": "gru", "layers": 2},
    {"input_feeding": False, "score": "general", "layers": 2},
    {"score": "dot_product", "bidirectional": False, "tied": False},
    {"score": "scaled_dot_product", "copying": True},
    {"coverage": True, "copying": True, "input_feeding": False},
]


def config(**options: Any) -> RNNSeq2SeqConfig:
    return RNNSeq2SeqConfig(**(MARKS | {"context": 8, "width": 16, "embedding_width": 10} | options))


def model(**options: Any) -> RNNSeq2Seq:
    return stirred(RNNSeq2Seq(config(**options)), by=0.2)


@pytest.mark.parametrize("score", SCORES)
def test_decoder_is_that_of_luong(score: str) -> None:
    """The equations of the module's docstring, token by token, on cells of PyTorch."""
    ours = model(score=score, label_smoothing=0.0)
    cell = nn.LSTMCell(20, 16)
    (first,) = ours.decoder.cells
    with torch.no_grad():
        cell.weight_ih.copy_(torch.cat((first.input.weight, ours.feed.weight), dim=1))
        for theirs, own in ((cell.weight_hh, first.recurrent.weight), (cell.bias_ih, first.input.bias)):
            theirs.copy_(own)
        cell.bias_hh.copy_(first.recurrent.bias)
    source, tokens = SOURCE[:1], TOKENS[:1]
    memory, ends = ours.encoder(ours.embedding(source), torch.tensor([5]))
    state = tuple(
        torch.tanh(bridge(torch.cat(tuple(end), dim=-1))) for bridge, end in zip(ours.bridges, ends, strict=True)
    )
    output, rows = torch.zeros(1, 10), []
    for token in tokens[0]:
        state = cell(torch.cat((ours.embedding(token.view(1)), output), dim=1), state)
        mixed = ours.score(state[0].unsqueeze(1), memory, memory).mixed[:, 0]
        output = torch.tanh(ours.combine(torch.cat((mixed, state[0]), dim=1)))
        rows.append(output @ ours.embedding.weight.T)
    expected = torch.stack(rows, dim=1).log_softmax(dim=-1)
    found = ours(source, torch.tensor([5]), tokens)
    assert_close([found], [expected])
    shared = {name: weight for name, weight in ours.named_parameters() if not name.startswith(("decoder", "feed"))}
    gradients = [torch.autograd.grad(value.square().mean(), list(shared.values())) for value in (found, expected)]
    assert_same_gradients(*(dict(zip(shared, found, strict=True)) for found in gradients))


@pytest.mark.parametrize("options", KINDS)
def test_step_by_step_equals_the_whole_at_once(options: dict[str, Any]) -> None:
    ours = model(**options)
    with torch.no_grad():
        assert_close([seq2seq.stepwise(ours, SOURCE, LENGTHS, TOKENS)], [ours(SOURCE, LENGTHS, TOKENS)])


def test_without_a_loop_it_is_the_same_as_with_one() -> None:
    """Fed with weights of zero, the loop does what is done at once without it."""
    plain, fed = model(input_feeding=False), model()
    found = fed.load_state_dict(plain.state_dict(), strict=False)
    assert found.missing_keys == ["feed.weight"]
    with torch.no_grad():
        fed.feed.weight.zero_()
        assert_close([fed(SOURCE, LENGTHS, TOKENS)], [plain(SOURCE, LENGTHS, TOKENS)])


@pytest.mark.parametrize("options", KINDS)
def test_padding_changes_nothing(options: dict[str, Any]) -> None:
    ours = model(**options)
    with torch.no_grad():
        alone = ours(SOURCE[1:2, :2], LENGTHS[1:2], TOKENS[1:2, :3])
        among = ours(SOURCE, LENGTHS, TOKENS)[1:2, :3]
    assert_close([among], [alone])


@pytest.mark.parametrize("options", KINDS)
def test_padding_of_targets_has_no_part_in_the_loss(options: dict[str, Any]) -> None:
    ours = model(**options).train()
    ours.dropout.rate = ours.encoder.dropout = ours.decoder.dropout = 0.0
    together = ours.losses(SOURCE, LENGTHS, SOURCE, LENGTHS)
    alone = []
    for row, length in enumerate(LENGTHS.tolist()):
        pair = (SOURCE[row : row + 1, :length], LENGTHS[row : row + 1])
        alone.append(ours.losses(*pair, *pair))
    shares = (LENGTHS + 1) / (LENGTHS + 1).sum()
    for name, value in together.items():
        assert_close([value], [torch.stack([parts[name] for parts in alone]) @ shares])


@pytest.mark.parametrize("options", KINDS)
def test_gradients_reach_every_weight(options: dict[str, Any]) -> None:
    ours = model(**options).train()
    ours.losses(SOURCE, LENGTHS, SOURCE, LENGTHS)["loss"].backward()
    still = [name for name, weight in ours.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert still == []


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(KINDS))
def test_probabilities_and_attention_sum_to_one(seed: int, options: dict[str, Any]) -> None:
    ours = stirred(RNNSeq2Seq(config(**options)), by=0.5, seed=seed)
    with torch.no_grad():
        assert_close([ours(SOURCE, LENGTHS, TOKENS).exp().sum(dim=-1)], [torch.ones(3, 4)])
    attention = ours.attention(SOURCE, LENGTHS, TOKENS)
    assert_close([attention.sum(dim=-1)], [torch.ones(3, 4)])
    assert not attention[1, :, 2:].any()


def test_what_is_not_generated_is_copied() -> None:
    ours = model(copying=True)
    with torch.no_grad():
        ours.generates.weight.zero_()
        ours.generates.bias.fill_(-40.0)  # nothing is generated
        found = ours(SOURCE[:1], LENGTHS[:1], TOKENS[:1]).exp()
    attention = ours.attention(SOURCE[:1], LENGTHS[:1], TOKENS[:1])
    expected = torch.zeros(1, 4, SIZE)
    for place, token in enumerate(SOURCE[0].tolist()):  # token 1 stands there twice
        expected[:, :, token] += attention[:, :, place]
    assert_close([found], [expected])


def test_labels_are_smoothed_in_training_only() -> None:
    tokens, labels = torch.tensor([[BEGIN, 2, 7]]), torch.tensor([2, 7, END])
    batch = (SOURCE[:1], LENGTHS[:1], tokens[:, 1:], torch.tensor([2]))
    for options in ({}, {"copying": True}):
        ours = model(dropout=0.0, label_smoothing=0.2, **options)
        found = ours(SOURCE[:1], LENGTHS[:1], tokens)[0]
        for training, smoothing in ((True, 0.2), (False, 0.0)):
            expected = nn.functional.cross_entropy(found, labels, label_smoothing=smoothing)
            assert_close([ours.train(training).losses(*batch)["loss"]], [expected])


def test_coverage_loss_is_what_is_looked_at_again() -> None:
    attention = torch.tensor([[[1.0, 0.0], [0.25, 0.75], [0.5, 0.5]]])
    assert_close([coverage_loss(attention)], [torch.tensor([[0.0, 0.25, 1.0]])])


def test_coverage_is_part_of_the_loss_in_training_only() -> None:
    batch = (SOURCE, LENGTHS, SOURCE, LENGTHS)
    once, twice = (model(coverage=True, coverage_loss=times, dropout=0.0).train() for times in (0.0, 2.0))
    without, parts = once.losses(*batch), twice.losses(*batch)
    assert_close([parts["loss"]], [without["loss"] + 2 * parts["coverage"]])
    assert_close([twice.eval().losses(*batch)["loss"]], [once.eval().losses(*batch)["loss"]])


def test_what_was_looked_at_changes_where_coverage_looks() -> None:
    ours = model(coverage=True)
    state = ours.start(SOURCE, LENGTHS)
    assert not state.covered.any()
    _, state = ours.step(state, TOKENS[:, 0])
    _, state = ours.step(state, TOKENS[:, 1])
    assert_close([state.covered.sum(dim=1)], [torch.full((3,), 2.0)])
    elsewhere = state._replace(covered=state.covered.flip(1))
    assert not torch.allclose(ours.step(state, TOKENS[:, 2])[0], ours.step(elsewhere, TOKENS[:, 2])[0])


@pytest.mark.parametrize("options", [{}, {"cell": "gru", "score": "general", "coverage": False, "copying": True}])
def test_it_learns_to_reverse(options: dict[str, Any]) -> None:
    sizes = {"width": 32, "embedding_width": 24, "dropout": 0.0, "label_smoothing": 0.0}
    ours = seq2seq.taught(RNNSeq2Seq(config(**sizes, **options)), seq2seq.mirrored, steps=200, rate=1e-2)
    words, lengths = seq2seq.drawn(50, seed=12345)
    expected = seq2seq.without_padding(seq2seq.mirrored(words, lengths), lengths)
    best = [outputs[0].tokens for outputs in beam_search(ours, words, lengths, Search(beam=3))]
    assert seq2seq.alike(greedy(ours, words, lengths), expected) >= 40
    assert seq2seq.alike(best, expected) >= 40


@pytest.mark.parametrize("options", KINDS)
def test_saved_and_loaded_it_is_the_same(options: dict[str, Any], tmp_path: Path) -> None:
    ours = model(**options)
    ours.save(tmp_path)
    again = RNNSeq2Seq.load(tmp_path)
    assert again.config == ours.config
    assert torch.equal(again(SOURCE, LENGTHS, TOKENS), ours(SOURCE, LENGTHS, TOKENS))


def test_equal_seeds_give_equal_weights() -> None:
    one, other, different = (RNNSeq2Seq(config(), seed=seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert not torch.equal(one.embedding.weight, different.embedding.weight)


def test_sources_longer_than_the_context_are_refused() -> None:
    with pytest.raises(ValueError, match="context of 4"):
        model(context=4).start(SOURCE, LENGTHS)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"layers": 0}, "layers"),
        ({"cell": "rnn"}, "cell"),
        ({"score": "cosine"}, "score"),
        ({"width": 15}, "width"),
        ({"coverage": True, "score": "general"}, "score"),
        ({"coverage_loss": -1.0}, "coverage_loss"),
        ({"end": -1}, "end"),
        ({"dropout": 1.0}, "dropout"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
    ],
)
def test_impossible_configs_are_refused_by_name(options: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        config(**options)
