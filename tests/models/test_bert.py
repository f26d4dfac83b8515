from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import stirred

from data.errors import ConfigError
from models.language.bert import BERTConfig, BERTConfigError, MaskedLM
from models.language.bert_heads import Classifier, HeadConfig, PairClassifier, Tagger, join_pair
from models.language.masking import IGNORED
from models.weights import WeightsError

TINY = BERTConfig(vocab_size=20, context=16, layers=2, heads=2, width=16, dropout=0.0)
TOKENS = torch.arange(16).view(2, 8)
TARGETS = TOKENS.masked_fill(TOKENS % 3 > 0, IGNORED)
HEADS = HeadConfig(**dataclasses.asdict(TINY), labels=("bad", "good"))
EVERY: list[dict[str, Any]] = [
    {},
    {"residual": "pre", "positions": "rotary", "activation": "swiglu", "norm": "rms", "bias": False},
    {"residual": "rezero", "positions": "sinusoidal"},
]


def of(options: dict[str, Any]) -> MaskedLM:
    return stirred(MaskedLM(dataclasses.replace(TINY, **options))).double()


@pytest.mark.parametrize("options", EVERY)
@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=3))
@settings(max_examples=10)
def test_packed_and_padded_documents_equal_those_alone(options: dict[str, Any], sizes: list[int]) -> None:
    model, stream = of(options), torch.arange(sum(sizes))[None] % 20
    documents = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))[None]
    alone = torch.cat([model(document) for document in stream.split(sizes, dim=1)], dim=1)
    assert torch.allclose(model(stream, documents=documents), alone, atol=1e-5)
    padded = torch.nn.functional.pad(stream, (0, 1), value=7)
    found = model(padded, lengths=torch.tensor([sum(sizes)]))
    assert torch.allclose(found[:, :-1], model(stream), atol=1e-5)


@pytest.mark.parametrize("options", EVERY)
def test_a_new_encoder_learns_with_every_weight(options: dict[str, Any]) -> None:
    model = MaskedLM(dataclasses.replace(TINY, **options))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05)
    for step in range(3):
        torch.manual_seed(step)
        optimiser.zero_grad()
        model.loss({"tokens": TOKENS, "targets": TARGETS, "segments": TOKENS % 2}).backward()
        optimiser.step()
    assert all(weight.grad is not None and weight.grad.any() for weight in model.parameters())


def test_a_batch_without_hidden_words_costs_nothing() -> None:
    loss = of({}).loss({"tokens": TOKENS, "targets": torch.full_like(TOKENS, IGNORED)})
    assert loss.item() == 0.0


def test_a_saved_masked_model_loads_equal(tmp_path: Path) -> None:
    model = stirred(MaskedLM(TINY))
    model.save(tmp_path)
    loaded = MaskedLM.load(tmp_path)
    assert torch.equal(loaded(TOKENS), model(TOKENS))
    assert loaded.config == TINY


@pytest.mark.parametrize("kind", [Classifier, PairClassifier, Tagger])
def test_a_head_takes_the_encoder_of_the_masked_model(kind: Any, tmp_path: Path) -> None:
    trained = stirred(MaskedLM(TINY))
    trained.save(tmp_path)
    head = kind(HEADS).eval()
    before = head.labels.weight.clone()
    head.load_encoder(tmp_path)
    assert torch.equal(head.encoder(TOKENS), trained.encoder(TOKENS))
    assert torch.equal(head.labels.weight, before)


def test_the_encoder_of_another_shape_is_an_error(tmp_path: Path) -> None:
    MaskedLM(dataclasses.replace(TINY, width=8)).save(tmp_path)
    with pytest.raises(WeightsError, match="another architecture: encoder"):
        Classifier(HEADS).load_encoder(tmp_path)


@pytest.mark.parametrize("kind", [Classifier, Tagger])
def test_a_saved_head_loads_equal(kind: Any, tmp_path: Path) -> None:
    model = stirred(kind(HEADS))
    model.save(tmp_path)
    loaded = kind.load(tmp_path)
    assert loaded.config == HEADS
    assert torch.equal(loaded(TOKENS), model(TOKENS))


def test_equal_seeds_give_equal_heads() -> None:
    first, second, other = (Classifier(HEADS, seed=seed).pooler.weight for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_a_pair_is_two_segments() -> None:
    assert join_pair([5, 6], [7], begin=1, separator=2) == ([1, 5, 6, 2, 7, 2], [0, 0, 0, 0, 1, 1])


def test_pairs_without_segments_are_an_error() -> None:
    with pytest.raises(ValueError, match="join_pair"):
        PairClassifier(HEADS).loss({"tokens": TOKENS, "labels": torch.tensor([0, 1])})


def test_pairs_are_learned() -> None:
    torch.manual_seed(0)
    model = PairClassifier(dataclasses.replace(HEADS, labels=("other", "same"), head_dropout=0.0))
    rows = [join_pair([a], [b], begin=17, separator=18) for a in range(4) for b in range(4)]
    tokens, segments = (torch.tensor(part) for part in zip(*rows, strict=True))
    labels = torch.tensor([int(a == b) for a in range(4) for b in range(4)])
    batch = {"tokens": tokens, "segments": segments, "labels": labels}
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(60):
        optimiser.zero_grad()
        model.loss(batch).backward()
        optimiser.step()
    assert torch.equal(model(tokens, segments=segments).argmax(dim=-1), labels)


def test_more_tokens_than_the_context_of_an_encoder_are_an_error() -> None:
    with pytest.raises(ValueError, match="17 tokens do not fit into a context of 16"):
        of({})(torch.zeros(1, 17, dtype=torch.long))


@pytest.mark.parametrize(
    ("options", "name"),
    [({"segments": 0}, "segments is 0"), ({"width": 18}, "width"), ({"positions": "none"}, "positions is 'none'")],
)
def test_bad_option_of_an_encoder_is_named(options: dict[str, Any], name: str) -> None:
    with pytest.raises(BERTConfigError, match=name):
        dataclasses.replace(TINY, **options)


@pytest.mark.parametrize("labels", [("one",), ("a", "a")])
def test_bad_labels_are_named(labels: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="labels"):
        dataclasses.replace(HEADS, labels=labels)
