"""Which token comes next: filters on logits [..., vocab_size], and the draw.

Each filter is a pure function that leaves the order of what it keeps, and keeps the most probable token.
top-k: Fan, Lewis and Dauphin 2018 (arXiv 1805.04833); top-p: Holtzman et al. 2020 (arXiv 1904.09751);
min-p: Nguyen et al. 2024 (arXiv 2407.01082); repetition penalty: Keskar et al. 2019 (arXiv 1909.05858).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.checks import demand

NEVER = float("-inf")


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How tokens are drawn; the filters apply in the order of the fields.

    `repetition_penalty` 1, `top_k` 0, `top_p` 1 and `min_p` 0 do nothing; temperature 0 takes the most probable.
    """

    repetition_penalty: float = 1.0
    temperature: float = 0.8
    top_k: int = 50
    top_p: float = 1.0
    min_p: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that keep no token, or have no meaning."""
        demand(self.repetition_penalty > 0, "repetition_penalty", self.repetition_penalty, "above 0")
        demand(self.temperature >= 0, "temperature", self.temperature, "at least 0")
        demand(self.top_k >= 0, "top_k", self.top_k, "at least 0")
        demand(0 < self.top_p <= 1, "top_p", self.top_p, "above 0 and at most 1")
        demand(0 <= self.min_p <= 1, "min_p", self.min_p, "between 0 and 1")


GREEDY = Sampling(temperature=0.0, top_k=0)


def draw(
    logits: Tensor, sampling: Sampling, *, history: Tensor | None = None, generator: torch.Generator | None = None
) -> Tensor:
    """Token ids [...] drawn from logits [..., vocab_size]; `history` [..., time] are the tokens before."""
    if history is not None:
        logits = penalise_repetition(logits, history, sampling.repetition_penalty)
    if sampling.temperature == 0:
        return logits.argmax(dim=-1)
    probabilities = filtered(logits, sampling).softmax(dim=-1)
    drawn = torch.multinomial(probabilities.view(-1, logits.shape[-1]), 1, generator=generator)
    return drawn.view(logits.shape[:-1])


def filtered(logits: Tensor, sampling: Sampling) -> Tensor:
    """Logits at the temperature (above 0), tokens that must not be drawn at minus infinity."""
    logits = top_k(logits.float() / sampling.temperature, sampling.top_k)
    return min_p(top_p(logits, sampling.top_p), sampling.min_p)


def penalise_repetition(logits: Tensor, history: Tensor, penalty: float) -> Tensor:
    """Make tokens of `history` [..., time] less probable: divide positive logits by the penalty, multiply others."""
    if penalty == 1:
        return logits
    seen = logits.gather(-1, history)
    return logits.scatter(-1, history, torch.where(seen > 0, seen / penalty, seen * penalty))


def top_k(logits: Tensor, k: int) -> Tensor:
    """Keep the `k` most probable tokens, and what is as probable as the last of them; all if `k` is 0."""
    if k == 0 or k >= logits.shape[-1]:
        return logits
    return logits.masked_fill(logits < logits.topk(k, dim=-1).values[..., -1:], NEVER)


def top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the fewest most probable tokens whose probabilities sum to at least `p`."""
    if p >= 1:
        return logits
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities  # 0 for the first, which stays
    return logits.masked_fill((before >= p).scatter(-1, order, before >= p), NEVER)


def min_p(logits: Tensor, p: float) -> Tensor:
    """Keep tokens at least `p` times as probable as the most probable one."""
    if p == 0:
        return logits
    probabilities = logits.softmax(dim=-1)
    return logits.masked_fill(probabilities < p * probabilities.amax(dim=-1, keepdim=True), NEVER)
