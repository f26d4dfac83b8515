"""The same page in two files of a job, such as two dumps of one wiki: its latest revision stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

import polars as pl

from data import tables
from data.hashing import fingerprint
from data.versions import Build, Part, add_counts
from flows.build import Unit, make
from flows.drafts import FILE, Output
from pipelines.extract import REJECT_SCHEMA


def without_superseded(target: Build, parts: list[Part]) -> list[Part]:
    """The parts, those written again that hold a page of which another file has a later revision.

    Of equal revisions that of the earlier file stays. Pages that one file holds twice are left for the contract.
    Only parts whose ids may be the same are held beside each other, so that memory does not grow with their number.
    """
    if len({part.facts[FILE] for part in parts}) < 2:
        return parts
    beside = overlapping([_range(target, part) for part in parts])
    return [_settled(target, parts, number, beside[number]) for number in range(len(parts))]


@dataclass(frozen=True, slots=True)
class Range:
    """The ids that a part may hold: its sources, and its numbers from `first` to `last`.

    Where some ids are no numbers, the range is of all.
    """

    sources: frozenset[str]
    first: float
    last: float

    def meets(self, other: Range) -> bool:
        """Whether both may hold the same id."""
        return self.first <= other.last and other.first <= self.last and bool(self.sources & other.sources)


def overlapping(ranges: list[Range]) -> list[list[int]]:
    """For each range the numbers of those that it meets, itself among them."""
    found: list[list[int]] = [[] for _ in ranges]
    open_: list[int] = []
    for number in sorted(range(len(ranges)), key=lambda number: ranges[number].first):
        open_ = [other for other in open_ if ranges[other].last >= ranges[number].first]
        for other in (other for other in open_ if ranges[number].meets(ranges[other])):
            found[number].append(other)
            found[other].append(number)
        open_.append(number)
        found[number].append(number)
    return [sorted(numbers) for numbers in found]


def _range(target: Build, part: Part) -> Range:
    ids = pl.read_parquet(target.folder / part.file, columns=["doc_id"])["doc_id"]
    named = ids.str.splitn(":", 2).struct.unnest()
    numbers = named["field_1"].cast(pl.Int64, strict=False)
    sources = frozenset(named["field_0"].unique().to_list())
    if numbers.null_count():
        return Range(sources, -inf, inf)
    return Range(sources, _number(numbers.min(), inf), _number(numbers.max(), -inf))


def _number(value: Any, default: float) -> float:
    return default if value is None else float(value)


def _settled(target: Build, parts: list[Part], number: int, beside: list[int]) -> Part:
    """A part without the pages that are superseded, which only those beside it can tell."""
    part = parts[number]
    if len({parts[other].facts[FILE] for other in beside}) < 2:
        return part
    losers = superseded(pl.concat([_pages(target, parts[other], other) for other in beside]))
    own = losers.filter(pl.col("part") == number)
    return _rewritten(target, part, own) if own.height else part


def superseded(pages: pl.DataFrame) -> pl.DataFrame:
    """Pages of which another file has a later revision, with that file (`winner`); `part` tells which file is earlier.

    Columns of `pages`: doc_id, published_at, part, file.
    """
    several = pages.filter(pl.col("file").n_unique().over("doc_id") > 1)
    best = several.sort(["published_at", "part"], descending=[True, False], nulls_last=True)
    winners = best.unique("doc_id", keep="first", maintain_order=True).select("doc_id", winner="file")
    found = several.join(winners, on="doc_id").filter(pl.col("file") != pl.col("winner"))
    return found.sort("part", "doc_id")


def _pages(target: Build, part: Part, number: int) -> pl.DataFrame:
    frame = tables.read(target.folder / part.file, ["doc_id", "published_at"])
    return frame.with_columns(pl.lit(number).alias("part"), pl.lit(part.facts[FILE]).alias("file"))


def _rewritten(target: Build, part: Part, losers: pl.DataFrame) -> Part:
    """The part without some of its pages, under a key that holds which."""
    key = fingerprint([part.key, losers.select("doc_id", "winner").rows()])
    return target.find(part.index, key) or make(target, Unit(part.index, key, lambda: _outputs(target, part, losers)))


def _outputs(target: Build, part: Part, losers: pl.DataFrame) -> Iterator[Output]:
    """The part batch by batch; what counted and was rejected before goes with the first."""
    counts = part.counts
    rejects = pl.read_parquet(target.folder / part.rejects_file) if part.rejects_file else None
    for frame in tables.batches(target.folder / part.file):
        yield _output(frame, losers, part.facts[FILE], counts, rejects)
        counts, rejects = add_counts([]), None


def _output(
    frame: pl.DataFrame, losers: pl.DataFrame, file: str, counts: dict[str, Any], before: pl.DataFrame | None
) -> Output:
    winners = losers.select("doc_id", "winner").unique(maintain_order=True)  # a page may stand in this part twice
    lost = frame.join(winners, on="doc_id", maintain_order="left")
    rejects = lost.select(
        "doc_id",
        "source",
        pl.concat_str(pl.lit(f"{file}#page="), pl.col("doc_id").str.splitn(":", 2).struct[1]).alias("origin"),
        pl.lit("extract").alias("stage"),
        pl.lit("filtered").alias("kind"),
        pl.lit("superseded").alias("reason"),
        pl.concat_str(pl.lit("by "), pl.col("winner")).alias("detail"),
        pl.col("text").str.len_chars().cast(pl.Int32).alias("n_chars"),
    )
    if before is not None:
        rejects = pl.concat([before, rejects])
    return Output(
        frame.join(losers, on="doc_id", how="anti", maintain_order="left"),
        _counts(counts, lost.height),
        rejects.select(REJECT_SCHEMA.keys()),
        facts={FILE: file},
    )


def _counts(counts: dict[str, Any], lost: int) -> dict[str, Any]:
    filtered = {**counts["filtered"], "superseded": lost}
    return {**counts, "kept": counts["kept"] - lost, "filtered": filtered}
