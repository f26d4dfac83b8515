"""Tokenizers: fertility and compression of every kind, and encoding beside the library's bare `encode_batch`.

    python benchmarks/tokenise.py SHARED_DATA        (or TEXTMILL_SHARED_DATA in the environment)

Each kind learns from at most a million characters and is measured on documents held out. Encoding goes from a corpus to
its Arrow list column, `encode_batch` only to the library's own objects; both alternate, medians, with all threads and
with one.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl

from pipelines import tokenise

TEXTS = {"English": ("text/enwiki_text.parquet", 2_000_000), "Chinese": ("text/zhwiki_text.parquet", 600_000)}
CONFIG = tokenise.TokeniserConfig(vocab_size=16_000, sample_chars=1_000_000)
RUNS = 3


def documents(shared: Path, language: str) -> pl.DataFrame:
    """Documents that come to the wanted number of characters."""
    name, limit = TEXTS[language]
    frame = pl.read_parquet(shared / name).select(doc_id=pl.col("id").cast(pl.String), text="text")
    return frame.filter(pl.col("text").str.len_chars() > 0).filter(pl.col("text").str.len_chars().cum_sum() <= limit)


def sides(frame: pl.DataFrame) -> tuple[list[str], list[str]]:
    sample = tokenise.Sample(CONFIG)
    sample.add(frame)
    return sample.learnt_from, sample.held_out


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def compare(frame: pl.DataFrame, text: str) -> str:
    tokenizer, texts = tokenise.load(text), frame["text"].to_list()
    megabytes = frame["text"].str.len_bytes().sum() / 1e6
    runs = [
        (*seconds(lambda: tokenise.encode(frame, tokenizer)), *seconds(lambda: tokenizer.encode_batch(texts)))
        for _ in range(RUNS)
    ]
    cpu, wall, bare_cpu, bare_wall = (statistics.median(column) for column in zip(*runs, strict=True))
    return (
        f"{megabytes / cpu:5.1f} MB per CPU-second, encode_batch {megabytes / bare_cpu:4.1f}; "
        f"ratio of CPU {bare_cpu / cpu:.2f}, of wall time {bare_wall / wall:.2f} (goal 0.9)"
    )


def measure(shared: Path) -> None:
    for language in TEXTS:
        frame = documents(shared, language)
        learnt, held_out = sides(frame)
        print(f"\n{language}: {frame.height:,} documents, learnt from {sum(map(len, learnt)):,} characters")
        print("kind        vocabulary fertility bytes/token  unknown come back  training")
        for kind in tokenise.KINDS:
            config = replace(CONFIG, kind=kind)
            start = time.process_time()
            text = tokenise.train_tokenizer(learnt[: len(learnt) // (10 if kind == "unigram" else 1)], config=config)
            spent = time.process_time() - start
            tokenizer = tokenise.load(text)
            stats = tokenise.measure(held_out, tokenizer)
            print(
                f"{kind:11} {tokenizer.get_vocab_size():10,} {stats.fertility:9.3f} {stats.bytes_per_token:11.2f} "
                f"{stats.unknown_share:8.2%} {stats.round_trip:9.0%} {spent:7.1f} s"
            )
            print(f"            {compare(frame, text)}", flush=True)


def main() -> None:
    shared = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["TEXTMILL_SHARED_DATA"])
    if "--one-thread" in sys.argv:
        measure(shared)
        return
    print("== all threads", flush=True)
    measure(shared)
    print("\n== one thread", flush=True)
    environment = {**os.environ, "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "POLARS_MAX_THREADS": "1"}
    subprocess.run([sys.executable, __file__, str(shared), "--one-thread"], env=environment, check=True)


if __name__ == "__main__":
    main()
