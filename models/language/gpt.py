"""A small decoder-only Transformer language model.

The recipe of current models in small: rotary positions, RMSNorm before each sub-layer, normalised
queries and keys, squared ReLU, tied input and output embeddings (Press and Wolf 2017, arXiv
1608.05859), no biases. Decoder-only language models: Radford et al. 2019.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from data.errors import ConfigError
from models.layers.attention import Rotary
from models.layers.transformer import Block

VERSION = 1


class GPTConfigError(ConfigError):
    """A field of `GPTConfig` cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class GPTConfig:
    """Size of the model. About `vocab_size * width + 12 * layers * width**2` parameters."""

    vocab_size: int
    context: int = 128
    layers: int = 4
    heads: int = 4
    width: int = 128
    expansion: int = 4

    def __post_init__(self) -> None:
        """Refuse sizes that no model can have."""
        for field in dataclasses.fields(self):
            if (value := getattr(self, field.name)) < 1:
                raise GPTConfigError(f"{field.name} is {value}; it must be at least 1")
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise GPTConfigError(f"width is {self.width}; it must be an even multiple of heads ({self.heads})")


class GPT(nn.Module):
    """Predicts each token from those before it, at most `config.context` of them."""

    def __init__(self, config: GPTConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        rotary = Rotary(config.width // config.heads, length=config.context)
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.blocks = nn.ModuleList(
            Block(config.width, heads=config.heads, expansion=config.expansion, causal=True, rotary=rotary)
            for _ in range(config.layers)
        )
        self.norm = nn.RMSNorm(config.width)
        self.prior = nn.Parameter(torch.empty(config.vocab_size))
        initialise(self, seed=seed)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [batch, time, vocab_size] for the token after each of `tokens` [batch, time]."""
        if tokens.shape[1] > self.config.context:
            raise ValueError(f"{tokens.shape[1]} tokens do not fit into a context of {self.config.context}")
        hidden = F.rms_norm(self.embedding(tokens), (self.config.width,))  # [batch, time, width]
        for block in self.blocks:
            hidden = block(hidden)
        return F.linear(self.norm(hidden), self.embedding.weight, self.prior)

    def loss(self, blocks: Tensor) -> Tensor:
        """Mean cross-entropy in nats over blocks [batch, context + 1]: every token but the first is predicted."""
        return F.cross_entropy(self(blocks[:, :-1]).flatten(0, 1).float(), blocks[:, 1:].flatten())

    @torch.no_grad()
    def start_from(self, counts: npt.NDArray[np.integer[Any]]) -> None:
        """Set the bias of the logits to the log frequencies of the tokens, seen `counts` times [vocab_size].

        The model then starts as the unigram model and spends its steps on what context adds. Each
        token is counted once more than seen.
        """
        smoothed = counts + 1
        self.prior.copy_(torch.from_numpy(np.log(smoothed / smoothed.sum())))

    @torch.inference_mode()
    def generate(
        self,
        prompt_ids: Sequence[int],
        *,
        max_new: int,
        temperature: float = 0.8,
        top_k: int = 50,
        seed: int = 0,
        stop: int | None = None,
    ) -> list[int]:
        """Continue the prompt by at most `max_new` token ids, which are returned without it.

        Temperature 0 takes the most probable token each time. Generation ends after the token
        `stop`, which is not returned. The prompt may not be empty: begin with <|endoftext|>.
        """
        if not prompt_ids:
            raise ValueError("the prompt is empty; begin with the id of <|endoftext|>")
        generator = torch.Generator().manual_seed(seed)
        ids = list(prompt_ids)
        for _ in range(max_new):
            window = torch.tensor([ids[-self.config.context :]])
            token = _draw(self(window)[0, -1], temperature=temperature, top_k=top_k, generator=generator)
            if token == stop:
                break
            ids.append(token)
        return ids[len(prompt_ids) :]

    def save(self, directory: Path) -> None:
        """Write `model.safetensors` and `config.json` into an existing directory."""
        save_file({name: tensor.contiguous() for name, tensor in self.state_dict().items()}, directory / WEIGHTS)
        (directory / CONFIG).write_text(json.dumps(dataclasses.asdict(self.config), indent=2) + "\n", "utf-8")

    @classmethod
    def load(cls, directory: Path) -> GPT:
        """Read what `save` wrote, ready for inference."""
        model = cls(GPTConfig(**json.loads((directory / CONFIG).read_text("utf-8"))))
        model.load_state_dict(load_file(directory / WEIGHTS))
        return model.eval()


WEIGHTS = "model.safetensors"
CONFIG = "config.json"


def initialise(model: GPT, *, seed: int) -> None:
    """Set every weight, from the seed alone.

    Matrices are normal with variance 1 / inputs; those that write to the residual stream start
    at zero, so that each block is the identity at first; embeddings are small, because tied logits
    are products with normalised states of length sqrt(width). `start_from` may set the prior later.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("output.weight"):
                weight.zero_()
            elif name == "embedding.weight":
                weight.normal_(std=0.02, generator=generator)
            elif weight.ndim == 2:
                weight.normal_(std=weight.shape[1] ** -0.5, generator=generator)
            else:
                weight.fill_(0.0 if name == "prior" else 1.0)


def _draw(logits: Tensor, *, temperature: float, top_k: int, generator: torch.Generator) -> int:
    """Sample one token id from logits [vocab_size]."""
    if temperature <= 0:
        return int(logits.argmax())
    best, ids = logits.topk(min(top_k, logits.shape[0]))
    choice = torch.multinomial((best / temperature).softmax(dim=-1), 1, generator=generator)
    return int(ids[choice])
