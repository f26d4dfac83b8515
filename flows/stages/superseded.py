"""The same page in two files of a job, such as two dumps of one wiki: its latest revision stays."""

from __future__ import annotations

from typing import Any

import polars as pl

from data.hashing import fingerprint
from data.versions import Build, Part
from flows.build import Unit, make
from flows.drafts import FILE, Output
from pipelines.extract import REJECT_SCHEMA


def without_superseded(target: Build, parts: list[Part]) -> list[Part]:
    """The parts, those written again that hold a page of which another file has a later revision.

    Of equal revisions that of the earlier file stays. Pages that one file holds twice are left for the contract.
    """
    if len({part.facts[FILE] for part in parts}) < 2:
        return parts
    losers = superseded(pl.concat([_pages(target, part, number) for number, part in enumerate(parts)]))
    groups = {number: group for (number,), group in losers.group_by("part")}
    return [_rewritten(target, part, groups[i]) if i in groups else part for i, part in enumerate(parts)]


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
    frame = pl.read_parquet(target.folder / part.file, columns=["doc_id", "published_at"])
    return frame.with_columns(pl.lit(number).alias("part"), pl.lit(part.facts[FILE]).alias("file"))


def _rewritten(target: Build, part: Part, losers: pl.DataFrame) -> Part:
    """The part without some of its pages, under a key that holds which."""
    key = fingerprint([part.key, losers.select("doc_id", "winner").rows()])
    return target.find(part.index, key) or make(target, Unit(part.index, key, lambda: _output(target, part, losers)))


def _output(target: Build, part: Part, losers: pl.DataFrame) -> Output:
    frame = pl.read_parquet(target.folder / part.file)
    winners = losers.select("doc_id", "winner").unique(maintain_order=True)  # a page may stand in this part twice
    lost = frame.join(winners, on="doc_id", maintain_order="left")
    rejects = lost.select(
        "doc_id",
        "source",
        pl.concat_str(pl.lit(f"{part.facts[FILE]}#page="), pl.col("doc_id").str.splitn(":", 2).struct[1]).alias(
            "origin"
        ),
        pl.lit("extract").alias("stage"),
        pl.lit("filtered").alias("kind"),
        pl.lit("superseded").alias("reason"),
        pl.concat_str(pl.lit("by "), pl.col("winner")).alias("detail"),
        pl.col("text").str.len_chars().cast(pl.Int32).alias("n_chars"),
    )
    if part.rejects_file:
        rejects = pl.concat([pl.read_parquet(target.folder / part.rejects_file), rejects])
    return Output(
        frame.join(losers, on="doc_id", how="anti", maintain_order="left"),
        _counts(part.counts, lost.height),
        rejects.select(REJECT_SCHEMA.keys()),
        facts={FILE: part.facts[FILE]},
    )


def _counts(counts: dict[str, Any], lost: int) -> dict[str, Any]:
    filtered = {**counts["filtered"], "superseded": lost}
    return {**counts, "kept": counts["kept"] - lost, "filtered": filtered}
