from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import stirred as stir

from models.decoding.sampling import GREEDY, Sampling
from models.language.gpt import GPT, GPTConfig, GPTConfigError, window_start

TINY = GPTConfig(vocab_size=20, context=8, layers=2, heads=2, width=16)
TOKENS = torch.arange(16).view(2, 8)


def stirred(seed: int = 0) -> GPT:
    """A model whose layers all take part, as after training."""
    return stir(GPT(TINY, seed=seed), seed=seed)


def test_logits_have_one_value_per_token_of_the_vocabulary() -> None:
    assert GPT(TINY)(TOKENS).shape == (2, 8, 20)


def test_later_tokens_do_not_change_earlier_logits() -> None:
    model, changed = stirred(), TOKENS.clone()
    changed[:, 5:] = 19
    assert torch.allclose(model(TOKENS)[:, :5], model(changed)[:, :5], atol=1e-5)


def test_equal_seeds_give_equal_weights() -> None:
    first, second = GPT(TINY, seed=3).state_dict(), GPT(TINY, seed=3).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_other_seed_gives_other_weights() -> None:
    assert not torch.equal(GPT(TINY, seed=3).embedding.weight, GPT(TINY, seed=4).embedding.weight)


def test_random_state_of_torch_is_not_used_for_weights() -> None:
    torch.manual_seed(1)
    first = GPT(TINY).embedding.weight.clone()
    torch.manual_seed(2)
    assert torch.equal(first, GPT(TINY).embedding.weight)


def test_new_model_is_almost_uniform() -> None:
    assert GPT(TINY).loss(torch.arange(18).view(2, 9)).item() == pytest.approx(np.log(20), abs=0.1)


def test_started_from_counts_it_knows_the_frequencies() -> None:
    model = GPT(TINY)
    model.start_from(np.bincount([5] * 79 + [6], minlength=20))
    probability = model.prior.softmax(dim=-1)
    assert probability[5].item() == pytest.approx(0.8)


def test_loss_predicts_each_token_from_those_before() -> None:
    model, blocks = stirred(), torch.arange(9).view(1, 9)
    nats = -model(blocks[:, :-1]).log_softmax(dim=-1)[0, torch.arange(8), blocks[0, 1:]]
    assert model.loss(blocks).item() == pytest.approx(nats.mean().item(), rel=1e-5)


def test_saved_model_loads_equal(tmp_path: Path) -> None:
    model = stirred()
    model.save(tmp_path)
    assert torch.equal(GPT.load(tmp_path)(TOKENS), model(TOKENS))


def test_saved_files_are_safetensors_and_json(tmp_path: Path) -> None:
    GPT(TINY).save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_generation_follows_the_seed() -> None:
    model = stirred()
    assert model.generate([1], max_new=12, seed=5) == model.generate([1], max_new=12, seed=5)
    assert model.generate([1], max_new=12, seed=5) != model.generate([1], max_new=12, seed=6)


def test_temperature_zero_takes_the_most_probable() -> None:
    model = stirred()
    assert model.generate([1], max_new=1, sampling=GREEDY) == [int(model(torch.tensor([[1]]))[0, -1].argmax())]


def test_top_one_is_the_most_probable_at_any_temperature() -> None:
    model, sampling = stirred(), Sampling(top_k=1, temperature=2.0)
    assert model.generate([1], max_new=9, sampling=sampling) == model.generate([1], max_new=9, sampling=GREEDY)


def test_generation_goes_on_past_the_context() -> None:
    assert len(stirred().generate([1, 2], max_new=20)) == 20


def test_generation_ends_before_the_stop_token() -> None:
    model = stirred()
    free = model.generate([1], max_new=12, seed=5)
    assert model.generate([1], max_new=12, seed=5, stop=free[3]) == free[: free.index(free[3])]


def test_empty_prompt_is_an_error() -> None:
    with pytest.raises(ValueError, match="endoftext"):
        stirred().generate([], max_new=1)


def test_more_tokens_than_the_context_are_an_error() -> None:
    with pytest.raises(ValueError, match="9 tokens do not fit into a context of 8"):
        GPT(TINY)(torch.zeros(1, 9, dtype=torch.long))


@pytest.mark.parametrize(
    ("options", "name"),
    [({"layers": 0}, "layers is 0"), ({"width": 30, "heads": 4}, "width"), ({"output_dropout": 1.0}, "output_dropout")],
)
def test_bad_option_is_named(options: dict[str, Any], name: str) -> None:
    with pytest.raises(GPTConfigError, match=name):
        GPTConfig(vocab_size=10, **options)


EVERY: list[dict[str, Any]] = [
    {"residual": "post", "norm": "layer", "positions": "learned"},
    {"residual": "rezero", "activation": "swiglu", "positions": "sinusoidal", "tied": False},
    {"activation": "gelu", "bias": True, "logit_cap": 2.0, "prior": False, "embedding_norm": False},
]


def of(options: dict[str, Any]) -> GPT:
    return stir(GPT(dataclasses.replace(TINY, **options))).double()  # numbers grow where nothing is normalised


@pytest.mark.parametrize("options", [{}, *EVERY])
def test_tokens_with_a_cache_equal_the_whole(options: dict[str, Any]) -> None:
    model = of(options)
    cache = model.new_cache()
    found = [model(part, cache=cache) for part in TOKENS.split([3, 1, 4], dim=1)]
    assert torch.allclose(torch.cat(found, dim=1), model(TOKENS), atol=1e-5)


@pytest.mark.parametrize("prompt", [[1], [1, 2, 3, 4, 5, 6, 7, 8], list(range(13))])
@pytest.mark.parametrize("options", [{}, *EVERY])
def test_generation_with_a_cache_equals_that_without(options: dict[str, Any], prompt: list[int]) -> None:
    model, sampling = of(options), Sampling(top_k=0, temperature=1.0, repetition_penalty=1.2)
    cached, uncached = (
        model.generate(prompt, max_new=20, sampling=sampling, seed=3, cached=cached) for cached in (True, False)
    )
    assert cached == uncached


@given(st.integers(1, 200), st.integers(1, 20))
def test_a_window_holds_half_a_context_at_least_and_ends_with_the_last_token(tokens: int, context: int) -> None:
    length = tokens - window_start(tokens, context)
    assert min(tokens, context // 2 + 1) <= length <= context


@pytest.mark.parametrize("options", [{}, *EVERY])
@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4))
@settings(max_examples=12)
def test_packed_documents_equal_those_one_by_one(options: dict[str, Any], sizes: list[int]) -> None:
    sizes = [*sizes, 1] if sum(sizes) == 1 else sizes
    model = of({**options, "context": 16})
    stream = torch.randint(0, 20, (1, sum(sizes)), generator=torch.Generator().manual_seed(sum(sizes)))
    documents = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))[None]
    alone = stream.split(sizes, dim=1)
    packed = model(stream, documents=documents)
    assert torch.allclose(packed, torch.cat([model(document) for document in alone], dim=1), atol=1e-5)
    ended = [
        torch.cat([one, after[:, :1]], dim=1)
        for one, after in itertools.zip_longest(alone, alone[1:], fillvalue=stream[:, :0])
    ]
    nats = [model.loss(document).item() * (document.shape[1] - 1) for document in ended if document.shape[1] > 1]
    loss = model.loss(stream, documents=documents).item()
    assert loss == pytest.approx(sum(nats) / (stream.shape[1] - 1), abs=1e-5)


def test_padding_of_packed_documents_is_not_predicted() -> None:
    model, stream = stirred(), TOKENS[:1, :6]
    documents = torch.tensor([[0, 0, 0, 0, -1, -1]])
    assert model.loss(stream, documents=documents).item() == pytest.approx(model.loss(stream[:, :4]).item(), abs=1e-5)


@pytest.mark.parametrize("options", [{}, *EVERY])
def test_a_new_model_learns_with_every_weight(options: dict[str, Any]) -> None:
    model = GPT(dataclasses.replace(TINY, **options))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        loss = model.loss(torch.arange(18).view(2, 9))
        loss.backward()
        optimiser.step()
    assert all(weight.grad is not None and weight.grad.any() for weight in model.parameters())
    assert model.loss(torch.arange(18).view(2, 9)) < loss


def test_a_cap_bounds_logits() -> None:
    assert of({"logit_cap": 0.5})(TOKENS).abs().max() <= 0.5


def test_loss_is_that_of_the_logits_under_a_cap() -> None:
    model, blocks = of({"logit_cap": 0.5}), torch.arange(18).view(2, 9)
    expected = torch.nn.functional.cross_entropy(model(blocks[:, :-1]).flatten(0, 1), blocks[:, 1:].flatten())
    assert model.loss(blocks).item() == pytest.approx(expected.item(), abs=1e-5)


@pytest.mark.parametrize("dropped", [{"dropout": 0.2, "attention_dropout": 0.2}, {"output_dropout": 0.2}])
def test_dropout_follows_the_random_state_of_torch(dropped: dict[str, float]) -> None:
    model, losses = of(dropped).train(), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        losses.append(model.loss(torch.arange(18).view(2, 9)).item())
    assert losses[0] == losses[1] != losses[2]


def test_a_model_of_the_first_version_still_loads(tmp_path: Path) -> None:
    stirred().save(tmp_path)
    old = {"vocab_size": 20, "context": 8, "layers": 2, "heads": 2, "width": 16, "expansion": 4}
    (tmp_path / "config.json").write_text(json.dumps(old), "utf-8")
    assert torch.equal(GPT.load(tmp_path)(TOKENS), stirred()(TOKENS))


def test_a_model_without_prior_cannot_start_from_frequencies() -> None:
    with pytest.raises(ValueError, match="prior=True"):
        GPT(dataclasses.replace(TINY, prior=False)).start_from(np.array([1]))
