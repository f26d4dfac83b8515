"""Which share of a corpus build goes into the identification of languages, for `benchmarks.language`.

The build is dump → pages → text → cleaning → duplicates in this process, without Parquet, checks and tokens, so that
the share is rather too large than too small.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from benchmarks import options as common
from benchmarks.texts import sample_dump
from pipelines import clean
from pipelines.dedup import find_duplicates
from pipelines.extract import extract
from pipelines.language import identify
from pipelines.sources import wikipedia

QUICK_PAGES = 200


def dumps(options: Namespace) -> list[Path]:
    if options.shared is None:
        return [sample_dump()]
    return sorted((options.shared / "wikipedia" / "multistream").glob("*.xml.bz2"))


def show(options: Namespace) -> None:
    """Print the share by dump, and over all dumps the goal."""
    rows, named, whole = [], 0.0, 0.0
    for path in dumps(options):
        share, total = measured(path, QUICK_PAGES if options.quick else None)
        rows.append((path.name[:30], f"{total:.1f}", f"{share:.2f}", f"{share / total:.1%}"))
        named, whole = named + share, whole + total
    print()
    common.table(("corpus build", "CPU-s", "languages CPU-s", "share"), rows)
    common.goal("share of a corpus build for languages", named / whole, at_most=0.10, form="{:.1%}")


def measured(path: Path, pages: int | None) -> tuple[float, float]:
    """CPU seconds of identification and of the whole build of a dump; models are loaded before."""
    identify(["One short text, so that every model is loaded."])
    spent: list[float] = []

    def timed(texts: Sequence[str]) -> list[tuple[str, float]]:
        taken, found = common.timed(lambda: identify(texts))
        spent.append(taken)
        return found

    kept = clean.identify
    clean.identify = timed  # type: ignore[assignment]
    try:
        total = common.seconds(lambda: build(path, pages))
    finally:
        clean.identify = kept
    return sum(spent), total


def build(path: Path, pages: int | None) -> None:
    documents, _ = extract(list(wikipedia.read(path, source="wiki", limit=pages)))
    candidates, _ = clean.clean(documents)
    find_duplicates([candidates.select])
