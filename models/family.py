"""What the catalogue knows of a family of neural models."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from data.token_store import TokenStore
from models.batching.rows import POLICIES
from models.checks import demand_one_of
from models.learner import Batches, Learner
from models.training.config import TrainingConfig
from models.vocabulary import FILE, Vocabulary, VocabularyError

ABOUT = "artefact.json"


@dataclass(frozen=True)
class Split:
    """Rows of a split: aligned columns of token ids, and numbers beside them (`labels`)."""

    columns: Mapping[str, TokenStore]
    numbers: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Rows."""
        return min((len(store) for store in self.columns.values()), default=0)


@dataclass(frozen=True)
class TrainingData:
    """What a training reads. `labels` are the names of the classes, where there are some.

    `rejects` counts the rows that were left out, by reason.
    """

    vocabulary: Vocabulary
    train: Split
    validation: Split | None = None
    labels: tuple[str, ...] = ()
    rejects: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How rows become batches. `too_long`: what happens to rows longer than the context (truncate, drop or fail).

    Families that pack texts into blocks, and so cut none off, have options of their own.
    """

    too_long: str = "truncate"

    def __post_init__(self) -> None:
        """Refuse a policy that there is not."""
        demand_one_of("too_long", self.too_long, POLICIES)


@dataclass(frozen=True, kw_only=True)
class Family:
    """A neural architecture in the catalogue.

    `needs` names the columns that it learns from: `text` alone, `source` and `target`, `text` or a pair of them and
    `label`, or `text` and `spans`; `rows` is `sentences` where documents are cut into such. `marks` are the tokens it
    needs besides those of the tokenizer. `config` is the class of its sizes; `data` that of how its rows become
    batches; `training` its defaults. `learner` makes a model from its sizes and says how it learns; `show` makes what a
    report shows of a trained model: texts and pictures as plain data.
    """

    name: str
    about: str
    needs: tuple[str, ...]
    rows: str = "documents"
    config: type
    version: int
    learner: Callable[[Any, TrainingData, int], Learner]
    batches: Callable[[Any, Any, TrainingData, Split, int], Batches]
    load: Callable[[Path], nn.Module]
    marks: tuple[str, ...] = ()
    data: type = DataConfig
    training: TrainingConfig = field(default_factory=TrainingConfig)
    tokeniser: Mapping[str, Any] = field(default_factory=dict)
    show: Callable[[Any, TrainingData, int], dict[str, Any]] | None = None
    sizes: Callable[[TrainingData], dict[str, Any]] = lambda data: {"vocab_size": data.vocabulary.size}

    def configured(self, options: Mapping[str, Any], data: TrainingData) -> Any:
        """The config of a model for some data."""
        return self.config(**{**self.sizes(data), **options})


def describe(folder: Path, family: str, data: TrainingData) -> None:
    """Write beside the weights what they belong to: family, tokenizer and its fingerprint, marks and classes."""
    vocabulary = data.vocabulary
    (folder / FILE).write_text(vocabulary.tokenizer, "utf-8")
    about = {
        "family": family,
        "tokenizer": vocabulary.fingerprint,
        "marks": list(vocabulary.marks),
        "labels": list(data.labels),
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n", "utf-8")


def vocabulary_of(folder: Path) -> Vocabulary:
    """The vocabulary of an artefact. Raises VocabularyError where the tokenizer is not the one of the training."""
    about = json.loads((folder / ABOUT).read_text("utf-8"))
    found = Vocabulary((folder / FILE).read_text("utf-8"), tuple(about["marks"]))
    if found.fingerprint != about["tokenizer"]:
        raise VocabularyError(
            f"{folder / FILE} is not the tokenizer that the model was trained with (its fingerprint is "
            f"{found.fingerprint}, not {about['tokenizer']}); put the right one back or train again"
        )
    return found
