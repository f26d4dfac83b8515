"""Overlap with evaluation sets: index size, speed, and planted pieces found again.

    python benchmarks/decontaminate.py SHARED_DATA        (or TEXTMILL_SHARED_DATA in the environment)

Every hundredth document of the English text gets a run of words of an evaluation text in its middle, of 13 words (8 in
the second table), and as many get a run that is one word shorter, which must not be found.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import polars as pl

from data.segment import words
from pipelines.decontaminate import DecontaminationConfig, overlaps, read_index, read_set

SETS = {
    "squad": "qa/squad_v11_dev.parquet",
    "imdb": "sentiment/imdb_train.parquet",
    "scifact": "retrieval/scifact_corpus.parquet",
}
TEXT = "text/enwiki_text.parquet"


def planted(texts: list[str], runs: list[list[str]], n: int) -> tuple[list[str], list[int], list[int]]:
    """The texts, the rows that got a run of n words, and those that got one word less."""
    made, long, short = list(texts), [], []
    for number, row in enumerate(range(0, len(texts), 50)):
        length, rows = (n, long) if number % 2 == 0 else (n - 1, short)
        run = runs[number % len(runs)][10 : 10 + length]
        half = len(texts[row]) // 2
        made[row] = f"{texts[row][:half]} zzq {' '.join(run)} zzq {texts[row][half:]}"
        rows.append(row)
    return made, long, short


def measure(shared: Path, texts: list[str], n: int) -> None:
    config = DecontaminationConfig(sets={name: str(shared / path) for name, path in SETS.items()}, n=n)
    start = time.process_time()
    index = read_index(config)
    seconds = time.process_time() - start
    clean = [text for text, found in zip(texts, overlaps(texts, index), strict=True) if found is None]
    runs = [found for text in read_set(shared / SETS["imdb"], ["text"])[:2000] if len(found := words(text)) > 40]
    made, long, short = planted(clean, runs, n)
    megabytes = sum(len(text.encode("utf-8")) for text in made) / 1e6
    start = time.process_time()
    found = overlaps(made, index)
    speed = megabytes / (time.process_time() - start)
    size = f"{len(index.keys):,} {n}-grams, {index.n_bytes / 1e6:.0f} MB, made in {seconds:.1f} CPU-seconds"
    print(f"index: {size}; {speed:.0f} MB of text per CPU-second")
    hits, alarms = sum(found[row] is not None for row in long), sum(found[row] is not None for row in short)
    print(f"planted {n} words: {hits} of {len(long)} found; {n - 1} words: {alarms} of {len(short)} found")
    print(f"already there without planting: {len(texts) - len(clean)} of {len(texts)} documents")


def main() -> None:
    shared = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["TEXTMILL_SHARED_DATA"])
    texts = [text for text in pl.read_parquet(shared / TEXT)["text"].to_list() if text]
    for n in (13, 8):
        measure(shared, texts, n)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
