"""What an encoder is fine-tuned for: a label of a text, of a pair of texts, or of every token.

Devlin et al. 2018 (arXiv 1810.04805), section 4. All heads share `Encoder`: `load_encoder` gives them the one that a
`MaskedLM` has trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from models import weights
from models.checks import demand
from models.language.bert import Batch, BERTConfig, BERTConfigError, Encoder, context_of
from models.layers.cross_entropy import IGNORED
from models.layers.dropout import Dropout
from models.layers.initialise import initialise


@dataclass(frozen=True, kw_only=True)
class HeadConfig(BERTConfig):
    """The encoder, the names of the labels, and the dropout before the head."""

    labels: tuple[str, ...]
    head_dropout: float = 0.1

    def __post_init__(self) -> None:
        """Refuse labels that cannot be told apart."""
        super().__post_init__()
        object.__setattr__(self, "labels", tuple(self.labels))  # a list where it comes from JSON
        demand(len(self.labels) >= 2, "labels", self.labels, "at least two", error=BERTConfigError)
        demand(len(set(self.labels)) == len(self.labels), "labels", self.labels, "all different", error=BERTConfigError)
        demand(0 <= self.head_dropout < 1, "head_dropout", self.head_dropout, "at least 0 and below 1")


class Head(nn.Module):
    """An encoder and a linear layer over the labels; how they meet is the business of each kind."""

    def __init__(self, config: HeadConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.dropout = Dropout(config.head_dropout)
        self.labels = nn.Linear(config.width, len(config.labels))
        self.build()
        initialise(self, residual=config.residual, seed=seed)

    def build(self) -> None:
        """Add what else a kind has, before weights are set."""

    def loss(self, batch: Batch) -> Tensor:
        """Mean nats over `labels` of the batch that are not `IGNORED` (0 if there are none)."""
        logits = self(batch["tokens"], **context_of(batch)).flatten(0, -2)
        labels = batch["labels"].flatten()
        nats = F.cross_entropy(logits.float(), labels, ignore_index=IGNORED, reduction="sum")
        return nats / (labels != IGNORED).sum().clamp_min(1)

    def load_encoder(self, directory: Path) -> None:
        """Take the encoder of a model saved in `directory`. Raises WeightsError if it is of another shape."""
        weights.load(self, directory, prefix="encoder.")

    def save(self, directory: Path) -> None:
        """Write `model.safetensors` and `config.json` into an existing directory."""
        weights.save(self, self.config, directory)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote, ready for inference."""
        model = cls(weights.read_config(HeadConfig, directory))
        weights.load(model, directory)
        return model.eval()


class Classifier(Head):
    """One label per row, from the state of its first token ([CLS]); pairs of texts come with `segments`."""

    def build(self) -> None:
        """The pooler of the paper."""
        self.pooler = nn.Linear(self.config.width, self.config.width)

    def forward(
        self,
        tokens: Tensor,
        *,
        segments: Tensor | None = None,
        lengths: Tensor | None = None,
    ) -> Tensor:
        """Logits [batch, labels] of rows of `tokens` [batch, time]; the rest as in `Encoder`."""
        hidden = self.encoder(tokens, segments=segments, lengths=lengths)
        logits: Tensor = self.labels(self.dropout(self.pooler(hidden[:, 0]).tanh()))
        return logits


class PairClassifier(Classifier):
    """One label per pair of texts (`join_pair`), such as whether one follows from the other."""

    def loss(self, batch: Batch) -> Tensor:
        """As any classifier's; a batch without `segments` has no pairs."""
        if "segments" not in batch:
            raise ValueError("the batch has no segments, so there are no pairs; make its rows with join_pair")
        return super().loss(batch)


class Tagger(Head):
    """One label per token; where a word has several, the first one's counts and the others are `IGNORED`."""

    def forward(
        self,
        tokens: Tensor,
        *,
        segments: Tensor | None = None,
        lengths: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> Tensor:
        """Logits [batch, time, labels] of `tokens` [batch, time]; the rest as in `Encoder`."""
        hidden = self.encoder(tokens, segments=segments, lengths=lengths, documents=documents)
        logits: Tensor = self.labels(self.dropout(hidden))
        return logits


def join_pair(first: list[int], second: list[int], *, begin: int, separator: int) -> tuple[list[int], list[int]]:
    """Tokens and segments of [CLS] first [SEP] second [SEP]."""
    tokens = [begin, *first, separator, *second, separator]
    return tokens, [0] * (len(first) + 2) + [1] * (len(second) + 1)
