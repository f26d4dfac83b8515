from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import stirred
from torch import nn

from data.errors import ConfigError
from models.language.gpt import GPT, GPTConfig
from models.layers.lora import LoRAConfig, adapt, adapters, freeze, load_adapters, merge, save_adapters
from models.weights import WeightsError

TOKENS = torch.arange(16).view(2, 8)
CONFIG = LoRAConfig(rank=2, alpha=3.0)


def plain() -> GPT:
    """In double precision, where sums in another order are still equal."""
    return stirred(GPT(GPTConfig(vocab_size=20, context=8, layers=2, heads=2, width=16)), by=0.1).double()


def adapted(config: LoRAConfig = CONFIG) -> GPT:
    """A model whose adapters have learned something."""
    model = plain()
    adapt(model, config)
    with torch.no_grad():
        for adapter in adapters(model).values():
            adapter.up.normal_(std=0.3, generator=torch.Generator().manual_seed(1))
    return model


def test_a_new_adapter_changes_nothing() -> None:
    model = plain()
    adapt(model, CONFIG)
    assert torch.equal(model(TOKENS), plain()(TOKENS))


def test_adapters_follow_the_seed() -> None:
    first, second, other = plain(), plain(), plain()
    for model, seed in ((first, 1), (second, 1), (other, 2)):
        adapt(model, CONFIG, seed=seed)
    name = "blocks.0.attention.query_key_value"
    assert torch.equal(adapters(first)[name].down, adapters(second)[name].down)
    assert not torch.equal(adapters(first)[name].down, adapters(other)[name].down)


def test_an_adapter_is_the_equation_of_the_paper() -> None:
    layer = nn.Linear(4, 3).double()
    model = nn.Sequential(layer)
    adapt(model, LoRAConfig(rank=2, alpha=5.0, targets=("0",)))
    adapter, inputs = adapters(model)["0"], torch.randn(6, 4, dtype=torch.float64)
    with torch.no_grad():
        adapter.up.normal_()
    weight = layer.weight + 5.0 / 2 * adapter.up @ adapter.down
    assert torch.allclose(model(inputs), inputs @ weight.T + layer.bias)


def test_adapters_alone_learn() -> None:
    model, before = adapted(), plain().state_dict()
    optimiser = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=0.5)
    parts = {name: weight.clone() for name, weight in model.named_parameters()}
    model.loss(torch.arange(18).view(2, 9)).backward()
    optimiser.step()
    changed = {name for name, weight in model.named_parameters() if not torch.equal(weight, parts[name])}
    assert changed == {f"blocks.{n}.attention.query_key_value.{part}" for n in (0, 1) for part in ("down", "up")}
    assert all(
        torch.equal(before[name.replace(".base", "")], weight)
        for name, weight in model.state_dict().items()
        if not name.endswith(("down", "up"))
    )


@given(
    st.integers(1, 20),
    st.floats(0.1, 50),
    st.lists(st.sampled_from(["*output", "*rise", "*query_key_value"]), min_size=1),
)
@settings(max_examples=15)
def test_merging_gives_the_same_model_of_the_old_shape(rank: int, alpha: float, targets: list[str]) -> None:
    model = adapted(LoRAConfig(rank=rank, alpha=alpha, targets=tuple(targets)))
    expected = model(TOKENS)
    merge(model)
    assert torch.allclose(model(TOKENS), expected, atol=1e-5)
    assert not adapters(model)
    assert model.state_dict().keys() == plain().state_dict().keys()
    assert all(weight.requires_grad for weight in model.parameters())


def test_merging_adapters_that_learned_nothing_is_exact() -> None:
    model = plain()
    adapt(model, CONFIG)
    merge(model)
    assert all(torch.equal(weight, plain().state_dict()[name]) for name, weight in model.state_dict().items())


def test_adapters_are_saved_alone(tmp_path: Path) -> None:
    model, loaded = adapted(), plain()
    save_adapters(model, CONFIG, tmp_path)
    assert load_adapters(loaded, tmp_path) == CONFIG
    assert torch.equal(loaded(TOKENS), model(TOKENS))
    assert (tmp_path / "adapters.safetensors").stat().st_size < 8 * 2 * 2 * (16 + 48) + 1000


def test_adapters_of_another_model_are_an_error(tmp_path: Path) -> None:
    save_adapters(adapted(), CONFIG, tmp_path)
    with pytest.raises(WeightsError, match=r"down is \[2, 16\] in the file and \[2, 8\] in the model"):
        load_adapters(GPT(GPTConfig(vocab_size=20, context=8, layers=2, heads=2, width=8)), tmp_path)


def test_targets_that_name_nothing_are_an_error() -> None:
    with pytest.raises(ConfigError, match=r"they name none of blocks\.0\.attention\.output"):
        adapt(plain(), LoRAConfig(targets=("encoder.*",)))


def test_dropout_falls_on_the_correction_alone() -> None:
    model = adapted(LoRAConfig(rank=2, dropout=0.5)).train()
    assert not torch.equal(model(TOKENS), model(TOKENS))
    for adapter in adapters(model).values():
        adapter.up.data.zero_()
    assert torch.equal(model(TOKENS), model(TOKENS))


def test_a_frozen_body_leaves_the_named_weights_to_learn() -> None:
    model = plain()
    assert freeze(model, except_for=("norm.*", "prior")) == ["prior", "norm.weight"]
    assert [name for name, weight in model.named_parameters() if weight.requires_grad] == ["prior", "norm.weight"]


def test_freezing_all_but_nothing_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"head\.\*; they name no weight"):
        freeze(plain(), except_for=("head.*",))


def test_an_adapted_model_can_be_copied() -> None:
    model = adapted()
    assert torch.equal(copy.deepcopy(model)(TOKENS), model(TOKENS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": 0}, "rank is 0"),
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"targets": ()}, "targets is empty"),
    ],
)
def test_bad_option_of_adapters_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LoRAConfig(**options)
