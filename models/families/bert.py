"""BERT in the engine: guessing hidden words of packed documents, and labels of texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from data.hashing import fingerprint
from models.batching.blocks import Blocks
from models.family import Family, Split, TrainingData
from models.language.bert import VERSION, BERTConfig, MaskedLM
from models.language.masking import MaskingConfig, mask
from models.layers.cross_entropy import IGNORED
from models.learner import Batch, Learner, Loss, perplexity
from models.training.config import TrainingConfig
from models.vocabulary import Vocabulary

MARKS = ("pad", "mask", "class", "separator")
_SHOWN, _GUESSES = 5, 3


@dataclass(frozen=True, kw_only=True)
class MaskingOptions:
    """`rate` of words (or tokens) are hidden; `borders`: attention does not reach into other documents."""

    rate: float = 0.15
    whole_words: bool = True
    borders: bool = True


@dataclass(frozen=True)
class MaskedBlocks:
    """Blocks of a stream of documents, the mark `class` before each, with words hidden anew in every step."""

    blocks: Blocks
    vocabulary: Vocabulary
    masking: MaskingConfig

    def __len__(self) -> int:
        """Number of blocks."""
        return len(self.blocks)

    @property
    def fingerprint(self) -> str:
        """Of the blocks, and how words are hidden."""
        masking = self.masking
        return fingerprint([self.blocks.fingerprint, masking.mask_id, masking.rate, masking.whole_words])

    def batch(self, step: int, *, batch_size: int) -> dict[str, Tensor]:
        """`tokens` and `targets` int64 [batch_size, context] of step `step`; what is hidden follows seed and step."""
        found = self.blocks.batch(step, batch_size=batch_size)
        tokens = self._with_class(found["ids"], self.vocabulary.mark("class"))
        words = torch.from_numpy(word_numbers(tokens.numpy(), self.vocabulary))
        generator = torch.Generator().manual_seed(_seed(self.blocks.seed, step))
        masked = mask(tokens, words, self.masking, vocab_size=self.vocabulary.tokens, generator=generator)
        batch = {"tokens": masked.tokens, "targets": masked.targets}
        if "documents" in found:
            batch["documents"] = torch.cat((found["documents"][:, :1], found["documents"]), dim=1)
        return batch

    @staticmethod
    def _with_class(ids: Tensor, mark: int) -> Tensor:
        return torch.cat((torch.full_like(ids[:, :1], mark), ids), dim=1)


def word_numbers(ids: npt.NDArray[np.int64], vocabulary: Vocabulary) -> npt.NDArray[np.int64]:
    """The word that each token [batch, time] belongs to, numbered along the row; -1 for marks and ends of texts."""
    numbers = vocabulary.word_starts[ids].cumsum(axis=1)
    return np.where((ids == vocabulary.end) | (ids >= vocabulary.tokens), -1, numbers)


class MaskedLMLearner(Learner):
    """Learns to guess the hidden tokens."""

    headline = "masked_perplexity"
    compiled = ("encoder.forward",)

    def __init__(self, model: MaskedLM) -> None:
        self.model = model

    def weights(self, batch: Batch) -> Tensor:
        """Hidden tokens of each row."""
        return (batch["targets"] != IGNORED).sum(dim=1).float()

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:  # noqa: ARG002 - the same at every step
        """Mean cross-entropy in nats per hidden token."""
        return Loss(self.model.loss(batch))  # type: ignore[operator]

    def figures(self, means: Mapping[str, float]) -> dict[str, float]:
        """With the perplexity of hidden tokens, which both sides tell of: it is lower than that of a `gpt`."""
        return {**means, "masked_perplexity": perplexity(means["loss"])}


def learner(config: BERTConfig, data: TrainingData, seed: int) -> Learner:  # noqa: ARG001 - its sizes stand in config
    """A new model."""
    return MaskedLMLearner(MaskedLM(config, seed=seed))


def batches(config: BERTConfig, options: MaskingOptions, data: TrainingData, split: Split, seed: int) -> MaskedBlocks:
    """Blocks of the documents of a split; with the mark before it a block fills the context."""
    vocabulary = data.vocabulary
    blocks = Blocks(split.columns["text"], vocabulary.end, config.context - 2, seed, options.borders)
    masking = MaskingConfig(mask_id=vocabulary.mark("mask"), rate=options.rate, whole_words=options.whole_words)
    return MaskedBlocks(blocks, vocabulary, masking)


def show(model: MaskedLM, data: TrainingData, seed: int) -> dict[str, Any]:
    """Texts with a hidden word, and what the model thinks it is."""
    held = batches(model.config, MaskingOptions(), data, data.validation or data.train, seed)
    batch = held.batch(0, batch_size=min(_SHOWN, len(held)))
    with torch.inference_mode():
        logits = model(batch["tokens"], documents=batch.get("documents"))
    rows = []
    for row in range(len(logits)):
        place = int((batch["targets"][row] != IGNORED).nonzero()[0])
        text = [data.vocabulary.token(int(token)) for token in batch["tokens"][row, max(1, place - 20) : place + 20]]
        guesses = [data.vocabulary.token(int(token)) for token in logits[row, place].topk(_GUESSES).indices]
        hidden = data.vocabulary.token(int(batch["targets"][row, place]))
        rows.append({"text": "".join(text), "hidden": hidden, "guesses": ", ".join(guesses)})
    return {"Hidden words": rows}


def _seed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0])


FAMILY = Family(
    name="bert",
    about="encoder with masked-LM pre-training",
    needs=("text",),
    marks=MARKS,
    config=BERTConfig,
    version=VERSION,
    learner=learner,
    batches=batches,
    load=MaskedLM.load,
    data=MaskingOptions,
    training=TrainingConfig(learning_rate=1e-3, embedding_rate=1.0, precision="auto"),
    show=show,
)
