"""Deduplication measured: planted duplicates, speed beside peers, memory of the global step.

`python -m benchmarks.dedup --data SHARED [--peer PYTHON]` reads text/enwiki_text.parquet of the shared data folder
(also $TEXTMILL_SHARED_DATA). PYTHON is an interpreter with datatrove[processing], spacy, datasketch and rensa.
CPU seconds; medians of alternating runs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.dedup import DedupConfig, Part, find_duplicates
from pipelines.minhash import fingerprints, signatures

RUNS = 3
BINS = (0.0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
RATES = (0.0, 0.002, 0.004, 0.007, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.06, 0.1)
Shingles = frozenset[tuple[str, ...]]


def articles(folder: Path) -> list[str]:
    """Texts of English articles, the same ones in the same order every time."""
    frame = pl.read_parquet(folder / "text" / "enwiki_text.parquet", columns=["text"])
    return [text for text in frame["text"] if text]


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def shingles(text: str) -> Shingles:
    """Word 5-grams as tuples, by another way than the one that is measured."""
    tokens = words(text)
    return frozenset(tuple(tokens[i : i + 5]) for i in range(max(1, len(tokens) - 4)))


def jaccard(left: Shingles, right: Shingles) -> float:
    return len(left & right) / len(left | right)


def edited(text: str, rate: float, rng: random.Random) -> str:
    """Words of the text deleted, inserted or replaced, each with a third of this probability."""
    made: list[str] = []
    for token in re.split(r"(\s+)", text):
        if token.strip() and rng.random() < rate:
            made += rng.choice(([], [token, f" inserted{rng.randrange(9999)}"], [f"replaced{rng.randrange(9999)}"]))
        else:
            made.append(token)
    return "".join(made)


def respelled(text: str, rng: random.Random) -> str:
    """Another case, other white space, other punctuation; the words stay."""
    made = rng.choice((str.upper, str.lower, str.title))(re.sub(r" ", lambda _: rng.choice((" ", "  ", "\n")), text))
    return re.sub(r"[.,;]", lambda match: rng.choice((match[0], "", " –")), made) + rng.choice(("", "!", " …"))


def planted(texts: list[str], count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The texts with copies of some of them, shuffled, and the pairs (doc_id, copy, kind, true similarity)."""
    rng = random.Random(7)
    long = [i for i, text in enumerate(texts) if 60 <= len(text.split()) <= 3000]
    rows = [(f"a:{i}", text) for i, text in enumerate(texts)]
    pairs = []
    for number, i in enumerate(rng.sample(long, count)):
        kind = ("exact", "respelled", "edited", "edited", "edited", "edited", "edited")[number % 7]
        text = texts[i]
        if kind == "respelled":
            text = respelled(text, rng)
        elif kind == "edited":
            text = edited(text, RATES[number % len(RATES)], rng)
        rows.append((f"b:{number}", text))
        pairs.append((f"a:{i}", f"b:{number}", kind, jaccard(shingles(texts[i]), shingles(text))))
    rng.shuffle(rows)
    schema = ["doc_id", "copy", "kind", "truth"]
    return pl.DataFrame(rows, schema=["doc_id", "text"], orient="row"), pl.DataFrame(pairs, schema=schema, orient="row")


def with_fingerprints(frame: pl.DataFrame) -> pl.DataFrame:
    source = pl.col("doc_id").str.split(":").list.first()
    return frame.with_columns(fingerprints(frame["text"].to_list())).with_columns(source=source)


def parts(frame: pl.DataFrame, size: int = 2000) -> list[Part]:
    return [frame[i : i + size].select for i in range(0, frame.height, size)]


def show_quality(texts: list[str], count: int) -> None:
    frame, pairs = planted(texts, count)
    frame = with_fingerprints(frame)
    for chains in (True, False):
        config = DedupConfig(chains=chains)
        found = find_duplicates(parts(frame), sources=["a", "b"], config=config)
        show_recall(found, pairs, config)
        show_precision(found, frame)


def show_recall(found: pl.DataFrame, pairs: pl.DataFrame, config: DedupConfig) -> None:
    kept = dict(found.select("doc_id", "kept_doc_id").iter_rows())
    together = [kept.get(a, a) == kept.get(b, b) for a, b in pairs.select("doc_id", "copy").iter_rows()]
    table = pairs.with_columns(found=pl.Series(together))
    print(f"\nPlanted duplicates, bands and rows {config.banding(112)}, chains={config.chains}:")
    print("  true Jaccard   pairs   found")
    for low, high in zip(BINS, (*BINS[1:], 1.01), strict=True):
        some = table.filter((pl.col("truth") >= low) & (pl.col("truth") < high))
        if some.height:
            print(f"  {low:4.2f} to {min(high, 1):4.2f}  {some.height:6}  {some['found'].mean():6.3f}")
    for kind in ("exact", "respelled", "edited"):
        some = table.filter(pl.col("kind") == kind, pl.col("truth") >= 0.8)
        print(f"  recall at 0.8 and more, {kind}: {some['found'].mean():.4f} of {some.height}")
    print(f"  recall at 0.8 and more: {table.filter(pl.col('truth') >= 0.8)['found'].mean():.4f}  (goal 0.98)")


def show_precision(found: pl.DataFrame, frame: pl.DataFrame) -> None:
    """Of the documents that went: true similarity to the one kept, and to the nearest one of the cluster."""
    texts = dict(frame.select("doc_id", "text").iter_rows())
    made = {doc_id: shingles(texts[doc_id]) for doc_id in {*found["doc_id"], *found["kept_doc_id"]}}
    members: dict[str, list[str]] = {}
    for doc_id, kept in found.select("doc_id", "kept_doc_id").iter_rows():
        members.setdefault(kept, [kept]).append(doc_id)
    kept_right = linked_right = 0
    for kept, cluster in members.items():
        for doc_id in cluster[1:]:
            kept_right += jaccard(made[doc_id], made[kept]) >= 0.8
            linked_right += any(jaccard(made[doc_id], made[x]) >= 0.8 for x in cluster if x != doc_id)
    print(f"  {found.height} documents go, natural duplicates among them")
    print(
        f"  precision, true similarity to a document of the cluster 0.8: {linked_right / found.height:.4f} (goal 0.98)"
    )
    print(f"  ... to the document kept: {kept_right / found.height:.4f}")


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def whole(texts: list[str]) -> None:
    """Exact and near duplicates with datatrove's settings, from texts to clusters."""
    frame = pl.DataFrame({"doc_id": [f"s:{i}" for i in range(len(texts))], "text": texts})
    find_duplicates(parts(with_fingerprints(frame)), config=DedupConfig(bands=14, rows=8))


def peer_seconds(python: str, what: str, texts: list[str]) -> float:
    asked = json.dumps({"what": what, "texts": texts})
    script = str(Path(__file__).parent / "dedup_peers.py")
    done = subprocess.run([python, script], input=asked, stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(done.stdout)["seconds"])


def show_speed(texts: list[str], python: str | None) -> None:
    """Each way's median, in MB of UTF-8 per CPU-second."""
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    whole(texts[:100])
    ours: dict[str, Callable[[], object]] = {
        "textmill, signatures": lambda: signatures(texts),
        "textmill, all that the candidates hold": lambda: fingerprints(texts),
        "textmill, exact + MinHash to clusters": lambda: whole(texts),
    }
    peers = ("datasketch", "rensa", "datatrove", "datatrove, words by str.split") if python else ()
    taken: dict[str, list[float]] = {}
    for _ in range(RUNS):
        for name, work in ours.items():
            taken.setdefault(name, []).append(seconds(work))
        for name in peers:
            taken.setdefault(name, []).append(peer_seconds(str(python), name, texts))
    print(
        f"\nSpeed on {len(texts)} articles, {megabytes:.1f} MB, 112 permutations of word 5-grams, 14 bands of 8 rows:"
    )
    speed = {name: megabytes / statistics.median(times) for name, times in taken.items()}
    for name, value in speed.items():
        print(f"  {name:40} {value:7.2f} MB per CPU-second")
    for name in peers:
        mine = "exact + MinHash to clusters" if name.startswith("datatrove") else "signatures"
        print(f"  {mine}: {speed['textmill, ' + mine] / speed[name]:.1f}x {name}")
    print("  goal: 8x datatrove")


def synthetic(folder: Path, documents: int) -> Iterator[Part]:
    """Parts of random signatures, as files: one in ten like an earlier one, half of those close to the threshold."""
    rng = np.random.default_rng(3)
    size = 2000
    for start in range(0, documents, size):
        made = rng.integers(0, 1 << 32, (size, 112), dtype=np.uint64).astype(np.uint32)
        made[1::10] = made[0::10]
        made[1::20, :4] += np.uint32(1)
        made[11::20, rng.choice(112, 20, replace=False)] += np.uint32(1)
        ids = [f"s:{i}" for i in range(start, start + size)]
        text = pl.Series([f"text {i - i % 10 if i % 10 == 1 else i} of five words" for i in range(start, start + size)])
        frame = pl.DataFrame({"doc_id": ids, "source": "s", "text": text}).with_columns(
            normalised_hash=pl.int_range(start, start + size, dtype=pl.UInt64),
            minhash=pl.Series(made, dtype=pl.Array(pl.UInt32, 112)).cast(pl.List(pl.UInt32)),
        )
        path = folder / f"{start}.parquet"
        frame.write_parquet(path)
        yield partial(_read, path)


def _read(path: Path, columns: list[str]) -> pl.DataFrame:
    return pl.read_parquet(path, columns=columns)


def show_memory(documents: int) -> None:
    """To be run in a process of its own: the peak of a process never falls."""
    with tempfile.TemporaryDirectory() as name:
        made = list(synthetic(Path(name), documents))
        find_duplicates(made[:1])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        start = time.process_time()
        found = find_duplicates(made)
        taken = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"  {documents:8} documents, signatures {documents * 448 / 1e6:5.0f} MB: {found.height} duplicates, "
        f"{taken:6.1f} CPU-s, peak {peak:.0f} MB of which {before:.0f} before the step"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("TEXTMILL_SHARED_DATA"), type=Path)
    parser.add_argument("--peer", help="interpreter with the peers")
    parser.add_argument("--articles", type=int, default=4000, help="articles for the speed")
    parser.add_argument("--planted", type=int, default=6000)
    parser.add_argument("--synthetic", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        show_memory(options.memory)
        return
    print("Memory of the global step:", flush=True)
    for documents in options.synthetic:
        subprocess.run([sys.executable, "-m", "benchmarks.dedup", "--memory", str(documents)], check=True)
    if options.data is None:
        parser.error("--data or TEXTMILL_SHARED_DATA must name the folder of shared data")
    texts = articles(options.data)
    show_quality(texts, options.planted)
    show_speed(texts[:: max(1, len(texts) // options.articles)], options.peer)


if __name__ == "__main__":
    main()
