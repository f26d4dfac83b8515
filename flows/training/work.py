"""The two kinds of training: by the engine on stores of tokens, and by counting (or gensim) on texts."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from data.errors import ConfigError, TextmillError
from data.hashing import fingerprint
from data.progress import Progress
from flows.job import code_of
from flows.training import torchrun
from flows.training.order import Order
from flows.training.preparing import MISSING, Prepared, no_row
from flows.training.rows import Rows
from models import fitting, training
from models.family import Family
from models.options import divided
from models.prepared import open_data
from models.registry import ModelVersion
from models.text_family import TextFamily
from models.training import Watcher, tensorboard
from models.training.costs import Account
from models.vocabulary import FILE as TOKENIZER


@dataclass(frozen=True)
class Listeners:
    """Who hears of a training: every step of the engine, or how much of how much."""

    watch: Watcher
    progress: Progress


class Work(Protocol):
    """One training. `write` leaves the artefact, `history.json` and `scores.json` in a folder."""

    @property
    def options(self) -> Any:
        """Its options. Raises ConfigError for a wrong one."""

    @property
    def lineage(self) -> dict[str, Any]:
        """What it learns from, by versions and hashes."""

    @property
    def config(self) -> dict[str, Any]:
        """Its options, as plain data."""

    @property
    def key(self) -> str:
        """Equal keys mean the same training."""

    @property
    def code(self) -> str:
        """The code that trains, with the versions that are in the key."""

    def write(self, artefact: Path, folder: Path, listeners: Listeners) -> None:
        """Train, with `folder` for what a killed training leaves to the next."""


def work_of(order: Order, rows: Rows) -> Work:
    """The training that is ordered. Raises ConfigError for a wrong option."""
    family = order.family
    return Neural(order, family, rows) if isinstance(family, Family) else Counted(order, family, rows)


@dataclass(frozen=True)
class Neural:
    """A training by the engine."""

    order: Order
    family: Family
    rows: Rows

    @cached_property
    def options(self) -> fitting.Options:
        """The checked options."""
        return self.order.checked

    @cached_property
    def prepared(self) -> Prepared:
        """The rows with their tokenizer, which may have to be trained."""
        given = (self.start.path / TOKENIZER).read_text("utf-8") if self.start else None
        return Prepared.of(self.rows, self.family, self.order.tokeniser, given=given)

    @cached_property
    def start(self) -> ModelVersion | None:
        """The model it begins with."""
        return self.order.begins_with()

    @property
    def lineage(self) -> dict[str, Any]:
        """The rows and the tokenizer, and the model it begins with."""
        begun = {"start": f"{self.start.name}:{self.start.version}"} if self.start else {}
        return {**self.prepared.lineage, **begun}

    @property
    def config(self) -> dict[str, Any]:
        """Sizes, data and training, and the seed."""
        return {**self.options.as_json(), "seed": self.order.seed}

    @property
    def key(self) -> str:
        """Key of the training."""
        return fitting.key_of(self.family, self.options, self.lineage, self.order.seed)

    @property
    def code(self) -> str:
        """The versions of the family and of the engine."""
        return code_of(**{self.family.name: self.family.version, "training": training.VERSION})

    def write(self, artefact: Path, folder: Path, listeners: Listeners) -> None:
        """Write the tokens, train in this process or in several."""
        self.prepared.write(folder / "data")
        checkpoints = folder / "checkpoints"
        if self.order.processes > 1:
            wanted = {"family": self.order.model, "options": self.order.own_options, "seed": self.order.seed}
            places = {"data": folder / "data", "folder": artefact, "checkpoints": checkpoints}
            places |= {"start": self.start.path} if self.start else {}
            places |= {"tensorboard": self.order.tensorboard} if self.order.tensorboard else {}
            torchrun.fit(wanted, places, folder / "order.json", processes=self.order.processes, watch=listeners.watch)
            return
        data = open_data(folder / "data", self.family.marks)
        with tensorboard.written(self.order.tensorboard, listeners.watch) as watch:
            fitting.fit(
                self.family,
                self.options,
                data,
                artefact,
                seed=self.order.seed,
                checkpoints=checkpoints,
                watch=watch,
                start=self.start.path if self.start else None,
            )


@dataclass(frozen=True)
class Counted:
    """A training that reads texts once; a killed one begins again."""

    order: Order
    family: TextFamily
    rows: Rows

    @cached_property
    def options(self) -> dict[str, Any]:
        """The checked options."""
        if self.order.tokeniser:
            raise ConfigError(f"{self.family.name} reads words and takes no options of a tokenizer")
        if self.order.start:
            raise ConfigError(f"{self.family.name} counts from nothing; leave --start out")
        if self.order.processes > 1:
            raise ConfigError(f"{self.family.name} is trained in one process; leave --processes out")
        return divided(self.order.own_options, {"model": self.family.config})["model"]

    @property
    def lineage(self) -> dict[str, Any]:
        """The rows."""
        return self.rows.lineage

    @property
    def config(self) -> dict[str, Any]:
        """All options, defaults too, and the seed."""
        return {"model": dataclasses.asdict(self.family.config(**self.options)), "seed": self.order.seed}

    @property
    def key(self) -> str:
        """Key of the training."""
        return fingerprint([self.family.name, self.config, self.lineage, self.family.version])

    @property
    def code(self) -> str:
        """The version of the family."""
        return code_of(**{self.family.name: self.family.version})

    def write(self, artefact: Path, folder: Path, listeners: Listeners) -> None:
        """Learn from the texts of the training split."""
        counted = Counter[str]()
        (folder / "scratch").mkdir(exist_ok=True)
        account = Account()
        model = self._learnt(counted, folder / "scratch", account.heard(listeners.progress))
        model.save(artefact)
        timing = account.ended()
        scores = self.family.scores(model) if self.family.scores else []
        _write(
            artefact / fitting.HISTORY,
            {**EMPTY, "units": counted["texts"], "samples": counted["texts"], "timing": timing},
        )
        found = [{**dataclasses.asdict(score), "split": "test"} for score in scores]
        rejects = {MISSING: counted[MISSING]} if counted[MISSING] else {}
        _write(artefact / fitting.SCORES, {"scores": found, "rows": {"rejects": rejects} if rejects else {}})
        if self.family.show:
            _write(artefact / fitting.SHOWN, self.family.show(model))

    def _learnt(self, counted: Counter[str], scratch: Path, progress: Progress) -> Any:
        texts, how = self._texts(counted), {"seed": self.order.seed, "progress": progress}
        try:
            model = self.family.learn(texts, self.options, folder=scratch, **how)
        except TextmillError as error:  # what too little to learn from is to the family
            if counted["texts"]:
                raise
            raise no_row() from error
        if not counted["texts"]:
            raise no_row()
        return model

    def _texts(self, counted: Counter[str]) -> Iterator[pl.Series]:
        for frame in self.rows.frames("train"):
            texts = frame["text"].drop_nulls()
            counted.update({"texts": len(texts), MISSING: frame.height - len(texts)})
            yield texts


EMPTY: Mapping[str, Any] = {
    "train_loss": [],
    "train_parts": {},
    "validation_steps": [],
    "validation": {},
    "validation_loss": [],
    "best_step": 0,
    "kept_step": 0,
    "unit": "texts",
    "ended": "steps",
}
"""The record of a training that has no steps."""


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), "utf-8")
