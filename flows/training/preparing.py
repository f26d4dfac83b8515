"""Rows of text to stores of tokens, as the training engine reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from data import files, token_store
from data.errors import ConfigError, TextmillError
from flows.training import rows as reading
from flows.training.rows import Published, Rows
from models import prepared
from models.family import Family
from pipelines import tokenise


@dataclass(frozen=True)
class Prepared:
    """What a training reads: its rows, the tokenizer as JSON text, and whether that is the pipeline's own."""

    rows: Rows
    family: Family
    tokenizer: str
    own: bool

    @classmethod
    def of(cls, rows: Rows, family: Family, options: Mapping[str, Any], *, given: str | None = None) -> Prepared:
        """With the tokenizer of the pipeline, or one trained on the rows where the family or the user wants another.

        A tokenizer that is `given`, that of a model to begin with, is taken as it is. Raises ConfigError for options
        that no tokenizer has, and for options of one that is given.
        """
        if given is not None and options:
            raise ConfigError("a model that begins with another keeps its tokenizer; leave the tokeniser options out")
        if given is not None:
            own = not isinstance(rows, Published) or rows.tokenizer != tokenise.fingerprint(given)
            return cls(rows, family, given, own=own)
        wanted = {**family.tokeniser, **options}
        if isinstance(rows, Published) and not wanted and "label" not in family.needs:
            path = rows.lake.tokenizers / rows.pipeline / rows.tokenizer / "tokenizer.json"
            return cls(rows, family, path.read_text("utf-8"), own=False)
        texts = (text for frame in shaped(rows, family, "train") for text in _texts(frame, family))
        return cls(rows, family, tokenise.train_tokenizer(texts, config=tokenise.TokeniserConfig(**wanted)), own=True)

    @property
    def lineage(self) -> dict[str, Any]:
        """The rows and the tokenizer; where they are the tokens of the release, that dataset."""
        name = tokenise.fingerprint(self.tokenizer)
        if self.tokens is not None:
            return {"tokens": self.tokens.version("tokens"), "tokenizer": name}
        return {**self.rows.lineage, "tokenizer": name}

    @property
    def tokens(self) -> Published | None:
        """The release whose dataset `tokens` holds the very tokens that are wanted."""
        if not isinstance(self.rows, Published) or self.own:
            return None
        return self.rows if (self.family.needs, self.family.rows) == (("text",), "documents") else None

    def write(self, folder: Path) -> None:
        """Write the tokens of the training and the validation split, unless the folder is whole already.

        Raises TextmillError where no row is left to learn from, and for a label that only the validation split has.
        """
        if files.read_json(folder / prepared.ABOUT) is not None:
            return
        labels: dict[str, int] = {}
        for split in prepared.SPLITS:
            if not self._write_split(folder, split, labels) and split == "train":
                raise TextmillError("no row is left to learn from; give more data (seven rows in ten are for training)")
        columns = _columns(self.family)
        prepared.describe(folder, self.tokenizer, columns=columns, labels=sorted(labels, key=labels.__getitem__))

    def _write_split(self, folder: Path, split: str, labels: dict[str, int]) -> int:
        """Write a split, one column of it after the other; returns its rows. Rows are read once for each column."""
        loaded, found = tokenise.load(self.tokenizer), 0
        for column in _columns(self.family):
            encoded = self.tokens.tokens(split) if self.tokens else self._encoded(column, split, loaded)
            found = len(token_store.write(folder / split / column, encoded, vocab_size=loaded.get_vocab_size()))
        if "label" in self.family.needs:
            given = (label for frame in shaped(self.rows, self.family, split) for label in frame["label"])
            numbers = np.array([_number(str(label), labels, split) for label in given], dtype=np.int64)
            prepared.write_numbers(folder, split, {"label": numbers})
        return found

    def _encoded(self, column: str, split: str, loaded: Any) -> Iterator[pl.Series]:
        return (tokenise.encode_texts(frame[column], loaded) for frame in shaped(self.rows, self.family, split))


def shaped(rows: Rows, family: Family, split: str) -> Iterator[pl.DataFrame]:
    """The rows of a split without nulls, as sentences where the family learns from such."""
    frames = rows.frames(split)
    found = reading.sentences(frames) if family.rows == "sentences" and isinstance(rows, Published) else frames
    return (frame.drop_nulls(list(family.needs)) for frame in found)


def _columns(family: Family) -> list[str]:
    return [name for name in family.needs if name != "label"]


def _texts(frame: pl.DataFrame, family: Family) -> Iterator[str]:
    for column in _columns(family):
        yield from frame[column]


def _number(label: str, labels: dict[str, int], split: str) -> int:
    if split == "train":
        return labels.setdefault(label, len(labels))
    if label not in labels:
        raise TextmillError(
            f"the label {label!r} stands in the {split} split but not in the training split "
            f"({', '.join(sorted(labels))}); give more rows of it, or leave it out"
        )
    return labels[label]
