"""What the catalogue knows of a family that learns from texts by counting or by gensim, without the training engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from models.evaluation.score import Score


@dataclass(frozen=True, kw_only=True)
class TextFamily:
    """A way to represent words or texts.

    `config` is the class of its options. `fit(batches of texts, config, seed=, folder=, progress=)` gives a model with
    `save(folder)`, `load(folder)` gives it back. `scores` are those of a trained model on data that is part of the
    package, `show` what a report shows of it as plain data.
    """

    name: str
    about: str
    config: type
    version: int
    fit: Callable[..., Any]
    load: Callable[[Path], Any]
    scores: Callable[[Any], list[Score]] | None = None
    show: Callable[[Any], dict[str, Any]] | None = None
    needs: tuple[str, ...] = ("text",)

    def learn(self, batches: Iterable[pl.Series], options: dict[str, Any], **how: Any) -> Any:
        """A model learnt from batches of texts."""
        return self.fit(batches, self.config(**options), **how)
