"""A classifier of pairs of texts on the encoder of BERT in the engine, new or from a masked language model.

Devlin et al. 2018 (arXiv 1810.04805, section 4): [CLS] first [SEP] second [SEP], the segments told apart; of a pair
that is too long the longer text is cut first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.batching.rows import Rows, padded
from models.checks import demand
from models.families.bert import MARKS
from models.families.bert_classifier import ClassifierLearner, sizes
from models.family import DataConfig, Family, Split, TrainingData
from models.language.bert import VERSION
from models.language.bert_heads import HeadConfig, PairClassifier, join_pair
from models.learner import Batch, Learner
from models.training.config import TrainingConfig

TEXTS = ("first", "second")
_MARKS = 3  # one before the first text, one after each


@dataclass(frozen=True, kw_only=True)
class Pairs(Rows):
    """Rows whose two columns are read as one, with marks between them. `longest` is the tokens of both together."""

    begin: int
    separator: int

    def rows(self, numbers: npt.NDArray[np.int64]) -> dict[str, Tensor]:
        """`text` and `segments` int64 [rows, time], `text_lengths`, and the numbers beside them."""
        pairs = [self._pair(number) for number in numbers]
        (tokens, lengths), (segments, _) = (padded([pair[side] for pair in pairs], self.pad) for side in (0, 1))
        beside = {name: torch.from_numpy(values[numbers]) for name, values in (self.numbers or {}).items()}
        return {"text": tokens, "text_lengths": lengths, "segments": segments.clamp_max(1), **beside}

    def _pair(self, number: int) -> tuple[list[int], list[int]]:
        first, second = (self.columns[name].row(number).tolist() for name in TEXTS)
        kept = min(len(first), max(self.longest - len(second), -(-self.longest // 2)))
        return join_pair(first[:kept], second[: self.longest - kept], begin=self.begin, separator=self.separator)

    @cached_property
    def _lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of both texts of each row."""
        total: npt.NDArray[np.int64] = np.sum([store.lengths for store in self.columns.values()], axis=0)
        return total


class PairLearner(ClassifierLearner):
    """Learns the label of each pair."""

    unit = "pairs"

    def logits(self, batch: Batch) -> Tensor:
        """Logits [batch, labels] of a batch of pairs."""
        logits: Tensor = self.model(batch["text"], lengths=batch["text_lengths"], segments=batch["segments"])
        return logits


def learner(config: HeadConfig, data: TrainingData, seed: int) -> Learner:
    """A new model; `load_encoder` gives it the encoder of a masked language model."""
    return PairLearner(PairClassifier(config, seed=seed), data.vocabulary.mark("class"))


def batches(config: HeadConfig, options: DataConfig, data: TrainingData, split: Split, seed: int) -> Pairs:
    """Labelled pairs of a split; those longer than the context are treated by the policy, and counted."""
    demand(config.context >= _MARKS + 2, "context", config.context, "at least 5: two tokens and three marks")
    demand(config.segments >= 2, "segments", config.segments, "at least 2, one for each text of a pair")
    return Pairs(
        columns={name: split.columns[name] for name in TEXTS},
        pad=data.vocabulary.mark("pad"),
        longest=config.context - _MARKS,
        seed=seed,
        too_long=options.too_long,
        numbers={"label": split.numbers["label"]},
        begin=data.vocabulary.mark("class"),
        separator=data.vocabulary.mark("separator"),
    )


FAMILY = Family(
    name="bert-pair",
    about="label of a pair of texts (same meaning, entailment), on the encoder of bert",
    needs=(*TEXTS, "label"),
    marks=MARKS,
    config=HeadConfig,
    version=VERSION,
    learner=learner,
    batches=batches,
    load=PairClassifier.load,
    training=TrainingConfig(learning_rate=5e-4, embedding_rate=1.0, precision="auto"),
    sizes=sizes,
)
