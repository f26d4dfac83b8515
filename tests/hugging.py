"""Hugging Face transformers for parity tests: an import that warns, and models of a few weights, offline."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)
    import transformers


def built(name: str, config: str, **options: Any) -> Any:
    """A model of this class with random weights, ready for inference, attention written out."""
    made = getattr(transformers, config)(**options)
    made._attn_implementation = "eager"
    torch.manual_seed(0)
    model: nn.Module = getattr(transformers, name)(made)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape) * 0.1)
    return model.eval()


def gradients(model: nn.Module) -> dict[str, Tensor | None]:
    """Gradients by name after `backward`."""
    return {name: weight.grad for name, weight in model.named_parameters()}
