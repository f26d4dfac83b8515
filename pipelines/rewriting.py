"""Documents with plain text, treated for personal data, and their sections moved along."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, pairwise

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.normalise import plain
from pipelines.privacy import Counts, PrivacyConfig, treat
from pipelines.privacy.search import as_counts
from pipelines.sections import Pieces, rejoin

_PII = pl.List(pl.Struct({"type": pl.String, "count": pl.Int32}))
_SECTIONS = pl.List(pl.Struct({"level": pl.Int8, "title": pl.String, "start": pl.Int32, "end": pl.Int32}))


def rewritten(documents: pl.DataFrame, *, citations: bool, privacy: PrivacyConfig) -> pl.DataFrame:
    """Documents with new `text` and `sections`, `pii`, and `personal`: the kinds for which each is refused, or null.

    A text is treated section by section, so that no section loses its place.
    """
    ends = _ends(documents["sections"])
    cut = [Pieces.at(text, offsets) for text, offsets in zip(documents["text"].to_list(), ends, strict=True)]
    column = pl.Series(list(chain.from_iterable(pieces.texts for pieces in cut)), dtype=pl.String)
    treated = treat(plain(column, citations=citations), config=privacy)
    bounds = list(accumulate((len(pieces.texts) for pieces in cut), initial=0))
    texts: list[str] = []
    places: list[int] = []
    for pieces, offsets, start, end in zip(cut, ends, bounds, bounds[1:], strict=False):
        text, moved = rejoin(pieces, treated.texts[start:end])
        texts.append(text)
        places += [moved[min(max(offset, 0), pieces.cuts[-1])] for offset in offsets]
    found = [summed(treated.counts[start:end]) for start, end in pairwise(bounds)]
    pii = pl.Series("pii", found, dtype=_PII)
    kinds = pii.list.eval(pl.element().struct.field("type")).list.join(", ")
    refused = kinds.replace("", None) if privacy.mode == "reject" else pl.lit(None, pl.String)
    return documents.with_columns(
        pl.Series("text", texts, dtype=pl.String), _moved(documents["sections"], places), pii, personal=refused
    )


def summed(found: Iterable[Counts]) -> Counts:
    """Counts of all pieces of one document, by type."""
    counts: dict[str, int] = {}
    for item in chain.from_iterable(found):
        counts[str(item["type"])] = counts.get(str(item["type"]), 0) + int(item["count"])
    return as_counts(counts)


def _ends(sections: pl.Series) -> list[list[int]]:
    """Start, end, start, end, … of the sections of each document."""
    pairs = pl.concat_list(pl.element().struct.field("start"), pl.element().struct.field("end"))
    lists = sections.list.eval(pairs.explode()).to_list()
    return [offsets or [] for offsets in lists]


def _moved(sections: pl.Series, places: Sequence[int]) -> pl.Series:
    """The sections with these starts and ends, in the order of `_ends`."""
    flat = sections.explode(empty_as_null=False, keep_nulls=False).struct.unnest()
    flat = flat.with_columns(start=pl.Series(places[::2], dtype=pl.Int32), end=pl.Series(places[1::2], dtype=pl.Int32))
    sizes = sections.list.len()
    bounds = np.concatenate([[0], np.cumsum(sizes.fill_null(0).to_numpy())])
    structs = flat.to_struct().to_arrow(compat_level=pl.CompatLevel.oldest())
    lists = pa.LargeListArray.from_arrays(bounds, structs, mask=pa.array(sizes.is_null().to_numpy()))
    return pl.Series("sections", lists).cast(_SECTIONS)
