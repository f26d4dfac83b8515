"""A sentence VAE: a sentence is drawn from a code, and the code of a sentence is inferred.

Bowman et al. 2016, "Generating sentences from a continuous space" (arXiv 1511.06349), after Kingma and Welling 2013
(arXiv 1312.6114):

    z ~ p(z) = N(0, 1);   x ~ p(x | z) = Π p(wₜ | w₁ … wₜ₋₁, z), an LSTM or GRU that sees z at every word
    q(z | x) = N(μ(x), σ²(x)) from an LSTM or GRU over the words
    log p(x) ≥ ELBO = E_q[log p(x | z)] - KL(q(z | x) || p(z))

Minimised is -ELBO with a weight on the KL (`models.generative.annealing`) and with words dropped out of what the
decoder reads, so that it has to ask z for them.
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
from models.generative.annealing import FLOORS, SCHEDULES, kl_weight, with_free_bits
from models.generative.gaussian import Gaussian
from models.generative.sentences import Marks, check_marks, drawn_from, remember, word_nats
from models.layers.recurrent import CELLS, Recurrent, State

VERSION = 1
POOLINGS = ("last", "mean", "max")


class TextVAEConfigError(ConfigError):
    """A field of `TextVAEConfig` cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class TextVAEConfig:
    """What the model is made of, and what keeps its posterior from collapsing.

    `pad`, `begin` and `end` are tokens of the vocabulary; `context` is the most words of a sentence. `pooling` is what
    of the encoder's states tells the code: the last, or their mean or maximum over the words (Long et al. 2019, arXiv
    1911.03976). `word_dropout` is the share of words that the decoder reads as `pad`; `dropout` falls on embeddings and
    states. The weight of the KL follows `annealing` over `annealing_steps` steps, in `cycles` where it is cyclical,
    each rising over its part `cycle_rise`; `free_bits` nats are free `free_per` dimension or sentence.
    """

    vocab_size: int
    pad: int
    begin: int
    end: int
    context: int = 64
    cell: str = "lstm"
    embedding: int = 128
    encoder_width: int = 256
    width: int = 256
    latent: int = 32
    pooling: str = "max"
    dropout: float = 0.2
    word_dropout: float = 0.2
    annealing: str = "linear"
    annealing_steps: int = 200
    cycles: int = 4
    cycle_rise: float = 0.5
    free_bits: float = 4.0
    free_per: str = "sentence"

    def __post_init__(self) -> None:
        """Refuse what no model can be."""
        error = TextVAEConfigError
        for name in ("context", "embedding", "encoder_width", "width", "latent", "annealing_steps", "cycles"):
            demand(getattr(self, name) >= 1, name, getattr(self, name), "at least 1", error=error)
        for name in ("dropout", "word_dropout"):
            demand(0 <= getattr(self, name) < 1, name, getattr(self, name), "at least 0 and below 1", error=error)
        demand(0 < self.cycle_rise <= 1, "cycle_rise", self.cycle_rise, "above 0 and at most 1", error=error)
        demand(self.free_bits >= 0, "free_bits", self.free_bits, "at least 0", error=error)
        choices = {"cell": CELLS, "pooling": POOLINGS, "annealing": SCHEDULES, "free_per": FLOORS}
        for name, known in choices.items():
            demand_one_of(name, getattr(self, name), tuple(known), error=error)
        check_marks(error, self.vocab_size, pad=self.pad, begin=self.begin, end=self.end)

    @property
    def marks(self) -> Marks:
        """The tokens that are no words."""
        return Marks(pad=self.pad, begin=self.begin, end=self.end)

    def kl_weight(self, step: int) -> float:
        """The weight of the KL in step `step` (from 0)."""
        return kl_weight(
            step, schedule=self.annealing, steps=self.annealing_steps, cycles=self.cycles, rise=self.cycle_rise
        )


@dataclass(frozen=True)
class Terms:
    """The two terms of the ELBO of each sentence in nats: `reconstruction` [batch], `kl` [batch, latent]."""

    reconstruction: Tensor
    kl: Tensor
    posterior: Gaussian

    @property
    def negative_elbo(self) -> Tensor:
        """-ELBO of each sentence [batch], the bound of -log p(x)."""
        return self.reconstruction + self.kl.sum(1)


class TextVAE(nn.Module):
    """Sentences `words` are int64 [batch, time], `lengths` [batch], at least one word each; codes [batch, latent]."""

    barred: Tensor

    def __init__(self, config: TextVAEConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.embedding)
        self.encoder = Recurrent(config.cell, config.embedding, config.encoder_width)
        self.posterior = nn.Linear(config.encoder_width, 2 * config.latent)
        self.decoder = Recurrent(config.cell, config.embedding + config.latent, config.width)
        self.start = nn.Linear(config.latent, CELLS[config.cell].states * config.width)
        self.output = nn.Linear(config.width, config.embedding)
        self.prior = nn.Parameter(torch.empty(config.vocab_size))
        self.register_buffer("barred", config.marks.barred(config.vocab_size), persistent=False)
        initialise(self, seed=seed)

    def encode(self, words: Tensor, lengths: Tensor) -> Gaussian:
        """q(z | x)."""
        states, _ = self.encoder(self._embed(words))  # [batch, time, encoder_width]; padding comes after all words
        mean, log_variance = self.posterior(_pooled(states, lengths, self.config.pooling)).chunk(2, dim=-1)
        return Gaussian(mean.float(), log_variance.float())

    def decode(self, read: Tensor, codes: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """States [batch, time, width] after each token of `read` [batch, time], and the last one, to go on from."""
        seen = codes.unsqueeze(1).expand(-1, read.shape[1], -1)
        inputs = torch.cat([self._embed(read), seen], dim=-1)
        states, last = self.decoder(inputs, state=state or self.first_state(codes))
        return F.dropout(states, self.config.dropout, self.training), last

    def first_state(self, codes: Tensor) -> State:
        """The decoder's state before the first word: [1, batch, width] each."""
        return tuple(
            part.contiguous()
            for part in self.start(codes).tanh().unsqueeze(0).chunk(CELLS[self.config.cell].states, -1)
        )

    def logits(self, states: Tensor) -> Tensor:
        """Logits [..., vocab_size] for the next token; those of marks are -∞."""
        return F.linear(self.output(states), self.embedding.weight, self.prior + self.barred)

    def forward(self, words: Tensor, lengths: Tensor) -> Terms:
        """The terms of the ELBO, with one code drawn for each sentence."""
        posterior = self.encode(words, lengths)
        return Terms(self.reconstruction(words, lengths, posterior.sample()), posterior.kl(), posterior)

    def reconstruction(self, words: Tensor, lengths: Tensor, codes: Tensor) -> Tensor:
        """-log p(x | z) of each sentence in nats [batch]."""
        marks = self.config.marks
        states, _ = self.decode(self.thinned(marks.read(words)), codes)
        return word_nats(states, marks.predicted(words, lengths), marks, self.logits).sum(1)

    def thinned(self, read: Tensor) -> Tensor:
        """What the decoder reads [batch, time], some of its words, never `begin`, dropped out while it learns."""
        if not self.training or not self.config.word_dropout:
            return read
        dropped = torch.rand(read.shape, device=read.device) < self.config.word_dropout
        return read.masked_fill(dropped & (read != self.config.begin), self.config.pad)

    def objective(self, terms: Terms, step: int) -> Tensor:
        """What is minimised for each sentence in nats [batch] in step `step`."""
        kl = with_free_bits(terms.kl, free=self.config.free_bits, per=self.config.free_per)
        return terms.reconstruction + self.config.kl_weight(step) * kl

    @torch.inference_mode()
    def generate(
        self, codes: Tensor, *, temperature: float = 0.0, longest: int | None = None, seed: int = 0
    ) -> list[list[int]]:
        """A sentence for each code: token ids without marks and end, at most `longest` (or the context) of them.

        Temperature 0 takes the most probable word each time.
        """
        generator = torch.Generator(codes.device).manual_seed(seed)
        token = torch.full((len(codes),), self.config.begin, device=codes.device)
        state, drawn = self.first_state(codes), []
        for _ in range(longest or self.config.context):
            states, state = self.decode(token.unsqueeze(1), codes, state)
            token = drawn_from(self.logits(states[:, -1]), temperature, generator)
            drawn.append(token)
            if bool((torch.stack(drawn, 1) == self.config.end).any(1).all()):
                break
        return self.config.marks.rows(torch.stack(drawn, 1))

    def sample(self, number: int, *, temperature: float = 1.0, seed: int = 0) -> list[list[int]]:
        """Sentences whose codes are drawn from the prior."""
        codes = torch.randn(number, self.config.latent, generator=torch.Generator().manual_seed(seed))
        return self.generate(codes.to(self.prior.device), temperature=temperature, seed=seed)

    @torch.no_grad()
    def start_from(self, counts: Tensor) -> None:
        """Set the bias of the logits to the log frequencies of the tokens, seen `counts` times [vocab_size]."""
        smoothed = counts.double() + 1
        self.prior.copy_((smoothed / smoothed.sum()).log())

    def save(self, directory: Path) -> None:
        """Write `model.safetensors` and `config.json` into an existing directory."""
        weights.save(self, self.config, directory)

    @classmethod
    def load(cls, directory: Path) -> TextVAE:
        """Read what `save` wrote, ready for inference."""
        model = cls(weights.read_config(TextVAEConfig, directory))
        weights.load(model, directory)
        return model.eval()

    def _embed(self, tokens: Tensor) -> Tensor:
        """Embeddings [batch, time, embedding] of unit root mean square, so that codes do not drown them at first."""
        embedded = F.rms_norm(self.embedding(tokens), (self.config.embedding,))
        return F.dropout(embedded, self.config.dropout, self.training)


def initialise(model: TextVAE, *, seed: int) -> None:
    """Set every weight, from the seed alone.

    Matrices are normal with variance 1 / inputs, embeddings small because they are also the last matrix; biases are
    zero, but those of an LSTM's forget gate 1 (Jozefowicz et al. 2015), so that it remembers at first.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name == "embedding.weight":
                weight.normal_(std=0.1, generator=generator)
            elif weight.ndim == 2:
                weight.normal_(std=weight.shape[1] ** -0.5, generator=generator)
            else:
                weight.zero_()
    for recurrent in (model.encoder, model.decoder):
        remember(recurrent)


def _pooled(states: Tensor, lengths: Tensor, pooling: str) -> Tensor:
    """One state [batch, width] of those of the words in [batch, time, width]."""
    if pooling == "last":
        return states[torch.arange(len(states), device=states.device), lengths - 1]
    real = (torch.arange(states.shape[1], device=states.device) < lengths.unsqueeze(1)).unsqueeze(-1)
    if pooling == "mean":
        return (states * real).sum(1) / lengths.unsqueeze(1)
    return states.masked_fill(~real, float("-inf")).amax(1)
