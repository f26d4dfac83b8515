"""The rows of a labelled set of the catalogue, read from the archives that `textmill sources get` put into the lake."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import polars as pl

from data import files
from data.catalogue import Source, catalogue
from data.errors import ConfigError, TextmillError
from data.forgotten import tombstones
from data.lake import Lake
from data.splits import row_id_of, split_of
from pipelines import labelled
from pipelines.download import RawFile, known
from pipelines.labelled import Example

_BATCH = 10_000
_NAMED = {"train": "train", "val": "validation", "dev": "validation", "testa": "validation"}
_NAMED |= {"test": "test", "testb": "test"}
_SPAN = pl.Struct({"start": pl.Int64(), "end": pl.Int64(), "type": pl.String()})


@dataclass(frozen=True)
class LabelledSet:
    """Rows of a labelled set: `text`, and what it is labelled with: `label`, `spans`, `summary` or `translation`.

    An encoder–decoder reads `text` as `source` and the other as `target`; `columns` names them otherwise. Rows keep
    the split of their publisher where its files are named for all three, or the hash of the text decides. Rows that
    were `forgotten`, `<set>:<row_id>`, are left out.
    """

    source: Source
    raw: tuple[RawFile, ...]
    needs: tuple[str, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    forgotten: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a model that reads something else."""
        if unknown := sorted(set(self.columns) - set(self.needs)):
            raise ConfigError(f"--columns names {unknown[0]}; this model reads {', '.join(self.needs)}")
        for name, column in self._wanted.items():
            if column not in {"text", self.value}:
                raise TextmillError(
                    f"{self.name} has text and {self.value}, and no {column}; this model reads "
                    f"{', '.join(self.needs)}. Say which one is the {name}: --columns {name}=…"
                )

    @classmethod
    def of(cls, lake: Lake, name: str, needs: tuple[str, ...], columns: Mapping[str, str]) -> LabelledSet:
        """The set of that name. Raises ConfigError where there is none, TextmillError where it was not fetched."""
        source = catalogue().get(name)
        if source is None or source.reader not in labelled.GIVES:
            sets = sorted(one.name for one in catalogue().values() if one.reader in labelled.GIVES)
            raise ConfigError(
                f"--data {name}: give a .parquet, .csv, .jsonl, .conll or .txt file, or a labelled set "
                f"({', '.join(sets)}); without it, the training reads the release of --pipeline"
            )
        raw = known(source, lake.raw / source.name)
        if raw is None:
            hand = " --path FILE" if source.by_hand else ""
            raise TextmillError(f"{name} is not in {lake.root}; `textmill sources get {name}{hand}` brings it there")
        return cls(source, tuple(raw), needs, columns, _forgotten(lake, name))

    @property
    def name(self) -> str:
        """Name of the set."""
        return self.source.name

    @property
    def value(self) -> str:
        """What its texts are labelled with."""
        return labelled.GIVES[str(self.source.reader)]

    @property
    def lineage(self) -> dict[str, Any]:
        """The set, names and hashes of its files, and which columns were read."""
        read = {"set": self.name, "files": {one.name: one.sha256 for one in self.raw}, "columns": dict(self.columns)}
        return {**read, **({"forgotten": list(self.forgotten)} if self.forgotten else {})}

    def frames(self, split: str) -> Iterator[pl.DataFrame]:
        """The rows of a split. An example that cannot be read is a row without text."""
        paths = files.all_local([one.path for one in self.raw])
        found = labelled.examples(str(self.source.reader), paths)
        out = set(self.forgotten)
        mine = (one for one in found if self._split(one) == split and f"{self.name}:{row_id_of(one.text)}" not in out)
        while batch := list(islice(mine, _BATCH)):
            yield self._frame(batch)

    @property
    def _wanted(self) -> dict[str, str]:
        """The column of the set for each that is needed."""
        other = {"source": "text", "target": self.value if self.value in {"summary", "translation"} else "target"}
        return {name: self.columns.get(name, other.get(name, name)) for name in self.needs}

    def _frame(self, batch: Sequence[Example]) -> pl.DataFrame:
        kind = pl.List(_SPAN) if self.value == "spans" else pl.String()
        texts = [one.text if not one.reject and one.text.strip() else None for one in batch]
        frame = pl.DataFrame(
            {"text": texts, self.value: [one.value for one in batch]}, schema={"text": pl.String(), self.value: kind}
        )
        return frame.select(pl.col(column).alias(name) for name, column in self._wanted.items())

    def _split(self, example: Example) -> str:
        name = re.split("[#/]", example.origin, maxsplit=1)[0]
        return self._published[name] if self._published else split_of(example.text)

    @cached_property
    def _published(self) -> dict[str, str]:
        """The split of each file, if their names tell all three."""
        told = {one.name: _named(one.name) for one in self.raw}
        return (
            {name: split for name, split in told.items() if split} if set(told.values()) == set(_NAMED.values()) else {}
        )


def _forgotten(lake: Lake, name: str) -> tuple[str, ...]:
    """Rows of a set that stay out of every pipeline, and so of a training that is of none."""
    ids = {one for stone in tombstones(lake) if stone.pipeline is None for one in stone.ids}
    return tuple(sorted(one for one in ids if one.startswith(f"{name}:")))


def _named(file: str) -> str | None:
    """The split that the name of a file tells."""
    return next((_NAMED[word] for word in re.findall("[a-z]+", file.lower()) if word in _NAMED), None)
