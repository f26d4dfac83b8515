"""Lines that stand in many documents: count them over the corpus, take them out of the texts."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines import repeated
from pipelines.dedup.config import Parts, RepeatedConfig
from pipelines.dedup.scratch import Partitions
from pipelines.sections import Pieces, moved, rejoin
from pipelines.shingles import GAP, read_words

UInt64s = npt.NDArray[np.uint64]
_PARTITIONS = 64
_SIZE = np.uint64(0xFF)
_WORD = r"[\p{L}\p{N}]"
_MANY_BREAKS = re.compile(r"\n{3,}")


def count_lines(parts: Parts, gone: pl.Series, *, config: RepeatedConfig, scratch: Path | None = None) -> UInt64s:
    """Hashes of the lines and paragraphs that stand in more documents than allowed, in order, `gone` left out."""
    with TemporaryDirectory(dir=scratch, prefix="lines-") as folder:
        lines = Partitions(Path(folder), "lines", _PARTITIONS, np.uint64)
        for part in parts:
            frame = part(["doc_id", "line_hashes"])
            hashes = _flat(frame.filter(~pl.col("doc_id").is_in(gone.implode()))["line_hashes"])
            long = hashes[(hashes & _SIZE) >= config.min_chars]
            lines.append(long, long)
        return np.concatenate([_common(lines.take(i), config.max_documents or 0) for i in range(lines.count)])


def has_repeated(line_hashes: pl.Series, keys: UInt64s) -> pl.Series:
    """Which documents hold at least one of these lines."""
    found = np.isin(_flat(line_hashes), keys)
    bounds = np.cumsum([0, *line_hashes.list.len()])
    sums = np.concatenate([[0], np.cumsum(found)])
    return pl.Series(sums[bounds[1:]] > sums[bounds[:-1]], dtype=pl.Boolean)


def of_part(line_hashes: pl.Series, keys: UInt64s) -> UInt64s:
    """Those of `keys` that stand in these documents."""
    return np.intersect1d(_flat(line_hashes), keys)


def trim(frame: pl.DataFrame, keys: UInt64s, config: RepeatedConfig) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Documents with `text` and `sections` as they are without these lines, and the documents that are rejected.

    Both have `lost_lines` and `lost_chars`, counted against the text as it was; the rejected keep that text.
    """
    changes = has_repeated(frame["line_hashes"], keys)
    rows = [
        _trim(text, sections, keys) if changed else (text, sections, 0)
        for (text, sections), changed in zip(frame.select("text", "sections").iter_rows(), changes, strict=True)
    ]
    like = frame.schema
    schema = {"new_text": like["text"], "new_sections": like["sections"], "lost_lines": pl.Int32()}
    made = frame.with_columns(pl.DataFrame(rows, schema=schema, orient="row")).with_columns(
        lost_chars=(pl.col("text").str.len_chars().cast(pl.Int64) - pl.col("new_text").str.len_chars()).cast(pl.Int32)
    )
    share = pl.col("lost_chars") / pl.col("text").str.len_chars()
    rejected = (pl.col("lost_lines") > 0) & ((share > config.max_share) | ~pl.col("new_text").str.contains(_WORD))
    kept = made.filter(~rejected).with_columns(text="new_text", sections="new_sections")
    return kept.drop("new_text", "new_sections"), made.filter(rejected).drop("new_text", "new_sections")


def _trim(text: str, sections: list[dict[str, Any]] | None, keys: UInt64s) -> tuple[str, Any, int]:
    """The text without lines of these hashes, its sections moved along, and the number of lines taken out."""
    pieces = Pieces.of(text, sections)
    titles = {section["title"] for section in sections or ()}
    gone = iter(repeated.is_repeated(read_words(pieces.texts), keys).tolist())
    changed, lost = [], 0
    for piece in pieces.texts:
        lines = piece.split("\n")
        kept = [line for line, leaves in zip(lines, gone, strict=False) if not leaves or line in titles]
        changed.append(_MANY_BREAKS.sub(GAP, "\n".join(kept)).strip())
        lost += len(lines) - len(kept)
        next(gone)  # the empty line of the gap behind every piece
    new, offsets = rejoin(pieces, changed)
    return new, moved(sections, offsets, pieces.cuts[-1]), lost


def _flat(lists: pl.Series) -> UInt64s:
    return lists.explode(empty_as_null=False).to_numpy().astype(np.uint64, copy=False)


def _common(hashes: npt.NDArray[Any], most: int) -> UInt64s:
    values, counts = np.unique(hashes, return_counts=True)
    common: UInt64s = values[counts > most].astype(np.uint64)
    return common
