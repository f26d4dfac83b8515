"""Documents with plain text, treated for personal data, and their sections moved along."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, chain, pairwise

import polars as pl

from pipelines.columns import counted, offsets_of, with_offsets
from pipelines.normalise import plain
from pipelines.privacy import Counts, PrivacyConfig, treat
from pipelines.privacy.search import as_counts
from pipelines.sections import Pieces, rejoin


def rewritten(documents: pl.DataFrame, *, citations: bool, privacy: PrivacyConfig) -> pl.DataFrame:
    """Documents with new `text` and `sections`, `pii`, and `personal`: the kinds for which each is refused, or null.

    A text is treated section by section, so that no section loses its place.
    """
    ends = offsets_of(documents["sections"])
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
    kinds = (pii := counted("pii", found, of="type")).list.eval(pl.element().struct.field("type")).list.join(", ")
    refused = kinds.replace("", None) if privacy.mode == "reject" else pl.lit(None, pl.String)
    return documents.with_columns(
        pl.Series("text", texts, dtype=pl.String), with_offsets(documents["sections"], places), pii, personal=refused
    )


def summed(found: Iterable[Counts]) -> Counts:
    """Counts of all pieces of one document, by type."""
    counts: dict[str, int] = {}
    for item in chain.from_iterable(found):
        counts[str(item["type"])] = counts.get(str(item["type"]), 0) + int(item["count"])
    return as_counts(counts)
