"""Deduplication: planted duplicates found, speed beside datatrove, datasketch and rensa, memory of the global step.

Texts: English articles of the shared data, else of the embedded sample. CPU seconds; medians of runs in turns.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import options as common
from benchmarks import planted
from benchmarks.texts import english, megabytes
from pipelines.dedup import DedupConfig, Part, find_duplicates
from pipelines.minhash import fingerprints, signatures

RUNS = 3
PEERS = {"datasketch": "signatures", "rensa": "signatures", "datatrove": "exact + MinHash to clusters"}
"""With what of ours a peer is compared."""
SPEED_GOAL = 8.0
PART = 2000


def whole(texts: list[str]) -> None:
    """Exact and near duplicates with datatrove's settings, from texts to clusters."""
    frame = pl.DataFrame({"doc_id": [f"s:{i}" for i in range(len(texts))], "text": texts})
    find_duplicates(planted.parts(planted.with_fingerprints(frame)), config=DedupConfig(bands=14, rows=8))


def peer_seconds(python: Path, what: str, texts: list[str]) -> float:
    return float(common.ask(python, "benchmarks.peers.dedup", {"what": what, "texts": texts}))


def show_speed(texts: list[str], options: argparse.Namespace) -> None:
    """Each way's median, in MB of UTF-8 per CPU-second."""
    whole(texts[:100])
    works: dict[str, Callable[[], float]] = {
        "signatures": partial(common.seconds, lambda: signatures(texts)),
        "all that the candidates hold": partial(common.seconds, lambda: fingerprints(texts)),
        "exact + MinHash to clusters": partial(common.seconds, lambda: whole(texts)),
    }
    peers = [*PEERS, "datatrove, words by str.split"] if common.has_peers(options, "speed beside the peers") else []
    works |= {name: partial(peer_seconds, options.peers, name, texts) for name in peers}
    size = megabytes(texts)
    speed = {name: size / spent for name, spent in common.medians(works, 1 if options.quick else RUNS).items()}
    print(f"\n{len(texts)} articles, {size:.1f} MB, 112 permutations of word 5-grams, 14 bands of 8 rows")
    rows = []
    for name, value in speed.items():
        ours = PEERS.get(name.split(",")[0], name)
        rows.append((name, f"{value:.2f}", f"{speed[ours] / value:.1f} x" if name in peers else ""))
    common.table(("", "MB per CPU-second", "textmill"), rows)
    for name in peers[2:]:
        ratio = speed[PEERS["datatrove"]] / speed[name]
        common.goal(f"deduplication, speed beside {name}", ratio, at_least=SPEED_GOAL, form="{:.1f} x")


def synthetic(folder: Path, documents: int) -> Iterator[Part]:
    """Parts of random signatures, as files: one in ten like an earlier one, half of those close to the threshold."""
    rng = np.random.default_rng(3)
    for start in range(0, documents, PART):
        made = rng.integers(0, 1 << 32, (PART, 112), dtype=np.uint64).astype(np.uint32)
        made[1::10] = made[0::10]
        made[1::20, :4] += np.uint32(1)
        made[11::20, rng.choice(112, 20, replace=False)] += np.uint32(1)
        numbers = range(start, start + PART)
        frame = pl.DataFrame(
            {
                "doc_id": [f"s:{i}" for i in numbers],
                "source": "s",
                "text": [f"text {i - i % 10 if i % 10 == 1 else i} of five words" for i in numbers],
                "normalised_hash": pl.Series(numbers, dtype=pl.UInt64),
                "minhash": pl.Series(made, dtype=pl.Array(pl.UInt32, 112)).cast(pl.List(pl.UInt32)),
            }
        )
        path = folder / f"{start}.parquet"
        frame.write_parquet(path)
        yield partial(read, path)


def read(path: Path, columns: list[str]) -> pl.DataFrame:
    return pl.read_parquet(path, columns=columns)


def show_memory(documents: int) -> None:
    """To be run in a process of its own, since the peak of a process never falls."""
    with tempfile.TemporaryDirectory() as name:
        made = list(synthetic(Path(name), documents))
        find_duplicates(made[:1])
        before = common.peak_megabytes()
        taken, found = common.timed(lambda: find_duplicates(made))
    print(
        f"{documents} documents, signatures {documents * 448 / 1e6:.0f} MB: {found.height} duplicates, "
        f"{taken:.1f} CPU-s, peak {common.peak_megabytes():.0f} MB of which {before:.0f} before the step",
        flush=True,
    )


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        show_memory(options.memory)
        return
    print("memory of the global step", flush=True)
    for documents in (20_000,) if options.quick else (50_000, 200_000):
        subprocess.run([sys.executable, "-m", "benchmarks.dedup", "--memory", str(documents)], check=True)
    texts = english(options)
    planted.show(texts[:8000] if options.quick else texts, 1500 if options.quick else 6000)
    show_speed(texts[:: max(1, len(texts) // (400 if options.quick else 4000))], options)


if __name__ == "__main__":
    main()
