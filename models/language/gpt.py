"""A small decoder-only Transformer language model.

Decoder-only language models: Radford et al. 2018 (equations 1 and 2) and 2019. Minimised is

    -Σ_t log p(x_t | x_<t),   p(x_t | x_<t) = softmax(E h_{t-1} + b)

where h are the last hidden states, E the embeddings, if they are tied, and b the `prior`. The defaults are the recipe
of current models in small: rotary positions, RMSNorm before each sub-layer, normalised queries and keys, squared ReLU,
tied input and output embeddings (Press and Wolf 2017, arXiv 1608.05859), no biases. Other settings give GPT-2 (`gpt2`)
or the Llama of Touvron et al. 2023 (arXiv 2302.13971).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from data.errors import ConfigError
from models import weights
from models.checks import demand, demand_one_of
from models.decoding.sampling import Sampling, draw
from models.layers.attention import document_mask
from models.layers.cross_entropy import IGNORED, capped, linear_cross_entropy
from models.layers.dropout import Dropout
from models.layers.gradients import unit_rms
from models.layers.initialise import initialise
from models.layers.positions import POSITIONS, Rotary, places, restarting
from models.layers.transformer import Block, BlockCache, BlockConfig, norm_of

VERSION = 2


class GPTConfigError(ConfigError):
    """A field of `GPTConfig` cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class GPTConfig:
    """What the model is made of. About `vocab_size * width + 12 * layers * width**2` parameters.

    `norm`, `residual` and `activation` are named in `models.layers.transformer`, `positions` above. `embedding_norm`
    brings embeddings to unit root mean square; `output_dropout` is that of the last states (Zaremba et al. 2014, arXiv
    1409.2329); `prior` adds a bias to the logits; `logit_cap` c bounds them smoothly, c tanh(logits / c) (Gemma Team
    2024, arXiv 2408.00118), 0 = not.
    """

    vocab_size: int
    context: int = 128
    layers: int = 4
    heads: int = 4
    width: int = 128
    expansion: int = 4
    positions: str = "rotary"
    norm: str = "rms"
    norm_epsilon: float | None = None
    residual: str = "pre"
    activation: str = "squared_relu"
    bias: bool = False
    query_key_norm: bool = True
    embedding_norm: bool = True
    tied: bool = True
    prior: bool = True
    dropout: float = 0.0
    attention_dropout: float = 0.0
    output_dropout: float = 0.0
    logit_cap: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no model can be."""
        for name in ("vocab_size", "context", "layers", "heads", "width", "expansion"):
            demand(getattr(self, name) >= 1, name, getattr(self, name), "at least 1", error=GPTConfigError)
        demand_one_of("positions", self.positions, POSITIONS, error=GPTConfigError)
        even = self.width % self.heads == 0 and (self.width // self.heads) % 2 == 0
        demand(even, "width", self.width, f"an even multiple of heads ({self.heads})", error=GPTConfigError)
        rate = self.output_dropout
        demand(0 <= rate < 1, "output_dropout", rate, "at least 0 and less than 1", error=GPTConfigError)
        demand(self.logit_cap >= 0, "logit_cap", self.logit_cap, "at least 0", error=GPTConfigError)
        try:
            self.block()
        except ConfigError as error:
            raise GPTConfigError(str(error)) from error

    def block(self) -> BlockConfig:
        """The blocks of the model."""
        shared = {field.name for field in dataclasses.fields(BlockConfig)} & set(self.__dataclass_fields__)
        return BlockConfig(causal=True, **{name: getattr(self, name) for name in shared})


def gpt2(**sizes: Any) -> GPTConfig:
    """The GPT-2 of Radford et al. 2019 with these sizes: learned positions, LayerNorm, GELU, biases."""
    recipe: dict[str, Any] = {
        "positions": "learned",
        "norm": "layer",
        "activation": "gelu_tanh",
        "bias": True,
        "query_key_norm": False,
        "embedding_norm": False,
        "prior": False,
    }
    return GPTConfig(**(recipe | sizes))


class GPT(nn.Module):
    """Predicts each token from those before it, at most `config.context` of them."""

    def __init__(self, config: GPTConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.rotary = Rotary(config.width // config.heads, length=config.context)
        self.places = places(config.positions, config.width, length=config.context)
        self.blocks = nn.ModuleList(Block(config.block()) for _ in range(config.layers))
        if config.residual == "pre":
            self.norm = norm_of(config.norm, config.width, epsilon=config.norm_epsilon, bias=config.bias)
        else:
            self.norm = nn.Identity()
        self.unembedding = None if config.tied else nn.Parameter(torch.empty(config.vocab_size, config.width))
        self.prior = nn.Parameter(torch.empty(config.vocab_size)) if config.prior else None
        self.dropout, self.output_dropout = Dropout(config.dropout), Dropout(config.output_dropout)
        initialise(self, residual=config.residual, seed=seed)

    def forward(
        self, tokens: Tensor, *, documents: Tensor | None = None, cache: list[BlockCache] | None = None
    ) -> Tensor:
        """Logits [batch, time, vocab_size] for the token after each of `tokens` [batch, time]."""
        return self.logits(self.encode(tokens, documents=documents, cache=cache))

    def encode(
        self, tokens: Tensor, *, documents: Tensor | None = None, cache: list[BlockCache] | None = None
    ) -> Tensor:
        """The last hidden states [batch, time, width].

        Tokens of different `documents` [batch, time] (a number each) do not see each other, and positions begin
        anew in each. With a `cache` (`new_cache`) `tokens` come after all that were given to it before.
        """
        before = len(cache[0].own) if cache else 0
        if before + tokens.shape[1] > self.config.context:
            raise ValueError(f"{before + tokens.shape[1]} tokens do not fit into a context of {self.config.context}")
        mask = None if documents is None else document_mask(documents)
        if documents is None:
            positions = torch.arange(before, before + tokens.shape[1], device=tokens.device)
        else:
            positions = restarting(documents)
        rotation = self.rotary(positions) if self.config.positions == "rotary" else None
        hidden = self._embed(tokens, positions)
        for number, block in enumerate(self.blocks):
            hidden = block(hidden, mask=mask, rotation=rotation, cache=cache[number] if cache else None)
        states: Tensor = self.output_dropout(self.norm(hidden))
        return states

    def _embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        hidden: Tensor = self.embedding(tokens)
        if self.config.embedding_norm:
            hidden = unit_rms(hidden)
        if self.places is not None:
            hidden = hidden + self.places(positions)
        dropped: Tensor = self.dropout(hidden)
        return dropped

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits [..., vocab_size] of hidden states [..., width]."""
        return capped(F.linear(hidden, self._table(), self.prior), self.config.logit_cap)

    def _table(self) -> Tensor:
        return self.embedding.weight if self.unembedding is None else self.unembedding

    def loss(self, blocks: Tensor, *, documents: Tensor | None = None) -> Tensor:
        """Mean cross-entropy in nats over blocks [batch, context + 1]: every token but the first is predicted.

        With `documents` [batch, context + 1], the first token of one (its separator) is predicted from the last
        token of the one before: that is how documents end. Padding (negative numbers) is not predicted.
        """
        targets = blocks[:, 1:]
        if documents is not None:
            targets = targets.masked_fill(documents[:, 1:] < 0, IGNORED)
            documents = documents[:, :-1]
        hidden = self.encode(blocks[:, :-1], documents=documents).flatten(0, 1)
        return linear_cross_entropy(hidden, self._table(), self.prior, targets.flatten(), cap=self.config.logit_cap)

    def new_cache(self) -> list[BlockCache]:
        """An empty cache for `forward`, one part per block."""
        return [BlockCache() for _ in self.blocks]

    @torch.no_grad()
    def start_from(self, counts: npt.NDArray[np.integer[Any]]) -> None:
        """Set the bias of the logits to the log frequencies of the tokens, seen `counts` times [vocab_size].

        The model then starts as the unigram model and spends its steps on what context adds. Each
        token is counted once more than seen. Raises ValueError for a model without `prior`.
        """
        if self.prior is None:
            raise ValueError("the model has no prior to set; make it with prior=True")
        smoothed = counts + 1
        self.prior.copy_(torch.from_numpy(np.log(smoothed / smoothed.sum())))

    @torch.inference_mode()
    def generate(
        self,
        prompt_ids: Sequence[int],
        *,
        max_new: int,
        sampling: Sampling | None = None,
        seed: int = 0,
        stop: int | None = None,
        cached: bool = True,
    ) -> list[int]:
        """Continue the prompt by at most `max_new` token ids, which are returned without it.

        Generation ends after the token `stop`, which is not returned. The prompt may not be empty: begin with
        <|endoftext|>. Past the context the older half of it is forgotten, as often as it fills.
        `cached` keeps keys and values and changes nothing else.
        """
        if not prompt_ids:
            raise ValueError("the prompt is empty; begin with the id of <|endoftext|>")
        sampling, generator = sampling or Sampling(), torch.Generator().manual_seed(seed)
        ids, cache, start, seen = list(prompt_ids), self.new_cache(), 0, 0
        for _ in range(max_new):
            begin = window_start(len(ids), self.config.context)
            if not cached or begin != start:
                cache, start, seen = self.new_cache(), begin, begin
            window = torch.tensor([ids[seen:]], device=self.embedding.weight.device)
            logits, seen = self(window, cache=cache)[0, -1].cpu(), len(ids)
            token = int(draw(logits, sampling, history=torch.tensor(ids), generator=generator))
            if token == stop:
                break
            ids.append(token)
        return ids[len(prompt_ids) :]

    def save(self, directory: Path) -> None:
        """Write `model.safetensors` and `config.json` into an existing directory."""
        weights.save(self, self.config, directory)

    @classmethod
    def load(cls, directory: Path) -> GPT:
        """Read what `save` wrote, ready for inference."""
        model = cls(weights.read_config(GPTConfig, directory))
        weights.load(model, directory)
        return model.eval()


def window_start(tokens: int, context: int) -> int:
    """Where the window over so many tokens begins: at a multiple of half the context, with as much as fits."""
    half = max(1, context // 2)
    return max(0, -(-(tokens - context) // half) * half)
