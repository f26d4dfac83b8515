"""Wikitext to text: what is left of the markup, which words are kept, how fast it goes.

Reads every dump under `wikipedia` of the shared data (also cut and odd ones, salvaged), else the embedded sample.
Residue is defined in `benchmarks/residue.py`. Kept words: of the words that mwparserfromhell's `strip_code` leaves
in paragraphs and lists (`benchmarks/peers/markup.py`), how many are in our text, counted with repeats.
"""

from __future__ import annotations

import argparse
import bz2
import cProfile
import pstats
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks import options as common
from benchmarks.residue import faults_of, words_of
from benchmarks.texts import sample_dump
from pipelines.extract import extract
from pipelines.sources import wikipedia
from pipelines.sources.records import Record, SourceError
from pipelines.wikitext.names import hidden_names

QUICK_SHARE = 12
LARGE = 5.0
"""Megabytes of XML from which on a dump is worth timing."""
ROWS = 10


@dataclass
class Totals:
    """What is counted over all dumps."""

    pages: int = 0
    clean: int = 0
    kept: int = 0
    words: int = 0
    megabytes: float = 0.0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    timed: list[Record] = field(default_factory=list)


def dumps(shared: Path | None) -> list[Path]:
    if shared is None:
        return [sample_dump()]
    return [path for path in sorted((shared / "wikipedia").rglob("*")) if path.name.endswith((".xml", ".xml.bz2"))]


def records_of(paths: list[Path]) -> Iterator[tuple[str, float, list[Record]]]:
    """Name, megabytes of XML and pages of each dump that can be read."""
    for path in paths:
        try:
            records = list(wikipedia.read(path, source="wiki", salvage=True))
        except SourceError as error:
            common.left_out(path.name, error.reason)
            continue
        data = path.read_bytes()
        size = len(bz2.decompress(data) if path.suffix == ".bz2" else data) / 1e6
        yield path.name.replace("-pages-articles-multistream.truncated", ""), size, records


def compare(python: str, records: list[Record], texts: dict[str, str], totals: Totals) -> str:
    """Count the words of the peer that our texts hold; return their share."""
    pages = [{"text": record.text, "hidden": sorted(hidden_names(record.namespaces))} for record in records]
    kept = words = 0
    for record, peer in zip(records, common.ask(python, "benchmarks.peers.markup", pages), strict=True):
        theirs = words_of(peer)
        lost = theirs - words_of(texts.get(record.doc_id or "", ""))
        totals.missing.update(lost)
        words += theirs.total()
        kept += theirs.total() - lost.total()
    totals.kept += kept
    totals.words += words
    return share(kept, words)


def share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else ""


def speed(megabytes: float, records: list[Record], runs: int, totals: Totals) -> str:
    """MB of XML per CPU-second of `extract`."""
    seconds = common.medians({"extract": partial(common.seconds, partial(extract, records))}, runs)["extract"]
    totals.megabytes += megabytes
    totals.seconds += seconds
    totals.timed += records
    return f"{megabytes / seconds:.1f}"


def check(name: str, texts: dict[str, str], pages: dict[str, Record], totals: Totals) -> str:
    """Count pages with residue; return the share of the others."""
    faulty = 0
    for doc_id, text in texts.items():
        faults = faults_of(text, pages[doc_id].text)
        faulty += bool(faults)
        totals.kinds.update({kind for kind, _ in faults})
        for kind, around in faults:
            totals.examples.setdefault(kind, f"{name[:6]} {pages[doc_id].title}: {around}")
    totals.pages += len(texts)
    totals.clean += len(texts) - faulty
    return share(len(texts) - faulty, len(texts))


def measure(options: argparse.Namespace) -> Totals:
    """Print a line per dump."""
    totals, rows = Totals(), []
    has_peers = common.has_peers(options, "kept words")
    for name, megabytes, records in records_of(dumps(options.shared)):
        pages = {record.doc_id or "": record for record in records if record.reject is None}
        documents, _ = extract(records)
        texts = dict(zip(documents["doc_id"], documents["text"], strict=True))
        compared = list(pages.values())[:: QUICK_SHARE if options.quick else 1]
        words = compare(options.peers, compared, texts, totals) if has_peers else ""
        fast = speed(megabytes, records, 1 if options.quick else 3, totals) if megabytes > LARGE else ""
        rows.append((name[:44], len(texts), check(name, texts, pages, totals), words, f"{megabytes:.1f}", fast))
    common.table(("dump", "pages", "clean", "words", "MB XML", "MB/CPU-s"), rows)
    return totals


def report(totals: Totals) -> None:
    """The commonest faults and missing words, where the time goes, and the goals."""
    print(f"\nten commonest faults, of {totals.pages} pages")
    common.table(("fault", "pages"), totals.kinds.most_common(ROWS))
    for kind, _ in totals.kinds.most_common(ROWS):
        print(f"  {kind}: {totals.examples[kind]}")
    if totals.seconds:
        print(f"\nspeed: {totals.megabytes / totals.seconds:.1f} MB of XML per CPU-second")
        profile(totals.timed)
    if totals.words:
        print("\nmost often missing:", ", ".join(f"{word} {count}" for word, count in totals.missing.most_common(30)))
        print(f"words compared: {totals.words:,}")
        common.goal("words of strip_code kept", totals.kept / totals.words, at_least=0.99, form="{:.2%}")
    common.goal("pages without residual markup", totals.clean / totals.pages, at_least=0.995, form="{:.2%}")


def profile(records: list[Record]) -> None:
    """Print where the time of `extract` goes."""
    profiler = cProfile.Profile()
    profiler.runcall(extract, records)
    entries = pstats.Stats(profiler).stats.items()  # type: ignore[attr-defined]
    found = [(entry[3], entry[0], name) for name, entry in entries if "pipelines" in name[0]]
    rows = [(f"{Path(path).stem}.{name}", f"{spent:.2f}", calls) for spent, calls, (path, _, name) in found]
    rows.sort(key=lambda row: -float(row[1]))
    common.table(("where the time goes", "cumulative s under the profiler", "calls"), rows[:20])


def main() -> None:
    report(measure(common.parser(__doc__).parse_args()))


if __name__ == "__main__":
    main()
