"""Two models with the same weights: do they give the same numbers, and the same gradients?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

TOLERANCE = 1e-5
Model = TypeVar("Model", bound=nn.Module)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def stirred(model: Model, *, by: float = 0.3, seed: int = 0) -> Model:
    """The model with random numbers added to every weight, so that all of it takes part, ready for inference."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * by)
    return model.eval()


def copied(targets: Mapping[str, Tensor], sources: Mapping[str, Tensor]) -> None:
    """Write sources into the targets of the same names."""
    assert targets.keys() == sources.keys()
    with torch.no_grad():
        for name, target in targets.items():
            assert target.shape == sources[name].shape, name
            target.copy_(sources[name])


def assert_close(found: Sequence[Tensor], expected: Sequence[Tensor]) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=TOLERANCE, rtol=TOLERANCE)


def assert_same_gradients(found: Mapping[str, Tensor | None], expected: Mapping[str, Tensor | None]) -> None:
    """Gradients by name; None (no part in the loss) stands for zeros."""
    assert found.keys() == expected.keys()
    for name, one in found.items():
        other = expected[name]
        if one is not None and other is not None:
            torch.testing.assert_close(one, other, atol=TOLERANCE, rtol=TOLERANCE, msg=lambda m, n=name: f"{n}: {m}")
        else:
            assert all(part is None or not part.any() for part in (one, other)), name
