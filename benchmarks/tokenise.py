"""Tokenizers: fertility and compression of every kind, and encoding beside the library's bare `encode_batch`.

Each kind learns from at most a million characters and is measured on documents held out. Encoding goes from a corpus to
its Arrow list column, `encode_batch` only to the library's own objects; both alternate, medians, with all threads and
with one. Texts: articles of the shared data, else of the embedded sample.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from benchmarks import options as common
from benchmarks.texts import ENGLISH, column, megabytes, sample_texts
from pipelines import tokenise

TEXTS = {"English": (ENGLISH, 2_000_000), "Chinese": ("text/zhwiki_text.parquet", 600_000)}
CONFIG = tokenise.TokeniserConfig(vocab_size=16_000, sample_chars=1_000_000)
GOAL = 0.9
UNIGRAM_SHARE = 10
ONE_THREAD = {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "POLARS_MAX_THREADS": "1"}


@dataclass(frozen=True)
class Speed:
    """MB per CPU-second of `encode` and of `encode_batch`, and the ratios of CPU and of wall time."""

    own: float
    bare: float
    cpu: float
    wall: float


def documents(options: argparse.Namespace, language: str) -> pl.DataFrame:
    """Documents that come to the wanted number of characters."""
    name, limit = TEXTS[language]
    texts = pl.Series("text", column(options.shared / name) if options.shared else sample_texts())
    frame = pl.DataFrame({"text": texts}).with_row_index("doc_id").cast({"doc_id": pl.String})
    return frame.filter(pl.col("text").str.len_chars().cum_sum() <= limit // (2 if options.quick else 1))


def cpu_and_wall(work: Callable[[], object]) -> tuple[float, float]:
    start = time.perf_counter()
    spent = common.seconds(work)
    return spent, time.perf_counter() - start


def compare(frame: pl.DataFrame, text: str, runs: int) -> Speed:
    tokenizer, texts = tokenise.load(text), frame["text"].to_list()
    size = megabytes(texts)
    works: dict[str, Callable[[], tuple[float, float]]] = {
        "own": lambda: cpu_and_wall(lambda: tokenise.encode(frame, tokenizer)),
        "bare": lambda: cpu_and_wall(lambda: tokenizer.encode_batch(texts)),
    }
    common.in_turns(works, 1)  # threads and patterns are made the first time
    found = common.in_turns(works, runs)
    (cpu, wall), (bare_cpu, bare_wall) = (map(statistics.median, zip(*found[name], strict=True)) for name in works)
    return Speed(size / cpu, size / bare_cpu, bare_cpu / cpu, bare_wall / wall)


def row_of(kind: str, frame: pl.DataFrame, sample: tokenise.Sample, runs: int) -> tuple[list[str], Speed]:
    """Train a kind, measure it on what was held out, and encode the documents."""
    learnt = sample.learnt_from
    learnt = learnt[: len(learnt) // (UNIGRAM_SHARE if kind == "unigram" else 1)]
    config = replace(CONFIG, kind=kind)
    training, text = common.timed(lambda: tokenise.train_tokenizer(learnt, config=config))
    tokenizer = tokenise.load(text)
    stats = tokenise.measure(sample.held_out, tokenizer)
    shares = (f"{stats.unknown_share:.2%}", f"{stats.round_trip:.0%}", f"{training:.1f}")
    figures = (f"{tokenizer.get_vocab_size():,}", f"{stats.fertility:.3f}", f"{stats.bytes_per_token:.2f}", *shares)
    speed = compare(frame, text, runs)
    speeds = (f"{speed.own:.1f}", f"{speed.bare:.1f}", f"{speed.cpu:.2f}", f"{speed.wall:.2f}")
    return [kind, *figures, *speeds], speed


def measure(options: argparse.Namespace, threads: str) -> None:
    head = ("vocabulary", "fertility", "bytes/token", "unknown", "come back", "training s")
    for language in TEXTS if options.shared else ("English",):
        frame = documents(options, language)
        sample = tokenise.Sample(CONFIG)
        sample.add(frame)
        found = [row_of(kind, frame, sample, 1 if options.quick else 3) for kind in tokenise.KINDS]
        print(f"\n{language}, {frame.height:,} documents, {threads}; MB per CPU-second, ratios of CPU and of wall time")
        common.table(("kind", *head, "MB/s", "bare", "CPU ratio", "wall ratio"), [row for row, _ in found])
        ratio, kind = min((speed.cpu, kind) for (kind, *_), speed in found)
        name = f"{language}, {threads}, speed beside encode_batch, slowest kind ({kind})"
        common.goal(name, ratio, at_least=GOAL, form="{:.2f} x")


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--one-thread", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_thread:
        measure(options, "one thread")
        return
    measure(options, "all threads")
    if not options.quick:
        command = [sys.executable, "-u", "-m", "benchmarks.tokenise", *sys.argv[1:], "--one-thread"]
        subprocess.run(command, env={**os.environ, **ONE_THREAD}, check=True)


if __name__ == "__main__":
    main()
