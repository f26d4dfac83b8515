"""How the two players of a text GAN learn from each other.

SeqGAN (Yu et al. 2017, arXiv 1609.05473), equations 4 and 8: the reward of a word is what the discriminator says, on
average, of sentences that the generator ends from there, and the gradient is that of REINFORCE (Williams 1992),

    ∇J = E[Σₜ (Q(w₁ … wₜ) - b) ∇ log p(wₜ | w₁ … wₜ₋₁)],   Q = mean σ(D(sentence ended from w₁ … wₜ))

with the mean reward of the batch at a place as the baseline b. RelGAN (Nie, Narodytska and Patel 2019), equations 4
and 7: with Gumbel noise g, the shares softmax((logits + g) β) stand for the word argmax(logits + g), and the loss is
relativistic (Jolicoeur-Martineau 2018, arXiv 1807.00734). β rises from 1 as a power of the steps.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from models.generative.sentences import Marks
from models.generative.text_gan import Discriminator, Generator
from models.layers.recurrent import State


@torch.no_grad()
def rewards(generator: Generator, judge: Discriminator, drawn: Tensor, *, rollouts: int, every: int = 1) -> Tensor:
    """Q of every word of `drawn` tokens [rows, time], 0 to 1, from so many ends of each beginning.

    Sentences are ended after every so many words and after the last; the words before share that Q.
    """
    marks, context = generator.config.marks, generator.config.context
    read, state = marks.read(drawn), None
    found: list[Tensor] = []
    for place in range(drawn.shape[1]):
        _, state = generator(read[:, place : place + 1], state)
        if (place + 1) % every and place + 1 < drawn.shape[1]:
            continue
        before = tuple(part.repeat_interleave(rollouts, dim=1) for part in state)
        word = drawn[:, place].repeat_interleave(rollouts)
        ends = generator.go_on(word, before, max(0, context - place - 1))
        sentences = torch.cat([drawn[:, : place + 1].repeat_interleave(rollouts, dim=0), ends], dim=1)
        q = judge(sentences).sigmoid().view(-1, rollouts).mean(1)
        found += [q] * (place + 1 - len(found))
    return torch.stack(found, dim=1)


def policy_loss(nats: Tensor, reward: Tensor, real: Tensor) -> Tensor:
    """A loss whose gradient is that of REINFORCE: -log p of words [rows, time] weighed by what they earned.

    `real` tells the words from the padding; the baseline is the mean reward of the words at the same place.
    """
    count = real.sum(0).clamp(min=1)
    advantage = (reward - (reward * real).sum(0) / count) * real
    return (advantage.detach() * nats).sum() / real.sum()


def relaxed(generator: Generator, rows: int, *, inverse_temperature: float) -> Tensor:
    """Shares of tokens [rows, time, vocab_size] that stand for drawn sentences, with a gradient; padding is certain."""
    config, marks = generator.config, generator.config.marks
    token = torch.full((rows,), marks.begin, device=generator.prior.device)
    state: State | None = None
    found = []
    for place in range(config.context + 1):
        over = (token == marks.end) | (token == marks.pad)
        if bool(over.all()):
            break
        states, state = generator(token.unsqueeze(1), state)
        noisy = generator.logits(states[:, -1]).float()
        noisy = noisy - torch.empty_like(noisy).exponential_().log()  # + Gumbel noise
        token = torch.where(over, marks.pad, noisy.argmax(-1) if place < config.context else marks.end)
        shares = (noisy * inverse_temperature).softmax(-1)
        forced = over if place < config.context else torch.ones_like(over)
        certain = F.one_hot(token, config.vocab_size).to(shares.dtype)
        found.append(torch.where(forced.unsqueeze(1), certain, shares))
    return torch.stack(found, dim=1)


def inverse_temperature(step: int, *, coldest: float, steps: int) -> float:
    """β in adversarial step `step` (from 0): coldest^(step / steps), and `coldest` after that."""
    return float(coldest ** min(1.0, step / steps))


def judge_loss(real: Tensor, made: Tensor, *, relativistic: bool) -> Tensor:
    """What the discriminator minimises, from its logits [rows] of real and made sentences."""
    if relativistic:
        return -F.logsigmoid(real - made).mean()
    return -0.5 * (F.logsigmoid(real) + F.logsigmoid(-made)).mean()


def relativistic_loss(real: Tensor, made: Tensor) -> Tensor:
    """What the generator of RelGAN minimises: that the real seem more real than the made."""
    return -F.logsigmoid(made - real).mean()


def is_word(tokens: Tensor, marks: Marks) -> Tensor:
    """What is no padding, float [rows, time]."""
    return (tokens != marks.pad).float()
