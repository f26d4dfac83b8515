"""Quality rules beside datatrove's: the same documents, the published thresholds, CPU seconds, and every difference.

datatrove runs as it comes: its words are spaCy's (jieba's for Chinese), its sentences those of spaCy's sentencizer.
Both sides read texts in textmill's normal form (NFC, single blanks). Runs alternate; figures are medians. Without
shared data the documents are the articles of the embedded sample.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import options as common
from benchmarks.texts import ENGLISH, column, megabytes, sample_texts
from pipelines import quality
from pipelines.clean import CleanConfig, clean
from pipelines.normalise import normalised
from pipelines.quality import c4, fineweb, gopher, repetition
from pipelines.quality.batch import Batch
from pipelines.quality.lines import drop_lines
from pipelines.quality.tokens import cut

SECTIONS = pl.List(pl.Struct({"level": pl.Int8, "title": pl.String, "start": pl.Int32, "end": pl.Int32}))
RULES = {"gopher": gopher.RULES, "repetition": repetition.RULES, "c4": c4.RULES, "fineweb": fineweb.RULES}
FAMILIES = tuple(RULES)
SETS = {
    "enwiki": (ENGLISH, "text", "en", FAMILIES),
    "20news": ("topics/20news_bydate_train.parquet", "text", "en", FAMILIES),
    "web": ("web/article_extraction.parquet", "article_body", "en", FAMILIES),
    "zhwiki": ("text/zhwiki_text.parquet", "text", "zh", ("repetition", "fineweb")),
}
EXAMPLES = 5


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

    def row(self) -> list[str]:
        speeds = (f"{self.megabytes / self.mine:.2f}", f"{self.megabytes / self.peer:.2f}")
        rejected = f"{sum(reason is not None for reason in self.reasons)} of {len(self.reasons)}"
        agreement = f"{1 - len(self.differences()) / len(self.reasons):.4f}"
        sizes = (self.data, self.family, f"{self.megabytes:.2f}")
        return [*sizes, *speeds, f"{self.peer / self.mine:.1f}", agreement, rejected]


def documents(shared: Path | None, data: str, count: int) -> pl.DataFrame:
    """Documents of a set in normal form, the same ones in every run."""
    path, name, lang, _ = SETS[data]
    texts = pl.DataFrame({"text": column(shared / path, name) if shared else sample_texts()})
    frame = texts.select(normalised(pl.col("text"))).filter(pl.col("text") != "")
    frame = frame.sample(min(count, frame.height), seed=1)
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


def fresh(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds and result; nothing is remembered from the run before."""
    cut.cache_clear()
    return common.timed(work)


def ask(peers: Path, job: dict[str, Any]) -> Any:
    return common.ask(peers, "benchmarks.peers.quality", job)


def compare(frame: pl.DataFrame, data: str, family: str, peers: Path, runs: int) -> Result:
    """One family on one set, the two sides in turn."""
    texts = frame["text"].to_list()
    job = {"family": family, "lang": SETS[data][2], "texts": texts}
    judged(frame.head(50), family)
    works = {"mine": lambda: fresh(lambda: judged(frame, family)), "peer": lambda: ask(peers, job)}
    found: dict[str, list[Any]] = common.in_turns(works, runs)
    mine = statistics.median(spent for spent, _ in found["mine"])
    peer = statistics.median(answer["seconds"] for answer in found["peer"])
    ours = found["mine"][0][1]
    reasons = ours["reason"].to_list(), ours["detail"].to_list(), found["peer"][0]["reasons"]
    return Result(data, family, megabytes(texts), mine, peer, *reasons)


def explain(result: Result, frame: pl.DataFrame, peers: Path) -> None:
    """Each kind of difference with examples: what both decided, our figure, and the tokens that each counted."""
    rows = result.differences()
    kinds = Counter((result.reasons[row], result.theirs[row]) for row in rows)
    for (ours, other), count in kinds.most_common():
        print(f"  {result.data} {result.family}: textmill {ours or 'keeps'}, datatrove {other or 'keeps'}: {count}")
    shown = frame[rows[:EXAMPLES]]
    counted = ask(peers, {"count": shown["text"].to_list(), "lang": SETS[result.data][2]}) if rows else []
    mine = Batch(shown["text"], shown["lang"]).n_tokens
    for row, ours, other in zip(rows, mine, counted, strict=False):
        figure = result.details[row] or "within its threshold"
        print(f"    document {row}: figure {figure}; tokens {ours:.0f} here, {other} there")


def goals(results: list[Result], frames: dict[str, pl.DataFrame], runs: int) -> None:
    """Agreement by family over all sets, and the four families in one go."""
    for family in FAMILIES:
        mine = [one for one in results if one.family == family]
        different, decisions = sum(len(one.differences()) for one in mine), sum(len(one.reasons) for one in mine)
        name = f"{family}, decisions as datatrove's, of {decisions:,}"
        common.goal(name, 1 - different / decisions, at_least=0.99, form="{:.2%}")
    english = [name for name in frames if SETS[name][3] == FAMILIES]
    together(frames[english[0]].head(50))
    spent = [fresh(lambda: [together(frames[name]) for name in english])[0] for _ in range(runs)]
    ratio = sum(one.peer for one in results if one.data in english) / statistics.median(spent)
    common.goal("four families together, speed beside datatrove", ratio, at_least=20, form="{:.1f} x")


def cleaning(frame: pl.DataFrame, runs: int) -> None:
    """The whole cleaning stage on the English articles, with each recipe."""
    nothing = {"title": pl.lit(None, pl.String), "url": pl.lit(None, pl.String)}
    rows = frame.drop("lang").with_row_index().with_columns(doc_id=pl.format("enwiki:{}", "index"), **nothing)
    rows = rows.with_columns(source=pl.lit("enwiki"), published_at=pl.lit(None, pl.Datetime("us", "UTC")))
    size = megabytes(frame["text"].to_list())
    for recipe in ("wikipedia", "web", "plain"):
        config = CleanConfig(recipe=recipe)
        clean(rows, config=config)  # so that every model is loaded
        spent = statistics.median(fresh(lambda c=config: clean(rows, config=c))[0] for _ in range(runs))
        print(f"clean, recipe {recipe}: {size / spent:.2f} MB per CPU-second")


def measure(options: argparse.Namespace) -> None:
    count, runs = (120, 1) if options.quick else (600, 3)
    names = SETS if options.shared else ["enwiki"]
    frames = {name: documents(options.shared, name, count) for name in names}
    if common.has_peers(options):
        pairs = [(name, family) for name in frames for family in SETS[name][3]]
        results = [compare(frames[name], name, family, options.peers, runs) for name, family in pairs]
        head = ("data", "family", "MB", "MB/CPU-s", "datatrove", "ratio", "agreement", "rejected")
        common.table(head, [one.row() for one in results])
        print("differences, all from tokens that spaCy cuts otherwise (its list of exceptions) unless figures agree")
        for one in results:
            explain(one, frames[one.data], options.peers)
        goals(results, frames, runs)
    cleaning(frames["enwiki"], runs)


def main() -> None:
    measure(common.parser(__doc__).parse_args())


if __name__ == "__main__":
    main()
