"""`torch.compile` takes whole models in one graph; a back end that only records graphs tells where they break."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

from models.language.bert import BERTConfig, MaskedLM
from models.language.gpt import GPT, GPTConfig, gpt2

SIZES: dict[str, Any] = {"vocab_size": 20, "context": 8, "layers": 2, "heads": 2, "width": 16}
BLOCKS = torch.arange(18).view(2, 9)

pytestmark = [pytest.mark.long]


def whole(function: Any) -> Any:
    torch._dynamo.reset()
    return torch.compile(function, fullgraph=True, backend="eager")


@pytest.mark.parametrize(
    "config",
    [
        GPTConfig(**SIZES),
        gpt2(**SIZES, dropout=0.1),
        GPTConfig(**SIZES, activation="swiglu", residual="rezero", positions="sinusoidal", logit_cap=9.0),
    ],
)
@pytest.mark.parametrize("documents", [None, (BLOCKS > 12).long()])
def test_gpt_has_no_break_in_its_graph(config: GPTConfig, documents: torch.Tensor | None) -> None:
    model = GPT(config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        whole(model.loss)(BLOCKS, documents=documents).backward()
        found = whole(model.eval().loss)(BLOCKS, documents=documents)
    assert found.item() == pytest.approx(model.loss(BLOCKS, documents=documents).item(), abs=1e-5)


def test_an_encoder_has_no_break_in_its_graph() -> None:
    model, lengths = MaskedLM(BERTConfig(**SIZES)).eval(), torch.tensor([8, 3])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = whole(model.forward)(BLOCKS[:, :8], lengths=lengths)
    assert torch.allclose(found, model(BLOCKS[:, :8], lengths=lengths), atol=1e-5)
