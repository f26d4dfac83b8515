"""The rows that a training reads, from a file here, a batch at a time and split by split; `published` reads a release,
`labelled_set` a set of the catalogue.

Every row has the columns that the family needs: `text`; `source` and `target`; `text` (or `first` and `second`) and
`label`; `text` and `spans`, or in their place `tokens` and `tags`. A row belongs to the split that its column `split`
names, or that the hash of its id or text decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from data.errors import ConfigError, TextmillError
from data.hashing import sha256_file
from data.splits import split_of

VALIDATION_OF_ONE = 0.1
_BATCH, _CONLL = 10_000, ".conll"
_INSTEAD: dict[tuple[str, ...], tuple[str, ...]] = {("text", "spans"): ("tokens", "tags")}
"""Columns of a file that say the same as others."""
_READERS: dict[str, Any] = {
    ".parquet": pl.scan_parquet,
    ".csv": pl.scan_csv,
    ".jsonl": pl.scan_ndjson,
    ".ndjson": pl.scan_ndjson,
}


class Rows(Protocol):
    """Where rows come from. `lineage` says what they were, with versions or hashes."""

    @property
    def name(self) -> str:
        """What a model of them is called by, if the user gives it no name."""

    @property
    def lineage(self) -> dict[str, Any]:
        """What the rows are, by versions or hashes: equal lineage means equal rows."""

    def frames(self, split: str) -> Iterator[pl.DataFrame]:
        """The rows of a split, a batch at a time."""


@dataclass(frozen=True)
class File:
    """Rows of a Parquet, CSV or JSONL file, the sentences of a CoNLL file, or the whole of a text file as one row.

    `columns` maps a name that is needed to the column of the file. `validation` is another file with the rows to
    validate on; without one, rows are split by their column `split` or by the hash of their text, and one row alone is
    cut.
    """

    path: Path
    needs: tuple[str, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    validation: Path | None = None

    def __post_init__(self) -> None:
        """Refuse, before anything is done, files that cannot be read and columns that are not there."""
        if unknown := sorted(set(self.columns) - {*self.needs, "split"}):
            raise ConfigError(f"--columns names {unknown[0]}; this model reads {', '.join(self.needs)} (and split)")
        for path in filter(None, (self.path, self.validation)):
            known = _columns(path)
            for name in self.needs:
                if (column := self.columns.get(name, name)) not in known:
                    other = f" (or give {' and '.join(_INSTEAD[self.needs])})" if self.needs in _INSTEAD else ""
                    raise TextmillError(
                        f"{path} has no column {column!r}; it has {', '.join(known)}. "
                        f"Say which one is the {name}: --columns {name}=…{other}"
                    )

    @classmethod
    def of(cls, path: Path, needs: tuple[str, ...], columns: Mapping[str, str], validation: Path | None) -> File:
        """With `tokens` and `tags` in the place of `text` and `spans`, where the file or the user has such."""
        instead = _INSTEAD.get(needs, ())
        named = any(name in columns for name in instead)
        there = path.is_file() and needs[-1] not in columns and set(instead) <= set(_columns(path))
        return cls(path, instead if instead and (named or there) else needs, columns, validation)

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.stem

    @property
    def lineage(self) -> dict[str, Any]:
        """Names and hashes of the files, and which columns were read."""
        files = {path.name: sha256_file(path) for path in filter(None, (self.path, self.validation))}
        return {"files": files, "columns": dict(self.columns)}

    def frames(self, split: str) -> Iterator[pl.DataFrame]:
        """The rows of a split; with a file to validate on, all of the other is for training."""
        if self.validation is not None:
            path = {"train": self.path, "validation": self.validation}.get(split)
            return iter(()) if path is None else self._read(path)
        if _is_text(self.path):
            return iter([_cut(self.path, split)])
        return self._split(split)

    def _split(self, split: str) -> Iterator[pl.DataFrame]:
        own = self.columns.get("split", "split")
        for frame in self._read(self.path, own if own in _columns(self.path) else None):
            yield (
                frame.filter(pl.col("split") == split)
                if "split" in frame.columns
                else of_split(frame, self.needs[0], split)
            )

    def _read(self, path: Path, split: str | None = None) -> Iterator[pl.DataFrame]:
        if _is_text(path):
            return iter([pl.DataFrame({"text": [path.read_text("utf-8")]})])
        if path.suffix == _CONLL:
            return _conll(path)
        names = {name: self.columns.get(name, name) for name in self.needs} | ({"split": split} if split else {})
        wanted = [pl.col(column).alias(name) for name, column in names.items()]
        return _scan(path).select(wanted).collect_batches(chunk_size=_BATCH, maintain_order=True)


def of_split(frame: pl.DataFrame, column: str, split: str) -> pl.DataFrame:
    """The rows of a split by the hash of a column; tokens are joined by blanks."""
    values = frame[column]
    values = values.list.join(" ", ignore_nulls=True) if values.dtype == pl.List(pl.String) else values
    mask = [split_of(str(value)) == split for value in values]
    return frame.filter(pl.Series(mask, dtype=pl.Boolean))


def sentences(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """A row for each sentence of the column `text`."""
    from data.segment import sentence_spans

    for frame in frames:
        found = [text[a:b] for text in frame["text"].drop_nulls() for a, b in sentence_spans(text)]
        yield pl.DataFrame({"text": found}, schema={"text": pl.String})


def _is_text(path: Path) -> bool:
    return path.suffix in {".txt", ".text"}


def _conll(path: Path) -> Iterator[pl.DataFrame]:
    """Tokens and tags of the sentences of a file with one token a line."""
    from pipelines.labelled import conll_sentences

    remaining = conll_sentences(path)
    while found := list(islice(remaining, _BATCH)):
        tokens, tags = ([[pair[side] for pair in sentence] for sentence in found] for side in (0, 1))
        yield pl.DataFrame({"tokens": tokens, "tags": tags})


def _cut(path: Path, split: str) -> pl.DataFrame:
    """A text alone has no other rows to validate on: its last tenth is for that."""
    text = path.read_text("utf-8")
    border = int(len(text) * (1 - VALIDATION_OF_ONE))
    pieces = {"train": text[:border], "validation": text[border:]}
    return pl.DataFrame({"text": [pieces[split]] if pieces.get(split) else []}, schema={"text": pl.String})


def _scan(path: Path) -> pl.LazyFrame:
    scan: Callable[[Path], pl.LazyFrame] = _READERS[path.suffix]
    return scan(path)


def _columns(path: Path) -> Sequence[str]:
    """Columns of a file. Raises TextmillError for one that is not there, is of another kind or cannot be read."""
    if not path.is_file():
        raise TextmillError(f"there is no file {path}")
    if _is_text(path):
        return ["text"]
    if path.suffix == _CONLL:
        return ["tokens", "tags"]
    if path.suffix not in _READERS:
        raise TextmillError(f"{path} cannot be read; give a .parquet, .csv, .jsonl, .conll or .txt file")
    try:
        return _scan(path).collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise TextmillError(f"{path} is no {path.suffix[1:]} file: {str(error).splitlines()[0]}") from error
