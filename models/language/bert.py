"""BERT: a Transformer that reads in both directions, trained to guess hidden words.

Devlin et al. 2018 (arXiv 1810.04805, section 3.1). Minimised is, over the places i that were hidden in x̂,

    -mean_i log p(x_i | x̂),   p(x_i | x̂) = softmax(E norm(gelu(W h_i)) + b)

where h are the states of the encoder over x̂, and E the embeddings. It is trained without the prediction of the next
sentence, which Liu et al. 2019 (RoBERTa, arXiv 1907.11692) found to be of no use. The defaults are the paper's blocks;
rotary positions and any other block of `models.layers.transformer` by option. Heads for fine-tuning:
`models.language.bert_heads`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from data.errors import ConfigError
from models import weights
from models.checks import demand, demand_one_of
from models.layers.attention import both, document_mask, padding_mask
from models.layers.cross_entropy import IGNORED, linear_cross_entropy
from models.layers.dropout import Dropout
from models.layers.initialise import initialise
from models.layers.positions import POSITIONS, Rotary, places, restarting
from models.layers.transformer import Block, BlockConfig, norm_of

VERSION = 1
Batch = Mapping[str, Tensor]


class BERTConfigError(ConfigError):
    """A field of `BERTConfig` cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class BERTConfig:
    """What the encoder is made of; `norm`, `residual` and `activation` are named in `models.layers.transformer`."""

    vocab_size: int
    context: int = 128
    layers: int = 4
    heads: int = 4
    width: int = 128
    expansion: int = 4
    segments: int = 2
    positions: str = "learned"
    norm: str = "layer"
    norm_epsilon: float | None = 1e-12
    residual: str = "post"
    activation: str = "gelu"
    bias: bool = True
    query_key_norm: bool = False
    dropout: float = 0.1
    attention_dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no model can be."""
        for name in ("vocab_size", "context", "layers", "heads", "width", "expansion", "segments"):
            demand(getattr(self, name) >= 1, name, getattr(self, name), "at least 1", error=BERTConfigError)
        demand_one_of("positions", self.positions, POSITIONS, error=BERTConfigError)
        even = self.width % self.heads == 0 and (self.width // self.heads) % 2 == 0
        demand(even, "width", self.width, f"an even multiple of heads ({self.heads})", error=BERTConfigError)
        try:
            self.block()
        except ConfigError as error:
            raise BERTConfigError(str(error)) from error

    def block(self) -> BlockConfig:
        """The blocks of the encoder."""
        shared = {field.name for field in dataclasses.fields(BlockConfig)} & set(self.__dataclass_fields__)
        return BlockConfig(causal=False, **{name: getattr(self, name) for name in shared})


class Encoder(nn.Module):
    """Hidden states of tokens in the light of all others; what every head shares."""

    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.segments = nn.Embedding(config.segments, config.width)
        self.places = places(config.positions, config.width, length=config.context)
        self.rotary = Rotary(config.width // config.heads, length=config.context)
        self.embedding_norm = norm_of(config.norm, config.width, epsilon=config.norm_epsilon, bias=config.bias)
        self.blocks = nn.ModuleList(Block(config.block()) for _ in range(config.layers))
        if config.residual == "pre":
            self.norm = norm_of(config.norm, config.width, epsilon=config.norm_epsilon, bias=config.bias)
        else:
            self.norm = nn.Identity()
        self.dropout = Dropout(config.dropout)

    def forward(
        self,
        tokens: Tensor,
        *,
        segments: Tensor | None = None,
        lengths: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> Tensor:
        """Hidden states [batch, time, width] of `tokens` [batch, time].

        `segments` [batch, time] tell the texts of a pair apart (None = 0), `lengths` [batch] are the real tokens of
        each row, `documents` [batch, time] the numbers of packed documents, which do not see each other.
        """
        time = tokens.shape[1]
        if time > self.config.context:
            raise ValueError(f"{time} tokens do not fit into a context of {self.config.context}")
        mask = None if lengths is None else padding_mask(lengths, time=time)
        if documents is None:
            positions = torch.arange(time, device=tokens.device)
        else:
            positions, mask = restarting(documents), both(mask, document_mask(documents))
        rotation = self.rotary(positions) if self.places is None else None
        hidden = self.dropout(self.embedding_norm(self._embed(tokens, segments, positions)))
        for block in self.blocks:
            hidden = block(hidden, mask=mask, rotation=rotation)
        states: Tensor = self.norm(hidden)
        return states

    def _embed(self, tokens: Tensor, segments: Tensor | None, positions: Tensor) -> Tensor:
        hidden = self.embedding(tokens) + self.segments(torch.zeros_like(tokens) if segments is None else segments)
        added: Tensor = hidden if self.places is None else hidden + self.places(positions)
        return added


class MaskedLM(nn.Module):
    """Guesses the words that were hidden; the output table is that of the embeddings."""

    def __init__(self, config: BERTConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.dense = nn.Linear(config.width, config.width)
        self.norm = norm_of(config.norm, config.width, epsilon=config.norm_epsilon)
        self.prior = nn.Parameter(torch.empty(config.vocab_size))
        initialise(self, residual=config.residual, seed=seed)

    def forward(
        self,
        tokens: Tensor,
        *,
        segments: Tensor | None = None,
        lengths: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> Tensor:
        """Logits [batch, time, vocab_size] of the token at each place; arguments as in `Encoder`."""
        hidden = self._head(self.encoder(tokens, segments=segments, lengths=lengths, documents=documents))
        return F.linear(hidden, self.encoder.embedding.weight, self.prior)

    def loss(self, batch: Batch) -> Tensor:
        """Mean nats per hidden token (0 if there are none); the head runs at their places alone.

        A batch has `tokens` and `targets` [batch, time], which `models.language.masking` makes, and may have
        `segments`, `lengths` and `documents`.
        """
        hidden = self.encoder(batch["tokens"], **context_of(batch))
        guessed = batch["targets"] != IGNORED
        states = self._head(hidden[guessed])  # [hidden tokens, width]
        return linear_cross_entropy(states, self.encoder.embedding.weight, self.prior, batch["targets"][guessed])

    def _head(self, hidden: Tensor) -> Tensor:
        states: Tensor = self.norm(F.gelu(self.dense(hidden)))
        return states

    def save(self, directory: Path) -> None:
        """Write `model.safetensors` and `config.json` into an existing directory."""
        weights.save(self, self.config, directory)

    @classmethod
    def load(cls, directory: Path) -> MaskedLM:
        """Read what `save` wrote, ready for inference."""
        model = cls(weights.read_config(BERTConfig, directory))
        weights.load(model, directory)
        return model.eval()


def context_of(batch: Batch) -> dict[str, Tensor]:
    """What of a batch tells the encoder how its tokens belong together."""
    return {name: batch[name] for name in ("segments", "lengths", "documents") if name in batch}
