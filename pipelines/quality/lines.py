"""Take single lines out of texts, and keep the offsets of their sections right."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

import polars as pl

from pipelines.columns import counted, offsets_of, with_offsets
from pipelines.quality.batch import Batch, blocks
from pipelines.quality.rule import LineRule

_COUNTS = pl.List(pl.Struct({"reason": pl.String, "count": pl.Int32}))


def drop_lines(frame: pl.DataFrame, rules: Sequence[LineRule]) -> pl.DataFrame:
    """The frame with the lines that `rules` reject gone from `text`, `sections` moved along, and `dropped_lines`.

    Reads `text`, `lang` and `sections`. Blank lines stay where they part two lines that stay, and the heading of a
    section where lines below it do: it ends in no full stop, and is none the worse for it.
    """
    if not rules or not frame.height:
        return frame.with_columns(pl.lit([], dtype=_COUNTS).alias("dropped_lines"))
    return pl.concat([_dropped(block, rules) for block in blocks(frame)])


def faults(batch: Batch, rules: Sequence[LineRule]) -> pl.Series:
    """For each line of the batch that is not blank the reason of the first rule that it breaks, null for none."""
    chunks = pl.DataFrame({"chars": batch.chunk_chars})
    lines = pl.DataFrame(
        {
            "line": batch.lines,
            "lang": batch.langs.gather(batch.line_doc),
            "n_words": batch.chunks_in_line,
            "longest_word": _longest(batch, chunks["chars"]),
        }
    ).with_columns(lower=pl.col("line").str.to_lowercase())
    broken = [rule.drops(rule.threshold) & rule.languages.mask(pl.col("lang")) for rule in rules]
    reasons = [pl.when(is_broken).then(pl.lit(rule.reason)) for rule, is_broken in zip(rules, broken, strict=True)]
    return lines.select(pl.coalesce(reasons).alias("reason")).to_series()


def _longest(batch: Batch, chars: pl.Series) -> pl.Series:
    """Length of the longest word of each line."""
    rows = pl.DataFrame({"line": batch.chunk_line, "chars": chars})
    longest = rows.group_by("line", maintain_order=True).agg(pl.col("chars").max())
    return longest["chars"]


def _dropped(block: pl.DataFrame, rules: Sequence[LineRule]) -> pl.DataFrame:
    batch = Batch(block["text"], block["lang"])
    found = pl.DataFrame({"doc": batch.line_doc, "reason": faults(batch, rules)})
    hit = (
        found.group_by("doc", maintain_order=True)
        .agg("reason")
        .filter(pl.col("reason").list.drop_nulls().list.len() > 0)
    )
    if not hit.height:
        return block.with_columns(counted("dropped_lines", [[]] * block.height, of="reason"))
    texts, offsets = block["text"].to_list(), offsets_of(block["sections"])
    counts: list[list[dict[str, Any]]] = [[] for _ in texts]
    sections = block["sections"].gather(hit["doc"]).to_list()
    for (doc, found_reasons), parts in zip(hit.iter_rows(), sections, strict=True):
        reasons = _spared(texts[doc], parts, found_reasons)
        texts[doc], offsets[doc] = _without(texts[doc], offsets[doc], reasons)
        counts[doc] = [
            {"reason": reason, "count": count} for reason, count in sorted(Counter(filter(None, reasons)).items())
        ]
    return block.with_columns(
        pl.Series("text", texts, dtype=pl.String),
        with_offsets(block["sections"], list(chain.from_iterable(offsets))),
        counted("dropped_lines", counts, of="reason"),
    )


def _spared(text: str, sections: Iterable[Mapping[str, Any]] | None, reasons: list[str | None]) -> list[str | None]:
    """The reasons of lines that are not blank, without those of headings that have lines below them that stay."""
    titles = {(section["start"], section["title"]): section["level"] for section in sections or () if section["level"]}
    if not titles:
        return reasons
    lines = text.split("\n")
    starts = accumulate((len(line) + 1 for line in lines), initial=0)
    levels = [titles.get((start, line)) for start, line in zip(starts, lines, strict=False) if line.strip()]
    spared, below = list(reasons), 0  # level of the next heading that stays, 7 for other text, 0 for none
    for row in range(len(levels) - 1, -1, -1):
        if level := levels[row]:
            spared[row] = None if below > level else reasons[row]
            below = level if spared[row] is None else below
        elif reasons[row] is None:
            below = 7
    return spared


def _without(text: str, offsets: Sequence[int], reasons: Sequence[str | None]) -> tuple[str, list[int]]:
    """The text without the lines that have a reason, and the offsets moved; `reasons` are those of lines not blank."""
    lines = text.split("\n")
    following = iter(reasons)
    kept: list[bool] = []
    wants_break = False
    for line in lines:
        is_blank = not line.strip()
        stays = wants_break if is_blank else next(following) is None
        kept.append(stays)
        wants_break = (stays and not is_blank) if is_blank or stays else wants_break
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    ahead = [0, *accumulate((len(line) + 1) * stays for line, stays in zip(lines, kept, strict=True))]
    joined = "\n".join(line for line, stays in zip(lines, kept, strict=True) if stays).rstrip()

    def at(offset: int) -> int:
        row = min(bisect_right(starts, offset) - 1, len(lines))
        inside = offset - starts[row] if row < len(lines) and kept[row] else 0
        return min(ahead[row] + inside, len(joined))

    return joined, [at(min(max(offset, 0), len(text))) for offset in offsets]
