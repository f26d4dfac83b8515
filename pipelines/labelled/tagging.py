"""Labelled rows to words with one BIO tag each: spans in a text, or tokens with their tags.

Ramshaw and Marcus 1995 (arXiv cmp-lg/9505040): B opens a mention, I continues it, O is outside. Tags of IOB1 (I opens,
too) and IOBES are read as well. A word of a text is a run of letters or of digits, or one other sign; a span that cuts
a word is widened to it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from data.errors import TextmillError

OUTSIDE = "O"
SCHEMA = {"words": pl.List(pl.String), "tags": pl.List(pl.String)}
_WORD = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_MARKS = {"B": "B", "I": "I", "E": "I", "S": "B"}

_WANTED = {
    "text": (pl.String, "text"),
    "spans": (None, "lists of spans, each with start, end and type"),
    "tokens": (pl.List(pl.String), "lists of tokens"),
    "tags": (pl.List(pl.String), "lists of tags such as B-PER, I-PER and O"),
}

Tagged = tuple[list[str], list[str]]


def tagged(frame: pl.DataFrame, rejects: Counter[str] | None = None) -> pl.DataFrame:
    """Words and tags of rows of `text` and `spans` (start, end, type; code points), or of `tokens` and `tags`.

    A word has the blank before it, so that the words of a row, joined, are its text with single blanks. Rows that
    cannot be read are left out and counted in `rejects` by reason: `missing_value`, `no_word`, `lengths_differ`,
    `invalid_tag`, `span_outside_text`, `spans_overlap`. Raises TextmillError where a column holds something else
    altogether.
    """
    _check(frame)
    convert = _of_tokens if "tokens" in frame.columns else _of_spans
    found: list[Tagged] = []
    for first, second in frame.select(*_read(frame)).iter_rows():
        row = "missing_value" if first is None or second is None else convert(first, second)
        if not isinstance(row, str):
            found.append(row)
        elif rejects is not None:
            rejects[row] += 1
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


def numbered(tags: Sequence[str], types: Mapping[str, int]) -> list[int]:
    """Numbers of the tags of a row: 0 outside, then B and I of each type (see `names`)."""
    return [0 if tag == OUTSIDE else 1 + 2 * types[tag[2:]] + (tag[0] == "I") for tag in tags]


def names(types: Sequence[str]) -> list[str]:
    """The names of the tags of some types, by number."""
    return [OUTSIDE, *(f"{mark}-{kind}" for kind in types for mark in "BI")]


def _read(frame: pl.DataFrame) -> tuple[str, str]:
    return ("tokens", "tags") if "tokens" in frame.columns else ("text", "spans")


def _check(frame: pl.DataFrame) -> None:
    for name in _read(frame):
        found, wanted = frame.schema[name], _WANTED[name]
        inner = getattr(found, "inner", None)
        empty = name == "spans" and inner == pl.Null
        has = {field.name for field in getattr(inner, "fields", ())} >= {"start", "end", "type"}
        if not (has or empty if name == "spans" else found == wanted[0]):
            raise TextmillError(f"the column {name} holds {found}; it must hold {wanted[1]}")


def _of_tokens(tokens: Sequence[str | None], tags: Sequence[str | None]) -> Tagged | str:
    """The row, or why it is none; between tokens there is a blank."""
    if len(tokens) != len(tags):
        return "lengths_differ"
    words = [" ".join((token or "").split()) for token in tokens]
    if not words or not all(words):
        return "no_word"
    found: list[str] = []
    for tag in tags:
        mark, _, kind = (tag or "").partition("-")
        if tag != OUTSIDE and (mark not in _MARKS or not kind):
            return "invalid_tag"
        goes_on = bool(found) and found[-1][2:] == kind and _MARKS.get(mark) == "I"
        found.append(OUTSIDE if tag == OUTSIDE else f"{'I' if goes_on else 'B'}-{kind}")
    return [words[0], *(f" {word}" for word in words[1:])], found


def _of_spans(text: str, spans: Sequence[Mapping[str, Any]]) -> Tagged | str:
    """The row, or why it is none."""
    places = [match.span() for match in _WORD.finditer(text)]
    if not places:
        return "no_word"
    tags = [OUTSIDE] * len(places)
    for span in sorted(spans, key=lambda span: int(span["start"])):
        start, end, kind = int(span["start"]), int(span["end"]), str(span["type"])
        inside = [i for i, (first, last) in enumerate(places) if first < end and start < last]
        if not 0 <= start < end <= len(text) or not inside:
            return "span_outside_text"
        if any(tags[i] != OUTSIDE for i in inside):
            return "spans_overlap"
        for i in inside:
            tags[i] = f"{'B' if i == inside[0] else 'I'}-{kind}"
    befores = [0, *(end for _, end in places)]
    blanks = [" " if start > before else "" for (start, _), before in zip(places, befores, strict=False)]
    blanks[0] = ""
    return [blank + text[first:last] for blank, (first, last) in zip(blanks, places, strict=True)], tags
