"""What the validation of a corpus costs, beside building it: CPU time and memory of a whole suite over many rows.

    python -m benchmarks.validation [--shared DIR] [--rows 1000000] [--quick]

Rows are texts of about 1,000 characters, cut from the articles. Validated are documents, candidates, corpus and tokens
of that many rows each, as a run does it: light columns and profile of each part (in a run by its worker), verdicts of
Great Expectations over some parts at a time, keys and number of rows of the whole, and drift against a published
version. Parts are written over the same texts, with ids and hashes of their own; the columns of keys stand in Parquet
files. Loading Great Expectations counts. Memory is what the largest resident set is over that before. A corpus of two
sizes is built by two workers from JSON Lines, and what a row costs more is the cost of a row.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks import options as common
from benchmarks.measured import measured
from benchmarks.texts import english
from data.contracts import CONTRACTS, Contract, Drift
from pipelines import drift, validate
from pipelines.checks import observe, repeated

ROWS, QUICK_ROWS = 1_000_000, 50_000
BUILT, QUICK_BUILT = (20_000, 80_000), (2_000, 8_000)
PART, AT_ONCE, CHARS = 16_000, 6, 1_000
SHARE_GOAL, MEMORY_GOAL_MB = 0.05, 1024
SUITES = ("documents", "candidates", "corpus", "tokens")
BUILD = """
import sys
from contextlib import closing
from pathlib import Path
from flows.job import make_job
from flows.recipe import Recipe
from flows.stages import corpus, tokens
if __name__ == "__main__":
    job = make_job(lake=Path(sys.argv[2]), sources=[sys.argv[1]], pipeline="bench", recipe=Recipe(), limit=None,
                   run_id="bench", started="", workers=2)
    with closing(job):
        documents = corpus.documents(job, corpus.fetch(job, job.sources[0]))
        candidates = corpus.candidates(job, documents)
        kept = corpus.corpus(job, candidates, corpus.duplicates(job, candidates))
        tokens.rejects(job, [documents, candidates, kept], kept)
        tokens.tokens(job, kept, tokens.tokenizer(job, kept))
    print(documents.rows, kept.rows)
"""


def pieces(texts: list[str], count: int) -> list[str]:
    """Different texts of about 1,000 characters that end with a word; over again with a number where they run out."""
    cut = [piece for text in texts for piece in _cut(text)]
    return [cut[i] if i < len(cut) else f"{cut[i % len(cut)]} {i:,}." for i in range(count)]


def _cut(text: str) -> Iterator[str]:
    for start in range(0, len(text) - CHARS, CHARS):
        yield text[start : start + CHARS].rpartition(" ")[0].strip() or text[start : start + CHARS]


def written(texts: list[str], path: Path) -> Path:
    rows = (json.dumps({"id": str(number), "text": text}) for number, text in enumerate(texts))
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def frames(texts: list[str]) -> dict[str, pl.DataFrame]:
    """A part of each dataset."""
    from pipelines import clean

    lead = [[{"level": 0, "title": "", "start": 0, "end": len(text)}] for text in texts]
    none = dict.fromkeys(("title", "url", "lang_declared", "published_at", "meta"))
    base = pl.DataFrame({"doc_id": [f"posts:{i}" for i in range(len(texts))], "text": texts, "sections": lead})
    documents = base.with_columns(pl.lit("posts").alias("source"), *(pl.lit(v).alias(k) for k, v in none.items()))
    schema = pl.DataFrame(CONTRACTS["documents"].schema.empty_table()).schema
    documents = documents.select(pl.col(name).cast(kind) for name, kind in schema.items())
    candidates, _ = clean.clean(documents)
    ids = pl.int_ranges(0, pl.col("n_words"), dtype=pl.UInt32).alias("input_ids")
    tokens = candidates.select("doc_id", ids, pl.col("n_words").alias("n_tokens"))
    return {"documents": documents, "candidates": candidates, "corpus": candidates, "tokens": tokens}


def parts(frame: pl.DataFrame, rows: int) -> Iterator[pl.DataFrame]:
    """Parts of so many rows altogether, each with ids and hashes that no other has."""
    for start in range(0, rows, frame.height):
        part = frame.head(rows - start)
        number = pl.int_range(start, start + part.height)
        own = [pl.format("posts:{}", number).alias("doc_id")]
        if "text_sha256" in frame.columns:
            own.append(number.cast(pl.String).str.zfill(64).alias("text_sha256"))
        yield part.with_columns(own)


class Suite:
    """The validation of one dataset; `seconds` is the CPU time of what a run does."""

    def __init__(self, contract: Contract, folder: Path) -> None:
        self.contract, self.folder = contract, folder
        whole = [e for e in contract.expectations if e.scope == "dataset"]
        self.keys = {str(e.kwargs["column"]) for e in whole if "column" in e.kwargs}
        self.files: list[Path] = []
        self.waiting: list[tuple[pl.DataFrame, pl.Series | None]] = []
        self.results: list[validate.PartResult] = []
        self.profiles: list[drift.Profile] = []
        self.seconds = 0.0

    def run(self, frame: pl.DataFrame, rows: int) -> None:
        for part in parts(frame, rows):
            self.files.append(self.folder / f"{self.contract.name}-{len(self.files)}.parquet")
            part.select(sorted(self.keys)).write_parquet(self.files[-1], compression="zstd", compression_level=3)
            self.seconds += common.seconds(partial(self.part, part))
        self.seconds += common.seconds(partial(self.whole, rows))

    def part(self, frame: pl.DataFrame) -> None:
        light = observe(frame, self.contract)
        self.waiting.append((light, validate.ids_of(frame)))
        self.profiles.append(drift.profile(frame, light, self.contract))
        if len(self.waiting) == AT_ONCE:
            self.judge()

    def judge(self) -> None:
        self.results += [result for _, result in validate.validate_lights(self.waiting, self.contract)]
        self.waiting = []

    def whole(self, rows: int) -> None:
        self.judge()
        repeats = {key: repeated([partial(_column, path, key) for path in self.files], rows) for key in self.keys}
        verdicts = validate.merge(self.results) + validate.validate_dataset(repeats, rows, self.contract)
        after = drift.added(self.profiles) or {}
        moved = drift.measures(after, after, self.contract.drift or Drift())
        verdicts += validate.validate_drift(moved, self.contract.name)
        failed = [verdict for verdict in verdicts if not verdict.success]
        if failed:
            raise SystemExit(f"the benchmark's own rows break their contract: {failed[0]}")


def _column(path: Path, name: str) -> pl.Series:
    return pl.read_parquet(path, columns=[name])[name]


def validated(texts: list[str], rows: int, folder: Path) -> float:
    """CPU seconds of the validation of all datasets, with the loading of Great Expectations."""
    made = frames(texts[:PART])
    gc.collect()
    common.forget_peak()
    before = common.peak_megabytes()
    loading = common.seconds(validate._batches)
    suites = {name: Suite(CONTRACTS[name], folder) for name in SUITES}
    for name, suite in suites.items():
        suite.run(made[name], rows)
    memory, total = common.peak_megabytes() - before, loading + sum(suite.seconds for suite in suites.values())
    named = [("loading Great Expectations", f"{loading:.1f}")]
    named += [(f"{name}, {rows:,} rows", f"{suite.seconds:.1f}") for name, suite in suites.items()]
    common.table(("validation", "CPU-s"), [*named, ("all", f"{total:.1f}")])
    common.goal("memory of the validation, MB", memory, at_most=MEMORY_GOAL_MB, form="{:.0f}")
    return total


def built(texts: list[str], sizes: tuple[int, int], folder: Path) -> tuple[float, float]:
    """CPU seconds that a row costs, and a build whatever its size."""
    spent = []
    script = folder / "run_build.py"
    script.write_text(BUILD, "utf-8")
    for size in sizes:
        source = written(texts[:size], folder / f"posts{size}.jsonl")
        run = measured([sys.executable, str(script), str(source), tempfile.mkdtemp(dir=folder)])
        spent.append(run.cpu if run else 0.0)
    each = (spent[1] - spent[0]) / (sizes[1] - sizes[0])
    return each, spent[0] - each * sizes[0]


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--rows", type=int, help=f"rows of each dataset; {ROWS:,}, with --quick {QUICK_ROWS:,}")
    options: argparse.Namespace = parser.parse_args()
    rows = options.rows or (QUICK_ROWS if options.quick else ROWS)
    sizes = QUICK_BUILT if options.quick else BUILT
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = pieces(english(options), max(PART, *sizes))
        total = validated(texts, rows, folder)
        each, fixed = built(texts, sizes, folder)
    build = fixed + each * rows
    print(f"a build of {rows:,} rows: {build:.0f} CPU-s, {each * 1000:.2f} ms a row and {fixed:.1f} s for any size")
    common.goal("validation beside the build", total / build, at_most=SHARE_GOAL, form="{:.1%}")


if __name__ == "__main__":
    main()
