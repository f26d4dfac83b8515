"""The decoder-only language model in the engine: packed blocks of documents, the next token predicted at each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models.batching.blocks import Blocks
from models.family import Family, Split, TrainingData
from models.language.gpt import GPT, VERSION, GPTConfig
from models.learner import Batch, Learner, Loss, perplexity
from models.training.config import TrainingConfig

_SAMPLES, _NEW_TOKENS = 3, 60


@dataclass(frozen=True, kw_only=True)
class BlockConfig:
    """Documents are packed into blocks; `borders`: attention does not reach into the document before."""

    borders: bool = False


class LanguageModelLearner(Learner):
    """Learns to predict each token of a block from those before it."""

    headline = "perplexity"
    compiled = ("loss",)

    def __init__(self, model: GPT) -> None:
        self.model = model

    def weights(self, batch: Batch) -> Tensor:
        """Tokens predicted: all but the first of each block."""
        rows, length = batch["ids"].shape
        return torch.full((rows,), float(length - 1))

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:  # noqa: ARG002 - the same at every step
        """Mean cross-entropy in nats per token."""
        return Loss(self.model.loss(batch["ids"], documents=batch.get("documents")))  # type: ignore[operator]

    def figures(self, means: Mapping[str, float]) -> dict[str, float]:
        """With the perplexity, the exponential of the mean over all tokens."""
        return {**means, "perplexity": perplexity(means["loss"])}


def learner(config: GPTConfig, data: TrainingData, seed: int) -> Learner:
    """A model that starts from the frequencies of the tokens."""
    model = GPT(config, seed=seed)
    if model.prior is not None:
        stream = batches(config, BlockConfig(), data, data.train, seed)
        model.start_from(stream.counts(config.vocab_size))
    return LanguageModelLearner(model)


def batches(config: GPTConfig, options: BlockConfig, data: TrainingData, split: Split, seed: int) -> Blocks:
    """Blocks of the documents of a split."""
    return Blocks(split.columns["text"], data.vocabulary.end, config.context, seed, options.borders)


def show(model: GPT, data: TrainingData, seed: int) -> dict[str, Any]:
    """Some texts that the model writes."""
    texts = [
        data.vocabulary.decode(model.generate([data.vocabulary.end], max_new=_NEW_TOKENS, seed=seed + number))
        for number in range(_SAMPLES)
    ]
    return {"Generated text": texts}


FAMILY = Family(
    name="gpt",
    about="decoder-only Transformer language model",
    needs=("text",),
    config=GPTConfig,
    version=VERSION,
    learner=learner,
    batches=batches,
    load=GPT.load,
    data=BlockConfig,
    training=TrainingConfig(precision="auto"),
    show=show,
)
