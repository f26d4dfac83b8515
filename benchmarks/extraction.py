"""Wikitext to text: what is left of the markup, which words are kept, how fast it goes.

    python benchmarks/extraction.py FOLDER [--peer PYTHON] [--share 4]

FOLDER holds dumps (default: $TEXTMILL_SHARED_DATA/wikipedia). PYTHON is an interpreter that has mwparserfromhell.

Residue is what `FAULTS` matches in the extracted text, unless the same characters stand in the page's own literal text:
inside <nowiki>, <code>, <math> and the like, in a template for code, or written with entities.

Kept words: of the words that `strip_code` leaves in paragraphs and lists, how many are in our text, counted with
repeats. Taken out before, being no prose: headings (those of empty sections are dropped here), tables, notes,
links of files, categories and other languages. A word is a run of letters and digits, or one character where the
script does not part words.
"""

from __future__ import annotations

import argparse
import bz2
import cProfile
import html
import json
import os
import pstats
import re
import statistics
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.extract import extract
from pipelines.sources import READERS
from pipelines.sources.records import Record, SourceError
from pipelines.wikitext.names import hidden_names

TAGS = (
    "ref|br|span|div|small|big|sup|sub|center|table|tr|td|th|gallery|nowiki|math|poem|blockquote|code|pre|font|b|i|u|s|p|"
    "li|ul|ol|references|includeonly|noinclude|onlyinclude|source|syntaxhighlight|timeline|section|tt|cite|hr"
)
FAULTS = {
    "template braces": re.compile(r"\{\{+|\}\}+"),
    "link brackets": re.compile(r"\[\[|\]\]"),
    "external link": re.compile(r"\[(?:https?:)?//\S*"),
    "table pipes": re.compile(r"^[ \t]*(?:\||\{\||!!).*|\|\||\{\||\|\}", re.MULTILINE),
    "tag": re.compile(rf"</?(?:{TAGS})\b[^<>]*>", re.IGNORECASE),
    "bold or italic": re.compile(r"''+"),
    "magic word": re.compile(r"__[A-Z]{3,}__|\bDEFAULTSORT:"),
    "entity": re.compile(r"&(?:nbsp|lt|gt|amp|quot|ndash|mdash|thinsp|#\d{1,6}|#x[0-9a-fA-F]{1,5});"),
    "heading": re.compile(r"^==+[^=\n].*==+$", re.MULTILINE),
    "comment": re.compile(r"<!--"),
    "language converter": re.compile(r"-\{[^{}\n]*\}-"),
}
LITERAL = re.compile(
    r"<(nowiki|code|math|chem|pre|source|syntaxhighlight|tt|kbd|samp)\b[^<>]*>(.*?)</\1>", re.DOTALL | re.IGNORECASE
)
CODE_TEMPLATE = re.compile(r"\{\{\s*(?:code|mono|kbd|tl|tlx|mã)\s*\|([^{}]*)", re.IGNORECASE)
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
PEER = r"""
import json, re, sys
import mwparserfromhell as mw
from mwparserfromhell.nodes import Heading, Tag, Wikilink
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z-]+)?$")
DROPPED = {"table", "ref", "references", "td", "tr", "th"}

def unwanted(node, hidden):
    if isinstance(node, Wikilink):
        prefix, colon, _ = str(node.title).partition(":")
        prefix = prefix.strip().lower().replace("_", " ")
        return bool(colon) and (prefix in hidden or bool(LANGUAGE.match(prefix)))
    return isinstance(node, Heading) or str(node.tag).strip().lower() in DROPPED

for line in sys.stdin:
    page = json.loads(line)
    hidden = set(page["hidden"])
    code = mw.parse(page["text"])
    for node in code.filter(recursive=True, forcetype=(Tag, Wikilink, Heading)):
        if unwanted(node, hidden):
            try:
                code.remove(node)
            except ValueError:
                pass  # inside another that is gone
    text = str(code.strip_code(normalize=True, collapse=True))
    lines = [l for l in text.split("\n") if not l.lstrip().startswith(("|", "!", "{|")) and "||" not in l]
    print(json.dumps("\n".join(lines)))
"""


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
    examples: dict[str, list[str]] = field(default_factory=dict)
    timed: list[Record] = field(default_factory=list)


def records_of(folder: Path) -> Iterator[tuple[str, float, list[Record]]]:
    """Name, megabytes of XML and pages of each dump that can be read."""
    for path in sorted(folder.rglob("*")):
        if not path.name.endswith((".xml", ".xml.bz2")) or "broken" in path.name:
            continue
        try:
            records = list(READERS["wikipedia"](path, source="wiki"))
        except SourceError as error:
            print(f"not read: {path.name} ({error.reason})")
            continue
        data = path.read_bytes()
        size = len(bz2.decompress(data) if path.suffix == ".bz2" else data) / 1e6
        yield path.name.replace("-pages-articles-multistream.truncated", ""), size, records


def faults_of(text: str, wikitext: str) -> list[tuple[str, str]]:
    """Kind of each fault, and the text around it."""
    found = [(kind, match) for kind, pattern in FAULTS.items() for match in pattern.finditer(text)]
    if not found:
        return []
    literal = html.unescape(html.unescape("\n".join(match[2] for match in LITERAL.finditer(wikitext))))
    literal += "\n".join(CODE_TEMPLATE.findall(wikitext)) + re.sub(r"\s+", " ", literal)
    return [
        (kind, text[max(0, match.start() - 30) : match.end() + 30].replace("\n", "⏎"))
        for kind, match in found
        if (match[0].strip() not in literal and html.escape(match[0].strip(), quote=False) not in wikitext)
        or (match[0].strip() in wikitext and match[0].strip() not in literal)
    ]  # fmt: skip


def words_of(text: str) -> Counter[str]:
    """Words of a text and how often each stands there."""
    return Counter(WORD.findall(unicodedata.normalize("NFC", text)))


def peer_texts(python: str, records: list[Record]) -> list[str]:
    """What strip_code leaves of these pages."""
    with tempfile.TemporaryFile("w+") as pages:
        for record in records:
            page = {"text": record.text, "hidden": sorted(hidden_names(record.namespaces))}
            pages.write(json.dumps(page) + "\n")
        pages.seek(0)
        done = subprocess.run([python, "-c", PEER], stdin=pages, stdout=subprocess.PIPE, check=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(python: str, records: list[Record], texts: dict[str, str], totals: Totals) -> str:
    """Count the words of the peer that our texts hold; return their share."""
    kept = words = 0
    for record, peer in zip(records, peer_texts(python, records), strict=True):
        theirs = words_of(peer)
        lost = theirs - words_of(texts.get(record.doc_id or "", ""))
        totals.missing.update(lost)
        words += theirs.total()
        kept += theirs.total() - lost.total()
    totals.kept += kept
    totals.words += words
    return f"{kept / max(words, 1):.2%}"


def speed(megabytes: float, records: list[Record], runs: int, totals: Totals) -> str:
    """MB of XML per CPU-second of `extract`, median of some runs."""
    taken = []
    for _ in range(runs):
        start = time.process_time()
        extract(records)
        taken.append(time.process_time() - start)
    seconds = statistics.median(taken)
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
            totals.examples.setdefault(kind, []).append(f"{name[:6]} {pages[doc_id].title}: {around}")
    totals.pages += len(texts)
    totals.clean += len(texts) - faulty
    return f"{(len(texts) - faulty) / max(len(texts), 1):.2%}"


def profile(records: list[Record]) -> None:
    """Print where the time of `extract` goes."""
    profiler = cProfile.Profile()
    profiler.runcall(extract, records)
    rows = [(entry[3], entry[0], name) for name, entry in pstats.Stats(profiler).stats.items()]  # type: ignore[attr-defined]
    print("\nwhere the time goes (cumulative seconds under the profiler)")
    for cumulative, calls, (path, _, function) in sorted(
        (row for row in rows if "pipelines" in row[2][0]), reverse=True
    )[:20]:
        print(f"{cumulative:8.2f} s {calls:9,} calls  {Path(path).stem}.{function}")


def measure(options: argparse.Namespace) -> Totals:
    """Print a line per dump."""
    totals = Totals()
    print(f"{'dump':44} {'pages':>6} {'clean':>7} {'words':>8} {'MB XML':>7} {'MB/CPU-s':>9}")
    for name, megabytes, records in records_of(options.folder):
        pages = {record.doc_id or "": record for record in records if record.reject is None}
        documents, _ = extract(records)
        texts = dict(zip(documents["doc_id"], documents["text"], strict=True))
        clean = check(name, texts, pages, totals)
        words = compare(options.peer, list(pages.values())[:: options.share], texts, totals) if options.peer else ""
        fast = speed(megabytes, records, options.runs, totals) if megabytes > 5 else ""
        print(f"{name[:44]:44} {len(texts):6} {clean:>7} {words:>8} {megabytes:7.1f} {fast:>9}")
    return totals


def report(totals: Totals, show: int) -> None:
    print(f"\npages without residue: {totals.clean / max(totals.pages, 1):.2%} of {totals.pages} (bar 99.5 %)")
    if totals.words:
        print(f"words of strip_code kept: {totals.kept / totals.words:.2%} of {totals.words:,} (bar 99 %)")
        print("most often missing:", ", ".join(f"{word} {count}" for word, count in totals.missing.most_common(30)))
    if totals.seconds:
        rate = totals.megabytes / totals.seconds
        print(f"speed: {rate:.1f} MB of XML per CPU-second, {1 / rate:.4f} CPU-s per MB (bar 0.035)")
    print("\nten commonest faults (pages)")
    for kind, count in totals.kinds.most_common(10):
        print(f"{count:6} {kind}")
        for example in totals.examples[kind][:show]:
            print(f"         {example}")


def main() -> None:
    shared = os.environ.get("TEXTMILL_SHARED_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(shared) / "wikipedia" if shared else None)
    parser.add_argument("--peer", help="interpreter with mwparserfromhell")
    parser.add_argument("--share", type=int, default=4, help="compare every n-th page with the peer")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--show", type=int, default=1, help="examples of each fault")
    options = parser.parse_args()
    if options.folder is None:
        sys.exit("Name a folder with dumps, or set TEXTMILL_SHARED_DATA.")
    totals = measure(options)
    report(totals, options.show)
    if totals.timed:
        profile(totals.timed)


if __name__ == "__main__":
    main()
