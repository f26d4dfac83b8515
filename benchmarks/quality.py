"""Quality rules beside datatrove's: the same documents, the published thresholds, CPU seconds, and every difference.

    python benchmarks/quality.py --shared DIR --peers PYTHON [--documents N] [--runs N]

DIR holds text/enwiki_text.parquet, text/zhwiki_text.parquet, web/article_extraction.parquet and
topics/20news_bydate_train.parquet; PYTHON is an interpreter with datatrove 0.10, spacy and jieba. datatrove
runs as it comes: its words are spaCy's (jieba's for Chinese), its sentences those of spaCy's sentencizer.
Both sides read texts in textmill's normal form (NFC, single blanks). Every measurement alternates between the
two sides; figures are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines import quality
from pipelines.clean import CleanConfig, clean
from pipelines.normalise import normalised
from pipelines.quality import c4, fineweb, gopher, repetition
from pipelines.quality.batch import Batch
from pipelines.quality.lines import drop_lines
from pipelines.quality.tokens import cut

SECTIONS = pl.List(pl.Struct({"level": pl.Int8, "title": pl.String, "start": pl.Int32, "end": pl.Int32}))
RULES = {"gopher": gopher.RULES, "repetition": repetition.RULES, "c4": c4.RULES, "fineweb": fineweb.RULES}
ALL_FAMILIES = tuple(RULES)
SETS = {
    "enwiki": ("text/enwiki_text.parquet", "text", "en", ALL_FAMILIES),
    "20news": ("topics/20news_bydate_train.parquet", "text", "en", ALL_FAMILIES),
    "web": ("web/article_extraction.parquet", "article_body", "en", ALL_FAMILIES),
    "zhwiki": ("text/zhwiki_text.parquet", "text", "zh", ("repetition", "fineweb")),
}


@dataclass
class Result:
    """One family on one data set. `reasons` and `theirs` hold a reason or None for each document."""

    data: str
    family: str
    megabytes: float
    mine: float
    peer: float
    reasons: list[str | None]
    details: list[str | None]
    theirs: list[str | None]

    def differences(self) -> list[int]:
        """Documents that one side keeps and the other does not."""
        pairs = zip(self.reasons, self.theirs, strict=True)
        return [row for row, (ours, other) in enumerate(pairs) if (ours is None) != (other is None)]


def texts(shared: Path, data: str, documents: int) -> pl.DataFrame:
    """Documents of a set in normal form, the same ones in every run."""
    path, column, lang, _ = SETS[data]
    frame = pl.read_parquet(shared / path, columns=[column]).select(text=normalised(pl.col(column)))
    frame = frame.filter(pl.col("text") != "")
    frame = frame.sample(min(documents, frame.height), seed=1)
    return frame.with_columns(lang=pl.lit(lang), sections=pl.lit(None, dtype=SECTIONS))


def judged(frame: pl.DataFrame, family: str) -> pl.DataFrame:
    """Our decisions by one family alone."""
    if family == "c4":
        frame = drop_lines(frame, c4.LINE_RULES)
    found = quality.judge(quality.measure(frame, RULES[family]), frame["lang"], RULES[family])
    gone = (frame["text"] == "").to_list()
    reasons = ["no_line_left" if none else reason for reason, none in zip(found["reason"], gone, strict=True)]
    return found.with_columns(pl.Series("reason", reasons, dtype=pl.String))


def together(frame: pl.DataFrame) -> None:
    """All four families with the decisions of each alone: one measurement, and one of what C4 leaves."""
    rules = (*gopher.RULES, *repetition.RULES, *fineweb.RULES)
    quality.judge(quality.measure(frame, rules), frame["lang"], rules)
    judged(frame, "c4")


def seconds(work: Any, *arguments: Any) -> tuple[float, Any]:
    """CPU seconds of this process, all threads; nothing is remembered from the run before."""
    cut.cache_clear()
    start = time.process_time()
    result = work(*arguments)
    return time.process_time() - start, result


def ask(peers: str, job: dict[str, Any]) -> Any:
    """The peer's answer, from a process of its own."""
    script = str(Path(__file__).parent / "peer_datatrove.py")
    done = subprocess.run([peers, script], input=json.dumps(job), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def compare(frame: pl.DataFrame, data: str, family: str, peers: str, runs: int) -> Result:
    """One family on one set, the two sides in turn."""
    job = {"family": family, "lang": SETS[data][2], "texts": frame["text"].to_list()}
    judged(frame.head(50), family)
    mine, peer = [], []
    for _ in range(runs):
        spent, found = seconds(judged, frame, family)
        mine.append(spent)
        answer = ask(peers, job)
        peer.append(answer["seconds"])
    megabytes = float(frame["text"].str.len_bytes().sum()) / 1e6
    reasons, details = found["reason"].to_list(), found["detail"].to_list()
    medians = statistics.median(mine), statistics.median(peer)
    return Result(data, family, megabytes, *medians, reasons, details, answer["reasons"])


def explain(result: Result, frame: pl.DataFrame, peers: str, most: int = 5) -> None:
    """Each kind of difference with examples: what both decided, our figure, and the tokens that each counted."""
    rows = result.differences()
    kinds = Counter((result.reasons[row], result.theirs[row]) for row in rows)
    for (ours, other), count in kinds.most_common():
        print(f"  {result.data} {result.family}: textmill {ours or 'keeps'}, datatrove {other or 'keeps'}: {count}")
    shown = frame[rows[:most]]
    counted = ask(peers, {"count": shown["text"].to_list(), "lang": SETS[result.data][2]}) if rows else []
    mine = Batch(shown["text"], shown["lang"]).n_tokens
    for row, ours, other in zip(rows, mine, counted, strict=False):
        figure = result.details[row] or "within its threshold"
        print(f"    document {row}: figure {figure}; tokens {ours:.0f} here, {other} there")


def table(results: list[Result]) -> None:
    """Speed and agreement of every pair."""
    print(
        f"{'data':8} {'family':11} {'MB':>5} {'MB/CPU-s':>9} {'datatrove':>9} {'ratio':>6} {'agreement':>10} rejected"
    )
    for one in results:
        agreement = 1 - len(one.differences()) / len(one.reasons)
        rejected = sum(reason is not None for reason in one.reasons)
        speeds = f"{one.megabytes / one.mine:9.2f} {one.megabytes / one.peer:9.2f} {one.peer / one.mine:6.1f}"
        head = f"{one.data:8} {one.family:11} {one.megabytes:5.2f}"
        print(f"{head} {speeds} {agreement:10.4f} {rejected} of {len(one.reasons)}")


def summary(results: list[Result], frames: dict[str, pl.DataFrame], runs: int) -> None:
    """Agreement by family over all sets, and the four families in one go."""
    for family in ALL_FAMILIES:
        mine = [one for one in results if one.family == family]
        different, decisions = sum(len(one.differences()) for one in mine), sum(len(one.reasons) for one in mine)
        print(f"{family}: {1 - different / decisions:.4f} of {decisions} decisions agree (goal 0.99)")
    english = [name for name in frames if SETS[name][3] == ALL_FAMILIES]
    together(frames[english[0]].head(50))
    spent = [seconds(lambda: [together(frames[name]) for name in english])[0] for _ in range(runs)]
    megabytes = sum(one.megabytes for one in results if one.data in english and one.family == "gopher")
    peer = sum(one.peer for one in results if one.data in english)
    mine = statistics.median(spent)
    print(
        f"four families together, English: {megabytes / mine:.2f} MB per CPU-second, datatrove {megabytes / peer:.3f};"
    )
    print(f"ratio {peer / mine:.1f} (goal 20)")


def cleaning(frame: pl.DataFrame, runs: int) -> None:
    """The whole cleaning stage on the English articles, with each recipe."""
    megabytes = float(frame["text"].str.len_bytes().sum()) / 1e6
    rows = (
        frame.drop("lang")
        .with_row_index()
        .with_columns(
            pl.format("enwiki:{}", "index").alias("doc_id"),
            source=pl.lit("enwiki"),
            title=pl.lit(None, pl.String),
            url=pl.lit(None, pl.String),
            published_at=pl.lit(None, pl.Datetime("us", "UTC")),
        )
    )
    for recipe in ("wikipedia", "web", "plain"):
        config = CleanConfig(recipe=recipe)
        clean(rows.head(20), config=config)
        spent = statistics.median(seconds(lambda c=config: clean(rows, config=c))[0] for _ in range(runs))
        print(f"clean, recipe {recipe}: {megabytes / spent:.2f} MB per CPU-second")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--shared", type=Path, default=os.environ.get("TEXTMILL_SHARED_DATA"), help="folder of the data"
    )
    parser.add_argument("--peers", help="interpreter with datatrove, spacy and jieba; without it no comparison")
    parser.add_argument("--documents", type=int, default=600, help="documents of each set at the most")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if options.shared is None:
        parser.error("give --shared DIR or set TEXTMILL_SHARED_DATA")
    frames = {name: texts(options.shared, name, options.documents) for name in SETS}
    if options.peers:
        pairs = [(name, family) for name, (*_, families) in SETS.items() for family in families]
        results = [compare(frames[name], name, family, options.peers, options.runs) for name, family in pairs]
        table(results)
        print("differences, all from tokens that spaCy cuts otherwise (its list of exceptions) unless figures agree:")
        for one in results:
            explain(one, frames[one.data], options.peers)
        summary(results, frames, options.runs)
    cleaning(frames["enwiki"], options.runs)


if __name__ == "__main__":
    main()
