"""Tiny sources and targets, and a training of a few steps, for both encoder–decoders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

PAD, BEGIN, END, SIZE = 10, 11, 0, 12
MARKS: dict[str, Any] = {"vocab_size": SIZE, "pad": PAD, "begin": BEGIN, "end": END}
LENGTHS = torch.tensor([5, 2, 4])
SOURCE = torch.tensor([[3, 1, 4, 1, 5], [9, 2, PAD, PAD, PAD], [6, 5, 3, 5, PAD]])
TOKENS = torch.tensor([[BEGIN, 2, 7, 1], [BEGIN, 8, 2, 8], [BEGIN, 3, 1, 4]])


def drawn(rows: int, seed: int) -> tuple[Tensor, Tensor]:
    """Random words of 2 to 5 tokens, padded, and their lengths."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(2, 6, (rows,), generator=generator)
    words = torch.randint(1, PAD, (rows, 5), generator=generator)
    return words.masked_fill(torch.arange(5) >= lengths.unsqueeze(1), PAD), lengths


def mirrored(words: Tensor, lengths: Tensor) -> Tensor:
    """Each word from its end to its beginning."""
    places = lengths.unsqueeze(1) - 1 - torch.arange(words.shape[1])
    return words.gather(1, places.clamp_min(0)).masked_fill(places < 0, PAD)


def taught(model: Any, target: Callable[[Tensor, Tensor], Tensor], *, steps: int, rate: float = 3e-3) -> Any:
    """The model after some steps of Adam on random words; ready for inference."""
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    for step in range(steps):
        words, lengths = drawn(64, seed=step)
        loss = model.train().losses(words, lengths, target(words, lengths), lengths)["loss"]
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
    return model.eval()


def without_padding(words: Tensor, lengths: Tensor) -> list[list[int]]:
    return [row[:length] for row, length in zip(words.tolist(), lengths.tolist(), strict=True)]


def alike(found: list[list[int]], expected: list[list[int]]) -> int:
    """How many are exactly as expected."""
    return sum(one == other for one, other in zip(found, expected, strict=True))


def stepwise(model: Any, source: Tensor, lengths: Tensor, tokens: Tensor) -> Tensor:
    """Log-probabilities [batch, time, vocab_size] of a decoder that is given one token after another."""
    state, found = model.start(source, lengths), []
    for column in tokens.unbind(1):
        log_probabilities, state = model.step(state, column)
        found.append(log_probabilities)
    return torch.stack(found, dim=1)
