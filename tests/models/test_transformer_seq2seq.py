from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import seq2seq
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import assert_close, assert_same_gradients, copied, stirred
from seq2seq import BEGIN, END, LENGTHS, MARKS, PAD, SOURCE, TOKENS
from torch import Tensor, nn

from data.errors import ConfigError
from models.decoding.beam import Search, beam_search, greedy
from models.layers.positions import Sinusoidal
from models.seq2seq.transformer import TransformerSeq2Seq, TransformerSeq2SeqConfig

KINDS: list[dict[str, Any]] = [
    {},
    {"positions": "rotary", "tied": "output"},
    {"residual": "post", "tied": "none"},
    {"residual": "rezero", "norm": "rms", "activation": "swiglu", "bias": False},
    {"query_key_norm": True, "positions": "rotary"},
]
LAYERS, WIDTH, HEADS = 2, 16, 2
NAMES = {
    "attention.query_key_value.": "self_attn.in_proj_",
    "attention.output.": "self_attn.out_proj.",
    "attention_norm.": "norm1.",
    "cross_attention.output.": "multihead_attn.out_proj.",
    "feed_forward.rise.": "linear1.",
    "feed_forward.output.": "linear2.",
}


def config(**options: Any) -> TransformerSeq2SeqConfig:
    return TransformerSeq2SeqConfig(
        **(MARKS | {"context": 8, "layers": LAYERS, "width": WIDTH, "heads": HEADS} | options)
    )


def model(**options: Any) -> TransformerSeq2Seq:
    return stirred(TransformerSeq2Seq(config(**options)), by=0.2)


def stacks(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights (or gradients) of encoder and decoder under the names of PyTorch's stacks, without last norms."""
    found: dict[str, Tensor] = {}
    for name, weight in weights.items():
        stack, number, rest = name.split(".", 2)
        norms = {"cross_attention_norm.": "norm2.", "feed_forward_norm.": "norm3." if stack == "decoder" else "norm2."}
        renamed = next((new + rest[len(old) :] for old, new in (NAMES | norms).items() if rest.startswith(old)), rest)
        found[f"{stack}.layers.{number}.{renamed}"] = weight
    for layer in range(LAYERS):
        for kind in ("weight", "bias"):
            parts = [found.pop(f"decoder.layers.{layer}.cross_attention.{p}.{kind}") for p in ("query", "key_value")]
            found[f"decoder.layers.{layer}.multihead_attn.in_proj_{kind}"] = torch.cat(parts)
    return found


@pytest.mark.parametrize("residual", ["pre", "post"])
def test_model_equals_the_transformer_of_torch(residual: str) -> None:
    ours = model(residual=residual)
    last = nn.LayerNorm(WIDTH) if residual == "pre" else nn.Identity()
    made = (WIDTH, HEADS, 4 * WIDTH, 0.0)
    pre = {"batch_first": True, "norm_first": residual == "pre"}
    theirs = nn.Transformer(
        WIDTH,
        HEADS,
        custom_encoder=nn.TransformerEncoder(
            nn.TransformerEncoderLayer(*made, **pre), LAYERS, last, enable_nested_tensor=False
        ),
        custom_decoder=nn.TransformerDecoder(nn.TransformerDecoderLayer(*made, **pre), LAYERS, last),
        batch_first=True,
    )
    blocks = {n: w for n, w in ours.named_parameters() if n.startswith(("encoder.", "decoder."))}
    their_blocks = {n: w for n, w in theirs.named_parameters() if ".layers." in n}
    copied(their_blocks, stacks(blocks))
    if residual == "pre":
        for norm, stack in ((ours.encoder_norm, theirs.encoder), (ours.decoder_norm, theirs.decoder)):
            stack.norm = nn.LayerNorm(WIDTH)
            stack.norm.load_state_dict(norm.state_dict())
    places = Sinusoidal(WIDTH, length=9).table
    source, target = (ours.embedding(ids) * WIDTH**0.5 + places[: ids.shape[1]] for ids in (SOURCE, TOKENS))
    padding = SOURCE == PAD
    causal = torch.ones(4, 4, dtype=torch.bool).triu(1)
    states = theirs(source, target, tgt_mask=causal, src_key_padding_mask=padding, memory_key_padding_mask=padding)
    expected = states @ ours.embedding.weight.T
    found = ours(SOURCE, LENGTHS, TOKENS)
    assert_close([found], [expected])
    ours_now = torch.autograd.grad(found.square().mean(), list(blocks.values()), retain_graph=True)
    theirs_now = torch.autograd.grad(expected.square().mean(), list(their_blocks.values()))
    assert_same_gradients(
        stacks(dict(zip(blocks, ours_now, strict=True))), dict(zip(their_blocks, theirs_now, strict=True))
    )


@pytest.mark.parametrize("options", KINDS)
def test_cached_steps_equal_the_whole_at_once(options: dict[str, Any]) -> None:
    ours = model(**options)
    with torch.no_grad():
        whole = ours(SOURCE, LENGTHS, TOKENS).log_softmax(dim=-1)
        assert_close([seq2seq.stepwise(ours, SOURCE, LENGTHS, TOKENS)], [whole])


@pytest.mark.parametrize("options", KINDS)
def test_beam_search_with_a_cache_equals_that_without(options: dict[str, Any]) -> None:
    ours = model(**options)

    class Uncached:
        """Reads all that is written anew at each step."""

        marks, longest = ours.marks, ours.longest

        def start(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
            return source, lengths, source[:, :0]

        def step(self, state: tuple[Tensor, ...], tokens: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
            source, lengths, past = state
            past = torch.cat((past, tokens.unsqueeze(1)), dim=1)
            return ours(source, lengths, past)[:, -1].log_softmax(dim=-1), (source, lengths, past)

        def select(self, state: tuple[Tensor, ...], rows: Tensor) -> tuple[Tensor, ...]:
            return tuple(part[rows] for part in state)

    cached, plain = (beam_search(each, SOURCE, LENGTHS, Search(beam=3)) for each in (ours, Uncached()))
    assert [[o.tokens for o in row] for row in cached] == [[o.tokens for o in row] for row in plain]


@pytest.mark.parametrize("options", KINDS)
def test_padding_changes_nothing(options: dict[str, Any]) -> None:
    ours = model(**options)
    with torch.no_grad():
        alone = ours(SOURCE[1:2, :2], LENGTHS[1:2], TOKENS[1:2, :3])
        among = ours(SOURCE, LENGTHS, TOKENS)[1:2, :3]
    assert_close([among], [alone])


def test_padding_of_targets_has_no_part_in_the_loss() -> None:
    ours = model()
    together = ours.losses(SOURCE, LENGTHS, SOURCE, LENGTHS)["loss"]
    alone = torch.stack([ours.losses(*alone_in_batch(row))["loss"] for row in range(3)])
    shares = (LENGTHS + 1) / (LENGTHS + 1).sum()
    assert_close([together], [alone @ shares])


def alone_in_batch(row: int) -> tuple[Tensor, ...]:
    """A row as source and as target, without padding."""
    words, length = SOURCE[row : row + 1, : int(LENGTHS[row])], LENGTHS[row : row + 1]
    return words, length, words, length


@pytest.mark.parametrize("options", KINDS)
def test_gradients_reach_every_weight(options: dict[str, Any]) -> None:
    ours = model(**options).train()
    ours.losses(SOURCE, LENGTHS, SOURCE, LENGTHS)["loss"].backward()
    still = [name for name, weight in ours.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert still == []


@pytest.mark.parametrize(("tied", "tables"), [("all", 1), ("output", 2), ("none", 3)])
def test_tables_are_shared_as_told(tied: str, tables: int) -> None:
    found = model(tied=tied)
    assert sum(weight.shape == (seq2seq.SIZE, WIDTH) for weight in found.parameters()) == tables


def test_labels_are_smoothed_in_training_only() -> None:
    ours = model(dropout=0.0, label_smoothing=0.2)
    logits = ours(SOURCE[:1], LENGTHS[:1], torch.tensor([[BEGIN, 2, 7]]))[0]
    labels = torch.tensor([2, 7, END])
    batch = (SOURCE[:1], LENGTHS[:1], torch.tensor([[2, 7]]), torch.tensor([2]))
    for training, smoothing in ((True, 0.2), (False, 0.0)):
        expected = nn.functional.cross_entropy(logits, labels, label_smoothing=smoothing)
        assert_close([ours.train(training).losses(*batch)["loss"]], [expected])


def test_attention_sums_to_one_over_real_tokens() -> None:
    found = model().attention(SOURCE, LENGTHS, TOKENS)
    assert found.shape == (3, 4, 5)
    assert_close([found.sum(dim=-1)], [torch.ones(3, 4)])
    assert not found[1, :, 2:].any()


@pytest.mark.parametrize("residual", ["pre", "rezero"])
def test_it_learns_to_reverse(residual: str) -> None:
    made = TransformerSeq2Seq(config(width=32, layers=1, dropout=0.0, label_smoothing=0.0, residual=residual))
    ours = seq2seq.taught(made, seq2seq.mirrored, steps=250, rate=1e-2)
    words, lengths = seq2seq.drawn(50, seed=12345)
    expected = seq2seq.without_padding(seq2seq.mirrored(words, lengths), lengths)
    best = [outputs[0].tokens for outputs in beam_search(ours, words, lengths, Search(beam=3))]
    assert seq2seq.alike(greedy(ours, words, lengths), expected) >= 40
    assert seq2seq.alike(best, expected) >= 40


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_equal_seeds_give_equal_weights(seed: int) -> None:
    one, other = (TransformerSeq2Seq(config(), seed=seed).state_dict() for _ in range(2))
    assert all(torch.equal(weight, other[name]) for name, weight in one.items())


def test_word_dropout_hides_whole_tokens_in_training() -> None:
    ours = model(word_dropout=0.99, dropout=0.0).train()
    seen = ours(SOURCE, LENGTHS, TOKENS)
    assert not torch.allclose(seen, ours.eval()(SOURCE, LENGTHS, TOKENS))


@pytest.mark.parametrize("options", KINDS)
def test_saved_and_loaded_it_is_the_same(options: dict[str, Any], tmp_path: Path) -> None:
    ours = model(**options)
    ours.save(tmp_path)
    again = TransformerSeq2Seq.load(tmp_path)
    assert again.config == ours.config
    assert torch.equal(again(SOURCE, LENGTHS, TOKENS), ours(SOURCE, LENGTHS, TOKENS))


def test_sources_and_outputs_longer_than_the_context_are_refused() -> None:
    ours = model(context=4)
    with pytest.raises(ValueError, match="takes 4"):
        ours.encode(SOURCE, LENGTHS)
    with pytest.raises(ValueError, match="takes 5"):
        ours(SOURCE[:, :2], torch.tensor([2, 2, 2]), torch.cat((TOKENS, TOKENS), dim=1))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("layers", 0),
        ("context", 0),
        ("heads", 3),
        ("pad", 12),
        ("positions", "learned"),
        ("tied", "source"),
        ("residual", "sideways"),
        ("dropout", 1.0),
        ("word_dropout", -0.1),
        ("label_smoothing", 1.0),
    ],
)
def test_impossible_configs_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=name if name != "heads" else "width"):
        config(**{name: value})
