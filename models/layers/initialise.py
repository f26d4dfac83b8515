"""The weights that a Transformer begins with, from a seed alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SMALL = 0.02
TABLES = ("unembedding",)


@torch.no_grad()
def initialise(model: nn.Module, *, residual: str, seed: int) -> None:
    """Set every weight of a model that is made of `models.layers.transformer` blocks.

    Matrices are normal with variance 1 / inputs; before a norm (`residual` pre), those that write to the residual
    stream start at zero, so that each block is the identity at first (ReZero's gains do that themselves); tables
    of embeddings are small, because tied logits are products with normalised states of length sqrt(width).
    Gains of norms are one, all else is zero.
    """
    generator = torch.Generator().manual_seed(seed)
    tables = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Embedding)}
    for name, weight in model.named_parameters():
        if name.endswith("output.weight") and residual == "pre":
            weight.zero_()
        elif name in tables or name.endswith(TABLES):
            _noise(weight, SMALL, generator)
        elif weight.ndim == 2:
            _noise(weight, weight.shape[1] ** -0.5, generator)
        else:
            weight.fill_(1.0 if name.endswith("norm.weight") else 0.0)


def _noise(weight: Tensor, deviation: float, generator: torch.Generator) -> None:
    weight.normal_(std=deviation, generator=generator)
