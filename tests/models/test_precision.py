from __future__ import annotations

import pytest
import torch
from tiny_training import Tiny, blocks, options

from models.catalogue import FAMILIES, neural
from models.training import devices, train

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("precision", "here", "found"),
    [
        ("float32", True, torch.float32),
        ("bfloat16", False, torch.bfloat16),
        ("auto", True, torch.bfloat16),
        ("auto", False, torch.float32),
    ],
)
def test_auto_is_what_the_processor_multiplies_by_itself(
    monkeypatch: pytest.MonkeyPatch, precision: str, here: bool, found: torch.dtype
) -> None:
    monkeypatch.setattr(devices, "has_bfloat16", lambda _device: here)
    assert devices.numbers(CPU, precision) == found
    with devices.autocast(CPU, precision):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == found


@pytest.mark.parametrize(("here", "told"), [(True, "bfloat16"), (False, "float32")])
def test_account_says_what_was_multiplied_in(monkeypatch: pytest.MonkeyPatch, here: bool, told: str) -> None:
    monkeypatch.setattr(devices, "has_bfloat16", lambda _device: here)
    record = train(Tiny(), blocks(), config=options(costs=True, precision="auto"))
    assert record.costs["precision"] == told


@pytest.mark.parametrize("name", [name for name in FAMILIES if name.startswith(("gpt", "bert", "transformer"))])
def test_transformers_learn_in_bfloat16_where_the_processor_has_it(name: str) -> None:
    assert neural(name).training.precision == "auto"
