"""How surprised a language model is by held-out documents, per token and per byte.

Each document is scored on its own: a window slides over <|endoftext|> and its tokens, every token is
predicted once, and all but the first window's tokens see at least `context - stride` tokens before
them. Figures per byte do not depend on the tokenizer and can be compared between models.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.progress import Progress, ignore

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from models.language.gpt import GPT

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PerplexityConfig:
    """How documents are scored: `stride` new tokens a window (half the context if None), `max_tokens` a document.

    Of a longer document only the first `max_tokens` are scored, by every model alike.
    """

    stride: int | None = None
    batch_size: int = 16
    max_tokens: int | None = 2048


@dataclass(frozen=True)
class Surprise:
    """Per-document outcomes, the unit of the bootstrap: nats float64, tokens and bytes int64, all [documents]."""

    nats: Floats
    tokens: Ints
    bytes: Ints

    def perplexity_per_token(self, rows: Ints | slice = slice(None)) -> float:
        """exp(nats per token) over the documents `rows`."""
        return math.exp(self.nats[rows].sum() / self.tokens[rows].sum())

    def perplexity_per_byte(self, rows: Ints | slice = slice(None)) -> float:
        """exp(nats per byte) over the documents `rows`."""
        return math.exp(self.nats[rows].sum() / self.bytes[rows].sum())

    def bits_per_byte(self, rows: Ints | slice = slice(None)) -> float:
        """Size of the compressed text in bits over its size in bytes, for the documents `rows`."""
        return float(self.nats[rows].sum() / math.log(2) / self.bytes[rows].sum())

    @property
    def bits_per_byte_of_each(self) -> Floats:
        """Bits per byte of each document, for paired comparisons."""
        return self.nats / math.log(2) / self.bytes


@dataclass(frozen=True)
class Window:
    """Part of a document: `ids` [time + 1] of which the targets from `first` on are scored."""

    document: int
    ids: Ints
    first: int


def byte_lengths(tokenizer: Tokenizer) -> Ints:
    """Bytes of each token of a byte-level tokenizer, int64 [vocab_size]; special tokens stand for none."""
    special = {i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    tokens = (tokenizer.id_to_token(i) or "" for i in range(tokenizer.get_vocab_size()))
    # The byte-level alphabet writes every byte as one character.
    return np.array([0 if i in special else len(token) for i, token in enumerate(tokens)], dtype=np.int64)


def surprise(
    model: GPT,
    documents: Sequence[Sequence[int]],
    *,
    separator: int,
    token_bytes: Ints,
    config: PerplexityConfig | None = None,
    progress: Progress = ignore,
) -> Surprise:
    """Score documents (token ids each, none empty) with a language model; progress counts windows."""
    config = config or PerplexityConfig()
    cut = _cut(documents, config)
    nats = np.zeros(len(cut))
    context = model.config.context
    stride = config.stride or max(1, context // 2)
    total = sum(1 for _ in windows(cut, separator=separator, context=context, stride=stride))
    remaining = windows(cut, separator=separator, context=context, stride=stride)
    done = 0
    while batch := list(islice(remaining, config.batch_size)):
        np.add.at(nats, [window.document for window in batch], _nats_of(model, batch))
        done += len(batch)
        progress(done, total)
    return _with_sizes(nats, cut, token_bytes)


def unigram_surprise(
    seen: Ints,
    documents: Sequence[Sequence[int]],
    *,
    token_bytes: Ints,
    config: PerplexityConfig | None = None,
) -> Surprise:
    """The baseline: every token by how often training has seen it (`seen`, [vocab_size]), with add-one smoothing."""
    counts = seen + 1
    cost = -np.log(counts / counts.sum())
    cut = _cut(documents, config or PerplexityConfig())
    return _with_sizes(np.array([cost[ids].sum() for ids in cut]), cut, token_bytes)


def windows(documents: Iterable[Ints], *, separator: int, context: int, stride: int) -> Iterator[Window]:
    """Windows of at most `context + 1` tokens in which every token of every document is scored once."""
    if not 1 <= stride <= context:
        raise ValueError(f"stride is {stride}; it must lie between 1 and the context ({context})")
    for number, ids in enumerate(documents):
        sequence = np.concatenate([[separator], ids])
        scored = 0
        while scored < len(ids):
            end = min(len(ids), scored + (stride if scored else context))
            start = max(0, end - context)
            yield Window(number, sequence[start : end + 1], scored - start)
            scored = end


def _nats_of(model: GPT, batch: Sequence[Window]) -> Floats:
    """Nats of the scored targets of each window, float64 [windows]; shorter windows are padded on the right."""
    import torch
    from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

    longest = max(len(window.ids) for window in batch)
    ids = np.zeros((len(batch), longest), dtype=np.int64)
    scored = np.zeros((len(batch), longest - 1), dtype=bool)
    for row, window in enumerate(batch):
        ids[row, : len(window.ids)] = window.ids
        scored[row, window.first : len(window.ids) - 1] = True
    with torch.inference_mode():
        blocks = torch.from_numpy(ids)
        logits = model(blocks[:, :-1])  # [windows, time, vocab_size]
        nats = F.cross_entropy(logits.flatten(0, 1).float(), blocks[:, 1:].flatten(), reduction="none")
    values: Floats = nats.view(len(batch), -1).double().numpy()
    return np.asarray(np.where(scored, values, 0.0).sum(axis=1))


def _cut(documents: Sequence[Sequence[int]], config: PerplexityConfig) -> list[Ints]:
    return [np.asarray(ids[: config.max_tokens], dtype=np.int64) for ids in documents]


def _with_sizes(nats: Floats, cut: Sequence[Ints], token_bytes: Ints) -> Surprise:
    return Surprise(
        nats=nats,
        tokens=np.array([len(ids) for ids in cut], dtype=np.int64),
        bytes=np.array([token_bytes[ids].sum() for ids in cut], dtype=np.int64),
    )
