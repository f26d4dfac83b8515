"""Speed of cleaning: documents to candidates with the recipe `wikipedia`, MB of UTF-8 per CPU-second.

    python -m benchmarks.cleaning --shared DIR [--quick]

English articles as they come (mostly stubs of a few sentences, where what a document costs whatever its length weighs
most), and the same texts joined by ten. Everything counts that a worker does between reading and writing Parquet:
normalising, personal data, language, rules, hashes for deduplication; one thread, models loaded before. Medians of runs
in turns.
"""

from __future__ import annotations

import os
from argparse import Namespace
from functools import partial

os.environ["POLARS_MAX_THREADS"] = "1"  # as a worker has; before Polars is imported

import polars as pl

from benchmarks import options
from benchmarks.texts import english, megabytes
from pipelines.clean import clean
from pipelines.extract import DOCUMENT_SCHEMA

GOAL = 8.0
DOCUMENTS, QUICK_DOCUMENTS, RUNS = 12_000, 3_000, 5


def documents(texts: list[str]) -> pl.DataFrame:
    """Texts as documents without sections."""
    rows = len(texts)
    columns = {"doc_id": [f"enwiki:{row}" for row in range(rows)], "source": ["enwiki"] * rows, "text": texts}
    empty = {"title": [""] * rows, "sections": [[]] * rows, "meta": ["{}"] * rows}
    nothing = dict.fromkeys(DOCUMENT_SCHEMA.names(), [None] * rows)
    return pl.DataFrame({**nothing, **columns, **empty}, schema=DOCUMENT_SCHEMA)


def inputs(chosen: Namespace) -> dict[str, list[str]]:
    """The stubs, and longer texts of the same words."""
    texts = english(chosen)[: QUICK_DOCUMENTS if chosen.quick else DOCUMENTS]
    return {
        "English stubs": texts,
        "ten together": ["\n\n".join(texts[row : row + 10]) for row in range(0, len(texts), 10)],
    }


def main() -> None:
    chosen = options.parser(__doc__).parse_args()
    texts = inputs(chosen)
    frames = {name: documents(each) for name, each in texts.items()}
    clean(frames["English stubs"].head(50))
    works = {name: partial(options.seconds, partial(clean, frame)) for name, frame in frames.items()}
    found = options.medians(works, 3 if chosen.quick else RUNS)
    speeds = {name: megabytes(texts[name]) / found[name] for name in texts}
    rows = [(name, f"{len(texts[name])}", f"{megabytes(texts[name]):.1f}", f"{speeds[name]:.2f}") for name in texts]
    options.table(("", "documents", "MB", "MB per CPU-second"), rows)
    options.goal("cleaning of English stubs, MB per CPU-second", speeds["English stubs"], at_least=GOAL)


if __name__ == "__main__":
    main()
