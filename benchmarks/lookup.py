"""Lookup of a document by its id: share of a large corpus that each reader reads, and CPU time.

    python -m benchmarks.lookup [--quick] [--megabytes N]

The corpus is generated, in the layout that a run writes: parts of 2,000 documents of random words, its ids numbers
of one wiki with gaps, or (second table) hashes, where ranges say nothing. Bytes are those that the process was
given by `read` (rchar of /proc/self/io), footers and manifest included; Polars reads as it does from an object
store, since memory maps count nowhere. Every lookup opens everything anew. Linux only; needs no shared data.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import options as common

PIPELINE, WIKI = "generated", "enwiki"
PART, WORDS = 2000, 500
FULL_MB, QUICK_MB = 500, 120
LOOKUPS, QUICK_LOOKUPS = 20, 5
IO = Path("/proc/self/io")
VALIDATION = {"validation": "x" * 2500}  # what the manifest of a run says of each part
Lookup = Callable[[str], int]


class Texts:
    """Documents of random words, frequent ones often, as in natural text; the same for the same seed."""

    def __init__(self) -> None:
        import numpy as np

        self.random = np.random.default_rng(0)
        letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
        self.words = ["".join(self.random.choice(letters, size=n)) for n in self.random.integers(2, 11, 30_000)]
        weights = 1 / np.arange(1, 30_001)
        self.shares = np.cumsum(weights) / weights.sum()

    def part(self) -> list[str]:
        drawn = self.shares.searchsorted(self.random.random(PART * WORDS))
        words = [self.words[i] for i in drawn]
        return [" ".join(words[i : i + WORDS]) for i in range(0, len(words), WORDS)]


def ids_of(part: int, kind: str) -> list[str]:
    numbers = range(part * PART * 2 + 1, (part + 1) * PART * 2 + 1, 2)
    if kind == "numbers":
        return [f"{WIKI}:{number}" for number in numbers]
    return sorted(f"{WIKI}:{hashlib.sha256(str(number).encode()).hexdigest()[:16]}" for number in numbers)


def table(ids: list[str], texts: list[str], random: Any) -> Any:
    """A part of the corpus under its contract."""
    import pyarrow as pa

    from data.contracts import CONTRACTS

    schema = CONTRACTS["corpus"].schema
    known = {
        "doc_id": ids,
        "source": [WIKI] * len(ids),
        "title": [text[:20] for text in texts],
        "url": [f"https://en.wikipedia.org/wiki/{text[:20]}" for text in texts],
        "lang": ["en"] * len(ids),
        "text": texts,
        "text_sha256": [hashlib.sha256(text.encode()).hexdigest() for text in texts],
        "sections": [[{"level": 0, "title": "", "start": 0, "end": len(text)}] for text in texts],
        "quality": [dict.fromkeys((field.name for field in schema.field("quality").type), x) for x in random(len(ids))],
        "dropped_lines": [[]] * len(ids),
        "pii": [[]] * len(ids),
    }
    numbers = pa.array((random(len(ids)) * 1000).astype("int64"))
    columns = [pa.array(known[f.name], f.type) if f.name in known else numbers.cast(f.type) for f in schema]
    return pa.table(columns, schema=schema)


def build(root: Path, kind: str, megabytes: int) -> tuple[list[list[str]], int]:
    """A lake with one release of at least so many megabytes of corpus: the ids of its parts, and its bytes."""
    from data.contracts import CONTRACTS
    from data.lake import Lake
    from data.versions import Build

    lake, texts = Lake(root), Texts()
    target = Build(lake, PIPELINE, CONTRACTS["corpus"], kind)
    parts: list[Any] = []
    while sum(part.bytes for part in parts) < megabytes * 1e6:
        made = table(ids_of(len(parts), kind), texts.part(), texts.random.random)
        counts = {"in": PART, "kept": PART, "filtered": {}, "failed": {}}
        parts.append(target.write(len(parts), f"{len(parts):016x}", made, counts=counts, facts=VALIDATION))
    manifest = target.commit(parts, {"inputs": [], "config": {}, "run": "r", "validation": []})
    lake.publish(PIPELINE, {"datasets": {"corpus": kind}})
    return [ids_of(number, kind) for number in range(len(parts))], manifest["bytes"]


def lookups(root: Path) -> dict[str, Lookup]:
    """Every way to look a document up; each returns the number of rows."""
    import duckdb
    import polars as pl
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    from data.release import open_release

    def paths(doc_id: str | None = None) -> list[str]:
        return open_release(root, PIPELINE).paths("corpus", doc_id=doc_id)

    def sql(files: list[str], doc_id: str) -> int:
        return (
            len(duckdb.execute("from read_parquet($1) where doc_id = $2", [files, doc_id]).fetchall()) if files else 0
        )

    return {
        "textmill find": lambda doc_id: len(open_release(root, PIPELINE).find(doc_id)),
        "Polars scan(doc_id=)": lambda i: open_release(root, PIPELINE).scan("corpus", doc_id=i).collect().height,
        "DuckDB paths(doc_id=)": lambda doc_id: sql(paths(doc_id), doc_id),
        "DuckDB, every file": lambda doc_id: sql(paths(), doc_id),
        "Polars, every file": lambda i: pl.scan_parquet(paths()).filter(pl.col("doc_id") == i).collect().height,
        "PyArrow, every file": lambda i: ds.dataset(paths()).to_table(filter=pc.field("doc_id") == i).num_rows,
    }


def bytes_read() -> int:
    return int(IO.read_text().split("rchar: ")[1].split()[0])


def measure(lookup: Lookup, wanted: list[tuple[str, int]]) -> Iterator[tuple[int, float]]:
    """Bytes and CPU seconds of each lookup, after one that is not counted."""
    lookup(wanted[0][0])
    for doc_id, rows in wanted:
        before = bytes_read()
        spent, found = common.timed(partial(lookup, doc_id))
        read = bytes_read() - before
        if found != rows:
            raise SystemExit(f"{found} rows of {doc_id}, {rows} expected")
        yield read, spent


def report(kind: str, megabytes: int, count: int) -> dict[str, float]:
    """Print what each reader reads; the largest share of any lookup by reader."""
    import random

    with tempfile.TemporaryDirectory() as folder:
        ids, size = build(Path(folder), kind, megabytes)
        chosen = random.Random(0)
        wanted = [(chosen.choice(chosen.choice(ids)), 1) for _ in range(count)]
        wanted += [(ids[0][0], 1), (ids[-1][-1], 1), (f"{WIKI}:{'2' if kind == 'numbers' else 'f' * 16}", 0)]
        print(f"\nids are {kind}: {size / 1e6:.0f} MB in {len(ids)} files, {len(wanted)} lookups")
        shares, rows = {}, []
        for name, lookup in lookups(Path(folder)).items():
            read, spent = zip(*measure(lookup, wanted), strict=True)
            shares[name] = max(read) / size
            usual, cost = statistics.median(read) / size, statistics.median(spent) * 1000
            rows.append((name, f"{usual:.2%}", f"{shares[name]:.2%}", f"{cost:.0f}"))
        common.table(("", "median", "most", "CPU ms"), rows)
    return shares


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--megabytes", type=int, help="of Parquet, at least")
    chosen = parser.parse_args()
    if not IO.exists():
        common.left_out("lookup", "needs /proc/self/io, which Linux has")
        return
    os.environ["POLARS_FORCE_ASYNC"] = "1"  # before Polars is imported
    megabytes = chosen.megabytes or (QUICK_MB if chosen.quick else FULL_MB)
    count = QUICK_LOOKUPS if chosen.quick else LOOKUPS
    numbers = report("numbers", megabytes, count)
    for name in ("textmill find", "Polars scan(doc_id=)", "DuckDB paths(doc_id=)"):
        common.goal(f"most of the bytes read by {name}", numbers[name], at_most=0.05, form="{:.2%}")
    if chosen.quick:
        common.left_out("ids that are hashes", "one row group is too large a share of a small corpus")
        return
    found = report("hashes", megabytes, count)["textmill find"]
    common.goal("most read by textmill find where ids are hashes", found, at_most=0.05, form="{:.2%}")


if __name__ == "__main__":
    main()
