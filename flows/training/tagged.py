"""Words and tags to stores of tokens: each word is encoded by itself, and its tag stands at its first piece.

text   ids of the pieces of all words of a row
tags   as many numbers: 0 where no word begins, else 1 + the number of the word's tag
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from data import token_store
from pipelines import tokenise
from pipelines.labelled import tagging

Pieces = list[list[int]]
_LISTS = pl.List(pl.UInt32)


def write(
    folder: Path,
    frames: Callable[[], Iterator[pl.DataFrame]],
    tokenizer: Any,
    types: Callable[[str], int],
) -> int:
    """Write both columns of a split, read twice from `frames`; returns its rows. `types` numbers the types."""
    size = tokenizer.get_vocab_size()
    ids = (
        pl.Series([list(chain.from_iterable(row)) for row in pieces(frame, tokenizer)], dtype=_LISTS)
        for frame in frames()
    )
    token_store.write(folder / "text", ids, vocab_size=size)
    tags = (pl.Series(list(_tags(frame, tokenizer, types)), dtype=_LISTS) for frame in frames())
    return len(token_store.write(folder / "tags", tags, vocab_size=size))


def pieces(frame: pl.DataFrame, tokenizer: Any) -> Iterator[Pieces]:
    """The ids of each word of each row; a word that the tokenizer drops is the end of a text, so that it counts."""
    encoded = iter(tokenise.encode_texts(frame["words"].explode(empty_as_null=False), tokenizer).to_list())
    for length in frame["words"].list.len():
        yield [next(encoded) or [tokenise.separator_of(tokenizer)] for _ in range(length)]


def _tags(frame: pl.DataFrame, tokenizer: Any, types: Callable[[str], int]) -> Iterator[list[int]]:
    blank = tokenizer.encode(" ", add_special_tokens=False).ids
    for tags, row in zip(frame["tags"].to_list(), pieces(frame, tokenizer), strict=True):
        known: Mapping[str, int] = {tag[2:]: types(tag[2:]) for tag in tags if tag != tagging.OUTSIDE}
        yield [
            number + 1 if place == _first(ids, blank) else 0
            for number, ids in zip(tagging.numbered(tags, known), row, strict=True)
            for place in range(len(ids))
        ]


def _first(ids: list[int], blank: list[int]) -> int:
    """The first piece of a word that is more than the blank before it."""
    return len(blank) if len(ids) > len(blank) > 0 and ids[: len(blank)] == blank else 0
