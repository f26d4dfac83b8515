"""A text GAN: a recurrent generator writes sentences, a convolutional discriminator tells them from real ones.

The generator is first taught by maximum likelihood, and then by the discriminator, in one of two ways
(`models.generative.adversarial`): SeqGAN, Yu et al. 2017 (arXiv 1609.05473), by policy gradient, since drawn words have
no gradient; RelGAN, Nie, Narodytska and Patel 2019, by the Gumbel-softmax (Jang et al. 2017, arXiv 1611.01144), which
has one. The discriminator is the convolutional network of Kim 2014 (arXiv 1408.5882) with a highway layer (Srivastava
et al. 2015), as in SeqGAN.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from data.errors import ConfigError
from models import weights
from models.checks import demand, demand_one_of
from models.generative.sentences import Marks, check_marks, drawn_from, remember, word_nats
from models.layers.recurrent import CELLS, Recurrent, State

VERSION = 1
METHODS = ("policy", "gumbel")


class TextGANConfigError(ConfigError):
    """A field of `TextGANConfig` cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class TextGANConfig:
    """What the two networks are made of, and when each learns.

    `pad`, `begin` and `end` are tokens of the vocabulary; `context` is the most words of a sentence. Filters of the
    discriminator span 1 to `longest_filter` words, `filters` of each. The first `likelihood_steps` teach the generator
    by maximum likelihood, the next `judge_steps` the discriminator alone; in each step after that the generator has
    `generator_turns` and then the discriminator `judge_turns`. The generator's learning rate is then `adversarial_rate`
    times that of the training. `rollouts` is how often a sentence is ended from each of its words (`policy`); `coldest`
    the inverse temperature reached after `cooling_steps` adversarial steps (`gumbel`). `likelihood_share` of maximum
    likelihood stays in the generator's loss.
    """

    vocab_size: int
    pad: int
    begin: int
    end: int
    context: int = 20
    cell: str = "lstm"
    embedding: int = 64
    width: int = 128
    dropout: float = 0.2
    judge_embedding: int = 64
    filters: int = 32
    longest_filter: int = 4
    judge_dropout: float = 0.25
    method: str = "policy"
    likelihood_steps: int = 250
    judge_steps: int = 50
    generator_turns: int = 1
    judge_turns: int = 1
    adversarial_rate: float = 0.1
    rollouts: int = 2
    rollout_words: int = 4
    coldest: float = 10.0
    cooling_steps: int = 50
    likelihood_share: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no model can be."""
        error = TextGANConfigError
        sizes = ("context", "embedding", "width", "judge_embedding", "filters", "longest_filter")
        for name in (*sizes, "rollouts", "rollout_words", "cooling_steps", "generator_turns", "judge_turns"):
            demand(getattr(self, name) >= 1, name, getattr(self, name), "at least 1", error=error)
        for name in ("likelihood_steps", "judge_steps", "likelihood_share"):
            demand(getattr(self, name) >= 0, name, getattr(self, name), "at least 0", error=error)
        for name in ("dropout", "judge_dropout"):
            demand(0 <= getattr(self, name) < 1, name, getattr(self, name), "at least 0 and below 1", error=error)
        demand(self.adversarial_rate > 0, "adversarial_rate", self.adversarial_rate, "above 0", error=error)
        demand(self.coldest >= 1, "coldest", self.coldest, "at least 1", error=error)
        demand_one_of("cell", self.cell, tuple(CELLS), error=error)
        demand_one_of("method", self.method, METHODS, error=error)
        check_marks(error, self.vocab_size, pad=self.pad, begin=self.begin, end=self.end)

    @property
    def marks(self) -> Marks:
        """The tokens that are no words."""
        return Marks(pad=self.pad, begin=self.begin, end=self.end)

    @property
    def adversarial_from(self) -> int:
        """The first step (from 0) in which the two play against each other."""
        return self.likelihood_steps + self.judge_steps


class Generator(nn.Module):
    """A recurrent language model of sentences: p(x) = Π p(wₜ | w₁ … wₜ₋₁)."""

    barred: Tensor

    def __init__(self, config: TextGANConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.embedding)
        self.recurrent = Recurrent(config.cell, config.embedding, config.width)
        self.output = nn.Linear(config.width, config.embedding)
        self.prior = nn.Parameter(torch.empty(config.vocab_size))
        self.register_buffer("barred", config.marks.barred(config.vocab_size), persistent=False)

    def forward(self, read: Tensor, state: State | None = None, *, dropout: float = 0.0) -> tuple[Tensor, State]:
        """States [batch, time, width] after each token of `read` [batch, time], and the last one."""
        inputs = F.dropout(F.rms_norm(self.embedding(read), (self.config.embedding,)), dropout)
        states, last = self.recurrent(inputs, state=state)
        return F.dropout(states, dropout), last

    def logits(self, states: Tensor) -> Tensor:
        """Logits [..., vocab_size] for the next token; those of marks are -∞."""
        return F.linear(self.output(states), self.embedding.weight, self.prior + self.barred)

    def nats(self, targets: Tensor, *, dropout: float = 0.0) -> Tensor:
        """-log p of every word and the end [batch, time], 0 after it, of `targets` (`Marks.predicted`)."""
        marks = self.config.marks
        states, _ = self(marks.read(targets[:, :-1]), dropout=dropout)
        return word_nats(states, targets, marks, self.logits)

    def likelihood_loss(self, targets: Tensor) -> Tensor:
        """Mean -log p in nats per word, with dropout while it learns."""
        dropout = self.config.dropout if self.training else 0.0
        return self.nats(targets, dropout=dropout).sum() / (targets != self.config.pad).sum()

    @torch.no_grad()
    def draw(self, rows: int, *, temperature: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
        """Drawn tokens [rows, at most context + 1], each row to its end and then padded."""
        begin = torch.full((rows,), self.config.begin, device=self.prior.device)
        return self.go_on(begin, None, self.config.context, temperature=temperature, generator=generator)

    @torch.no_grad()
    def go_on(
        self,
        token: Tensor,
        state: State | None,
        most: int,
        *,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Drawn tokens [rows, at most `most` + 1] after `token` [rows]; a row with `most` words ends by force.

        Nothing but padding comes after `end` and `pad`.
        """
        marks, drawn = self.config.marks, []
        for place in range(most + 1):
            over = (token == marks.end) | (token == marks.pad)
            if bool(over.all()):
                break
            states, state = self(token.unsqueeze(1), state)
            token = drawn_from(self.logits(states[:, -1]), temperature, generator)
            token = torch.where(over, marks.pad, token if place < most else marks.end)
            drawn.append(token)
        return torch.stack(drawn, 1) if drawn else token.new_empty((len(token), 0))


class Discriminator(nn.Module):
    """How real a sentence seems, in logits: filters over its words, the largest answer of each, a highway."""

    def __init__(self, config: TextGANConfig) -> None:
        super().__init__()
        self.config = config
        width = config.filters * config.longest_filter
        self.embedding = nn.Embedding(config.vocab_size, config.judge_embedding)
        self.filters = nn.ModuleList(
            nn.Conv1d(config.judge_embedding, config.filters, span) for span in range(1, config.longest_filter + 1)
        )
        self.carry = nn.Linear(width, width)
        self.transform = nn.Linear(width, width)
        self.output = nn.Linear(width, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [batch] of tokens [batch, time], or of shares of tokens [batch, time, vocab_size].

        Padding changes nothing: its embedding is zero, and no filter begins in it.
        """
        if tokens.is_floating_point():
            real, embedded = 1 - tokens[..., self.config.pad], tokens @ self.embedding.weight
        else:
            real, embedded = (tokens != self.config.pad).float(), self.embedding(tokens)
        embedded = (embedded * real.unsqueeze(-1)).transpose(1, 2)  # [batch, judge_embedding, time]
        embedded = F.pad(embedded, (0, self.config.longest_filter - 1))
        answers = [F.relu(each(embedded))[..., : real.shape[1]] * real.unsqueeze(1) for each in self.filters]
        features = torch.cat([answer.amax(2) for answer in answers], dim=1)  # [batch, filters x longest_filter]
        gate = self.carry(features).sigmoid()
        features = gate * F.relu(self.transform(features)) + (1 - gate) * features
        features = F.dropout(features, self.config.judge_dropout, self.training)
        found: Tensor = self.output(features).squeeze(1).float()
        return found


class TextGAN(nn.Module):
    """Generator and discriminator, and the generator as maximum likelihood left it, to be compared with.

    `taught` is whether it has been kept; the loss of the first step after the warm-up does so.
    """

    taught: Tensor

    def __init__(self, config: TextGANConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.generator = Generator(config)
        self.discriminator = Discriminator(config)
        self.likelihood = Generator(config).requires_grad_(False)
        self.register_buffer("taught", torch.tensor(False))
        initialise(self, seed=seed)

    @torch.no_grad()
    def keep_likelihood(self) -> None:
        """Keep the generator as it is now."""
        for kept, now in zip(self.likelihood.parameters(), self.generator.parameters(), strict=True):
            kept.copy_(now)
        self.taught.fill_(True)

    def sample(
        self, number: int, *, temperature: float = 1.0, seed: int = 0, likelihood: bool = False
    ) -> list[list[int]]:
        """Sentences of the generator, or of the one that maximum likelihood left: token ids without marks and end."""
        source = self.likelihood if likelihood else self.generator
        generator = torch.Generator(source.prior.device).manual_seed(seed)
        return self.config.marks.rows(source.draw(number, temperature=temperature, generator=generator))

    @torch.no_grad()
    def start_from(self, counts: Tensor) -> None:
        """Set the bias of the generator's logits to the log frequencies of the tokens, seen `counts` times."""
        smoothed = counts.double() + 1
        self.generator.prior.copy_((smoothed / smoothed.sum()).log())

    def save(self, directory: Path) -> None:
        """Write `model.safetensors` and `config.json` into an existing directory."""
        weights.save(self, self.config, directory)

    @classmethod
    def load(cls, directory: Path) -> TextGAN:
        """Read what `save` wrote, ready for inference."""
        model = cls(weights.read_config(TextGANConfig, directory))
        weights.load(model, directory)
        return model.eval()


def initialise(model: TextGAN, *, seed: int) -> None:
    """Set every weight, from the seed alone: matrices and filters normal with variance 1 / inputs, embeddings small."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("embedding.weight"):
                weight.normal_(std=0.1, generator=generator)
            elif weight.ndim >= 2:
                weight.normal_(std=weight[0].numel() ** -0.5, generator=generator)
            else:
                weight.zero_()
    remember(model.generator.recurrent)
