"""Texts as a file of words: one sentence or paragraph a line, words separated by blanks (gensim's LineSentence).

Polars finds sentences and words by the rules of `data.segment`, so scripts without blanks are taken apart too and no
token becomes a Python object. In memory are `PIECE` bytes of text (or one longer document) with the words in it,
about twelve times as much, and the counts of the distinct words (`models.embeddings.counting`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from data import segment
from data.errors import TextmillError
from models.embeddings.counting import LIMIT, Counts

Ids = npt.NDArray[np.int64]

CONTEXTS = ("sentence", "paragraph")
"""What a line holds: windows do not reach beyond it."""
PIECE = 4 << 20


class TooFewWordsError(TextmillError, ValueError):
    """No word occurs often enough to get a vector."""


@dataclass(frozen=True)
class Lines:
    """A file of lines with its words: `counts` has the columns `word` and `count`, the most frequent first."""

    path: Path
    counts: pl.DataFrame
    lines: int

    @property
    def words(self) -> int:
        """Number of words in the file, as far as they were counted."""
        return int(self.counts["count"].sum())

    def vocabulary(self, min_count: int) -> pl.DataFrame:
        """The words that occur `min_count` times; raises TooFewWordsError where there is none."""
        frequent = self.counts.filter(pl.col("count") >= min_count)
        if frequent.is_empty():
            raise TooFewWordsError(
                f"no word occurs {min_count} times in {self.words} words; give more text or lower min_count"
            )
        return frequent

    def read(self, size: int = PIECE) -> Iterator[pl.Series]:
        """The lines, about `size` bytes of them at a time."""
        with self.path.open("rb") as file:
            while block := file.read(size):
                block += file.readline()
                yield split_lines(block.decode("utf-8"))

    def ids(self, words: pl.Series, size: int = PIECE) -> Iterator[tuple[Ids, Ids]]:
        """The words of all lines, block by block: the number of the line in its block and the place in `words`.

        int64 [words] each; the place is -1 for a word that is not among `words`.
        """
        known = pl.Enum(words)
        for block in self.read(size):
            frame = block.str.split(" ").to_frame("word").with_row_index("line").explode("word")
            places = frame["word"].cast(known, strict=False).to_physical().cast(pl.Int64).fill_null(-1)
            yield frame["line"].cast(pl.Int64).to_numpy(), places.to_numpy()


class Writer:
    """Writes lines of words and counts the words."""

    def __init__(self, path: Path, *, limit: int = LIMIT) -> None:
        self.path = path
        self.lines = 0
        self.counts = Counts({"word": pl.String}, limit=limit)
        self._file = path.open("wb")

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, words: pl.Series) -> None:
        """Write lists of words, one a line; empty lists leave no line."""
        words = words.filter(words.list.len() > 0).alias("word")
        words.to_frame().select(pl.col("word").list.join(" ")).write_csv(
            self._file, include_header=False, quote_style="never"
        )
        self.counts.add(words.explode().value_counts(name="count"))
        self.lines += len(words)

    def written(self) -> Lines:
        """The file; ends the writing."""
        self._file.close()
        return Lines(self.path, self.counts.total(), self.lines)


def write(batches: Iterable[pl.Series], path: Path, *, context: str = "sentence", limit: int = LIMIT) -> Lines:
    """Write the words of texts, normalised as `models.embeddings.vectors.normalise` does it.

    `context` is one of `CONTEXTS`, `limit` the number of distinct words that are counted exactly.
    """
    with Writer(path, limit=limit) as writer:
        for piece in pieces(batches):
            writer.add(words_of_lines(piece, context))
        return writer.written()


def split_lines(text: str) -> pl.Series:
    """The lines of a text that ends with a line end."""
    return pl.Series("line", [text.removesuffix("\n")]).str.split("\n").explode()


def pieces(batches: Iterable[pl.Series], size: int = PIECE) -> Iterator[pl.Series]:
    """Texts in pieces that hold fewer than `size` bytes beyond their first text; nulls are left out."""
    for batch in batches:
        texts = batch.drop_nulls().cast(pl.String).alias("text")
        for piece in (
            texts.to_frame()
            .with_columns(piece=pl.col("text").str.len_bytes().cast(pl.Int64).cum_sum() // size)
            .partition_by("piece", maintain_order=True)
        ):
            yield piece["text"]


def words_of_lines(texts: pl.Series, context: str) -> pl.Series:
    """Lists of the normalised words of each sentence or paragraph; lists may be empty."""
    lines = _SPLIT[context](pl.col("text")).explode()
    return texts.alias("text").to_frame().select(word=words(lines))["word"]


def words(text: pl.Expr) -> pl.Expr:
    """The normalised words of a text as a list, the same as `models.embeddings.vectors.tokens` gives."""
    return segment.extract_words(text.str.to_lowercase().str.replace_all(r"\d", "0")).fill_null([])


def _paragraphs(text: pl.Expr) -> pl.Expr:
    return text.str.split("\n")


_SPLIT: dict[str, Callable[[pl.Expr], pl.Expr]] = {"sentence": segment.extract_sentences, "paragraph": _paragraphs}
