"""A text classifier on the encoder of BERT in the engine, new or from a masked language model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from models.batching.rows import Rows
from models.families.bert import MARKS
from models.family import DataConfig, Family, Split, TrainingData
from models.language.bert import VERSION
from models.language.bert_heads import Classifier, HeadConfig
from models.learner import Batch, Learner, Loss
from models.training.config import TrainingConfig


class ClassifierLearner(Learner):
    """Learns the label of each text."""

    unit = "texts"
    headline = "accuracy"

    def __init__(self, model: Classifier, mark: int) -> None:
        self.model = model
        self.mark = mark

    def weights(self, batch: Batch) -> Tensor:
        """One label a row."""
        return torch.ones(len(batch["label"]))

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:  # noqa: ARG002 - the same at every step
        """Mean cross-entropy in nats per text, and the share of texts whose label is right."""
        logits = self.logits(batch)
        nats = torch.nn.functional.cross_entropy(logits.float(), batch["label"])
        return Loss(nats, {"accuracy": (logits.argmax(dim=-1) == batch["label"]).float().mean()})

    def logits(self, batch: Batch) -> Tensor:
        """Logits [batch, labels] of a batch of texts, the mark before each."""
        tokens = torch.cat((torch.full_like(batch["text"][:, :1], self.mark), batch["text"]), dim=1)
        logits: Tensor = self.model(tokens, lengths=batch["text_lengths"] + 1)
        return logits


def learner(config: HeadConfig, data: TrainingData, seed: int) -> Learner:
    """A new model; `load_encoder` gives it the encoder of a masked language model."""
    return ClassifierLearner(Classifier(config, seed=seed), data.vocabulary.mark("class"))


def batches(config: HeadConfig, options: DataConfig, data: TrainingData, split: Split, seed: int) -> Rows:
    """Labelled texts of a split; those longer than the context are treated by the policy, and counted."""
    columns, numbers = {"text": split.columns["text"]}, {"label": split.numbers["label"]}
    return Rows(columns, data.vocabulary.mark("pad"), config.context - 1, seed, options.too_long, numbers)


def sizes(data: TrainingData) -> dict[str, Any]:
    """What the data decide of a config."""
    return {"vocab_size": data.vocabulary.size, "labels": data.labels}


FAMILY = Family(
    name="bert-classifier",
    about="label of a text, on the encoder of bert",
    needs=("text", "label"),
    marks=MARKS,
    config=HeadConfig,
    version=VERSION,
    learner=learner,
    batches=batches,
    load=Classifier.load,
    training=TrainingConfig(learning_rate=5e-4, embedding_rate=1.0, precision="auto"),
    sizes=sizes,
)
