"""What `textmill train` is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.errors import ConfigError
from data.lake import Lake
from flows.training.labelled_set import LabelledSet
from flows.training.published import Published
from flows.training.rows import File, Rows
from models import fitting
from models.catalogue import family as of_catalogue
from models.catalogue import neural
from models.family import Family
from models.registry import LATEST, ModelVersion, Registry
from models.text_family import TextFamily

TOKENISER = "tokeniser."


@dataclass(frozen=True)
class Order:
    """A training: `options` are flat names and values; those of the tokenizer begin with `tokeniser.`. Curves of its
    steps are written into the folder `tensorboard`, and told to the MLflow store `mlflow`."""

    lake: Lake
    model: str
    pipeline: str | None = None
    data: str | None = None
    validation: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    processes: int = 1
    start: str | None = None
    tensorboard: Path | None = None
    mlflow: str | None = field(default=None, repr=False)

    @property
    def family(self) -> Family | TextFamily:
        """The family of the model."""
        return of_catalogue(self.model)

    @property
    def neural(self) -> Family:
        """The family, if the training engine teaches it. Raises ConfigError where it does not."""
        return neural(self.model)

    @property
    def checked(self) -> fitting.Options:
        """The checked options of a training by the engine."""
        return fitting.checked(self.neural, self.own_options)

    @property
    def max_minutes(self) -> float:
        """Where the clock ends the training; 0 where it does not."""
        return self.checked.training.max_minutes if isinstance(self.family, Family) else 0.0

    def begins_with(self) -> ModelVersion | None:
        """The registered model that `start` names, `NAME`, `NAME@alias` or `NAME:version`; its files are whole."""
        if self.start is None:
            return None
        name, _, which = self.start.replace("@", ":").partition(":")
        return Registry(self.lake.models).load(name, which or LATEST)

    @property
    def own_options(self) -> dict[str, Any]:
        """The options that are not the tokenizer's."""
        return {name: value for name, value in self.options.items() if not name.startswith(TOKENISER)}

    @property
    def tokeniser(self) -> dict[str, Any]:
        """The options of the tokenizer."""
        return {n.removeprefix(TOKENISER): value for n, value in self.options.items() if n.startswith(TOKENISER)}

    def rows(self) -> Published | File | LabelledSet:
        """Where the rows come from."""
        if self.data is None:
            return Published.of(self.lake, self.pipeline, self.family.needs)
        if (path := Path(self.data)).suffix:
            return File.of(path, self.family.needs, self.columns, self.validation)
        found = LabelledSet.of(self.lake, self.data, self.family.needs, self.columns)
        if self.validation is not None:
            raise ConfigError(f"{self.data} has a split to validate on; leave --validation out")
        return found

    def registered_as(self, rows: Rows) -> str:
        """The name of the model in the registry."""
        return self.name or f"{rows.name}-{self.model}"
