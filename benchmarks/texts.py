"""Texts for the benchmarks: of the shared data, or of the sample dump inside gensim where there is none."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import polars as pl

ENGLISH = "text/enwiki_text.parquet"
SAMPLE = "wikipedia-sample"


def sample_dump() -> Path:
    """The embedded sample: 206 pages of the English Wikipedia."""
    from data.catalogue import find

    return find(SAMPLE).path()


def sample_texts() -> list[str]:
    """The articles of the embedded sample as plain text."""
    from pipelines.extract import extract
    from pipelines.sources import wikipedia

    documents, _ = extract(list(wikipedia.read(sample_dump(), source="enwiki")))
    return documents["text"].to_list()


def column(path: Path, name: str = "text") -> list[str]:
    """The texts of a Parquet file that are not empty."""
    return [text for text in pl.read_parquet(path, columns=[name])[name] if text]


def english(options: Namespace) -> list[str]:
    """English articles, the same ones in the same order every time."""
    return column(options.shared / ENGLISH) if options.shared else sample_texts()


def megabytes(texts: list[str]) -> float:
    """Size in UTF-8."""
    return sum(len(text.encode()) for text in texts) / 1e6
