"""Rows of text to stores of tokens, as the training engine reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

from data import files, token_store
from data.errors import ConfigError, TextmillError
from flows.training import rows as reading
from flows.training import tagged
from flows.training.published import Published
from flows.training.rows import Rows
from models import prepared
from models.family import Family
from pipelines import tokenise
from pipelines.labelled import tagging

MISSING = "missing_value"
"""The reason of a row without a text, a label, or another value that is needed."""


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
        if isinstance(rows, Published) and not wanted and rows.dataset == "corpus":
            path = rows.lake.tokenizers / rows.pipeline / rows.tokenizer / "tokenizer.json"
            return cls(rows, family, path.read_text("utf-8"), own=False)
        texts = (text for frame in shaped(rows, family, "train") for text in _texts(frame, family))
        try:
            learnt = tokenise.train_tokenizer(texts, config=tokenise.TokeniserConfig(**wanted))
        except tokenise.EmptyCorpusError as error:
            left_out = rejected(rows, family, "train")
            if left_out or not isinstance(rows, Published):
                raise no_row(left_out) from error
            raise
        return cls(rows, family, learnt, own=True)

    @property
    def lineage(self) -> dict[str, Any]:
        """The rows and the tokenizer; where they are the tokens of the release, that dataset."""
        name = tokenise.fingerprint(self.tokenizer)
        if self.tokens is not None:
            return {**self.tokens.lineage_of("tokens"), "tokenizer": name}
        return {**self.rows.lineage, "tokenizer": name}

    @property
    def tokens(self) -> Published | None:
        """The release whose dataset `tokens` holds the very tokens that are wanted."""
        if not isinstance(self.rows, Published) or self.own:
            return None
        return self.rows if (self.family.needs, self.family.rows) == (("text",), "documents") else None

    def write(self, folder: Path) -> None:
        """Write the tokens of the training and the validation split, unless the folder is whole already.

        Raises TextmillError where no row or no mention is left to learn from, and for a label that only the validation
        split has.
        """
        if files.read_json(folder / prepared.ABOUT) is not None:
            return
        labels: dict[str, int] = {}
        rejects: Counter[str] = Counter()
        for split in prepared.SPLITS:
            if not self._write_split(folder, split, labels, rejects) and split == "train":
                raise no_row(rejects)
        names = sorted(labels, key=labels.__getitem__)
        if self.tags and not names:
            raise TextmillError("no row of the training split has a mention: no span, or no tag other than O")
        prepared.describe(
            folder,
            self.tokenizer,
            columns=[*_columns(self.family), *(["tags"] if self.tags else [])],
            labels=tagging.names(names) if self.tags else names,
            rejects=rejects,
        )

    @property
    def tags(self) -> bool:
        """Whether every word has a tag."""
        return "spans" in self.family.needs

    def _write_split(self, folder: Path, split: str, labels: dict[str, int], rejects: Counter[str]) -> int:
        """Write a split, one column of it after the other; returns its rows. Rows are read once for each column."""
        loaded, found = tokenise.load(self.tokenizer), 0
        rejects.update(rejected(self.rows, self.family, split))
        if self.tags:
            return tagged.write(
                folder / split,
                lambda: shaped(self.rows, self.family, split),
                loaded,
                lambda kind: _number(kind, labels, split),
            )
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


def shaped(rows: Rows, family: Family, split: str, rejects: Counter[str] | None = None) -> Iterator[pl.DataFrame]:
    """The rows of a split without nulls, as sentences or as tagged words where the family learns from such.

    Rows that are left out are counted in `rejects` by reason.
    """
    frames = rows.frames(split)
    if "spans" in family.needs:
        return (tagging.tagged(frame, rejects) for frame in frames)
    found = reading.sentences(frames) if family.rows == "sentences" and isinstance(rows, Published) else frames
    return (_whole(frame, family.needs, rejects) for frame in found)


def rejected(rows: Rows, family: Family, split: str) -> Counter[str]:
    """How many rows of a split are left out, by reason; those of a corpus were counted by its pipeline."""
    found: Counter[str] = Counter()
    if not isinstance(rows, Published) or rows.dataset != "corpus":
        for _ in shaped(rows, family, split, found):
            pass
    return found


def _whole(frame: pl.DataFrame, needs: Sequence[str], rejects: Counter[str] | None) -> pl.DataFrame:
    kept = frame.drop_nulls(list(needs))
    if rejects is not None and (missing := frame.height - kept.height):
        rejects[MISSING] += missing
    return kept


def no_row(rejects: Mapping[str, int] = MappingProxyType({})) -> TextmillError:
    """What to say of a training split without a row, and how rows come to be in it."""
    told = ", ".join(f"{reason} {count:,}" for reason, count in sorted(rejects.items()))
    left_out = f" (rows left out: {told})" if told else ""
    return TextmillError(
        f"no row is left to learn from{left_out}; give more data: seven rows in ten are for training, as the hash of "
        "their text decides, where no column split does; with --validation FILE all rows of the other are"
    )


def _columns(family: Family) -> list[str]:
    return [name for name in family.needs if name not in {"label", "spans"}]


def _texts(frame: pl.DataFrame, family: Family) -> Iterator[str]:
    if "words" in frame.columns:
        yield from frame["words"].list.join("")
        return
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
