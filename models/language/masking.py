"""Which tokens a masked language model has to guess.

Devlin et al. 2018 (arXiv 1810.04805): 15 % are chosen; of these 80 % become [MASK], 10 % any token, 10 % stay as
they are, and each has to be predicted. Whole words: all tokens of a word are chosen together (the
authors' release of May 2019), what becomes of each is drawn by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from models.checks import demand
from models.layers.cross_entropy import IGNORED
from models.layers.positions import starts

HIDDEN = 0.8
REPLACED = 0.1


@dataclass(frozen=True, kw_only=True)
class MaskingConfig:
    """`rate` of words are guessed; without `whole_words`, of tokens. `mask_id` is the id of [MASK]."""

    mask_id: int
    rate: float = 0.15
    whole_words: bool = True

    def __post_init__(self) -> None:
        """Refuse what leaves nothing to guess, or to guess from."""
        demand(self.mask_id >= 0, "mask_id", self.mask_id, "the id of a token")
        demand(0 < self.rate < 1, "rate", self.rate, "above 0 and below 1")


class Masked(NamedTuple):
    """What the model sees, and what it has to say (`IGNORED` where nothing), int64 [batch, time] both."""

    tokens: Tensor
    targets: Tensor


def mask(
    tokens: Tensor, words: Tensor, config: MaskingConfig, *, vocab_size: int, generator: torch.Generator | None = None
) -> Masked:
    """Hide words of `tokens` [batch, time]; `words` [batch, time] are their numbers, -1 = never hidden.

    In every row that has words at least one is chosen. Draws follow `generator`, or torch's own.
    """
    chosen = _chosen(words, config, generator)
    fate = torch.rand(tokens.shape, generator=generator, device=tokens.device)
    other = torch.randint(vocab_size, tokens.shape, generator=generator, device=tokens.device)
    seen = torch.where(chosen & (fate < HIDDEN), config.mask_id, tokens)
    seen = torch.where(chosen & (fate >= 1 - REPLACED), other, seen)
    return Masked(seen, tokens.masked_fill(~chosen, IGNORED))


def _chosen(words: Tensor, config: MaskingConfig, generator: torch.Generator | None) -> Tensor:
    """Bool [batch, time]: where a word, or a token, has drawn a number below the rate, or the lowest of its row."""
    real = words >= 0
    drawn = torch.rand(words.shape, generator=generator, device=words.device)
    if config.whole_words:
        drawn = drawn.gather(1, starts(words))  # every token takes the number of its word's first
    drawn = drawn.masked_fill(~real, 2.0)
    return real & ((drawn < config.rate) | (drawn == drawn.amin(dim=1, keepdim=True)))
