"""Sentences as recurrent decoders read and predict them.

A sentence w₁ … wₙ is read as `begin` w₁ … wₙ and predicted as w₁ … wₙ `end`. Batches are padded on the right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from data.errors import ConfigError
from models.checks import demand
from models.layers.recurrent import LSTMCell, Recurrent

NEVER = float("-inf")
_BELOW_ONE = 1 - 1e-6  # so that rounding does not reach past the last token with a share


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Ids of the tokens that are no words: `begin` and `pad` are never predicted, `end` ends every sentence."""

    pad: int
    begin: int
    end: int

    def read(self, words: Tensor) -> Tensor:
        """What a decoder reads [batch, time + 1] of sentences `words` [batch, time]."""
        return F.pad(words, (1, 0), value=self.begin)

    def predicted(self, words: Tensor, lengths: Tensor) -> Tensor:
        """What a decoder shall predict [batch, time + 1]: the words, the end, and padding after it."""
        return F.pad(words, (0, 1), value=self.pad).scatter(1, lengths.unsqueeze(1), self.end)

    def barred(self, vocab_size: int) -> Tensor:
        """What is added to logits [vocab_size], so that no mark is ever predicted: 0, and -∞ for marks."""
        barred = torch.zeros(vocab_size)
        barred[[self.pad, self.begin]] = NEVER
        return barred

    def lengths(self, drawn: Tensor) -> Tensor:
        """Words before the end [batch] in drawn tokens [batch, time]; all of them where there is no end."""
        ended = drawn == self.end
        return torch.where(ended.any(1), ended.int().argmax(1), drawn.shape[1])

    def rows(self, drawn: Tensor) -> list[list[int]]:
        """The words of drawn tokens [batch, time], up to the end."""
        lengths = self.lengths(drawn).tolist()
        return [row[:length] for row, length in zip(drawn.tolist(), lengths, strict=True)]


def check_marks(error: type[ConfigError], vocab_size: int, **marks: int) -> None:
    """Refuse marks that are no tokens of the vocabulary, or that are the same token."""
    for name, number in marks.items():
        demand(0 <= number < vocab_size, name, number, f"0 to {vocab_size - 1}, a token of the vocabulary", error=error)
        others = [other for other in marks if other != name and marks[other] == number]
        demand(not others, name, number, f"another token than {''.join(others)}", error=error)


def word_nats(hidden: Tensor, targets: Tensor, marks: Marks, logits: Callable[[Tensor], Tensor]) -> Tensor:
    """-log p of every target [batch, time], 0 in the padding, from hidden states [batch, time, width].

    Logits are made of the states of real words alone.
    """
    real = targets != marks.pad
    nats = F.cross_entropy(logits(hidden[real]).float(), targets[real], reduction="none")
    return torch.zeros_like(targets, dtype=nats.dtype).masked_scatter(real, nats)


def drawn_from(logits: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
    """Tokens [batch] drawn from logits [batch, vocab_size]; temperature 0 takes the most probable.

    A token is where the sum of the shares up to it passes a random height: one random number a row, not one a token.
    """
    if temperature == 0:
        return logits.argmax(-1)
    sums = (logits.float() / temperature).softmax(-1).cumsum(-1)
    height = torch.rand(len(logits), 1, device=logits.device, generator=generator)
    return torch.searchsorted(sums, height * sums[:, -1:] * _BELOW_ONE, right=True).squeeze(1)


@torch.no_grad()
def remember(recurrent: Recurrent) -> None:
    """Set the biases of the forget gates of LSTM cells to 1, so that they remember (Jozefowicz et al. 2015)."""
    for cell in recurrent.cells:
        if isinstance(cell, LSTMCell):
            cell.input.bias[cell.width : 2 * cell.width] = 1.0
