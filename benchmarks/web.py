"""Main text of web pages: textmill beside other extractors, on the pages with gold text of the shared data.

Scores follow the benchmark of the set (https://github.com/scrapinghub/article-extraction-benchmark): bags of word
4-grams, each page's counts divided by their sum, precision and recall over all pages; the same for single words.
CPU seconds without those of imports and of the first page, medians of runs in turns.
"""

from __future__ import annotations

import argparse
import gzip
import re
import statistics
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.options import answer, ask, has_peers, has_shared, in_turns, parser, table, timed

RUNS = 3
WORD = re.compile(r"\w+")


def textmill() -> Callable[[bytes], str]:
    from pipelines.main_text import main_text
    from pipelines.sources.web import decoded

    def text(page: bytes) -> str:
        html = decoded(page)
        return main_text(html).text if isinstance(html, str) else ""

    return text


def trafilatura(**options: Any) -> Callable[[], Callable[[bytes], str]]:
    def make() -> Callable[[bytes], str]:
        import trafilatura as library

        return lambda page: library.extract(page, include_comments=False, **options) or ""

    return make


def readability() -> Callable[[bytes], str]:
    import lxml.html
    from readability import Document

    return lambda page: lxml.html.fromstring(Document(page.decode()).summary()).text_content()


def resiliparse() -> Callable[[bytes], str]:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    return lambda page: extract_plain_text(
        HTMLTree.parse_from_bytes(page, "utf-8"), main_content=True, alt_texts=False, list_bullets=False
    )


EXTRACTORS = {
    "textmill": textmill,
    "trafilatura": trafilatura(),
    "trafilatura, fast": trafilatura(fast=True),
    "trafilatura, precision": trafilatura(favor_precision=True),
    "trafilatura, no tables": trafilatura(include_tables=False),
    "readability-lxml": readability,
    "resiliparse": resiliparse,
}


def pages(shared: Path) -> list[tuple[bytes, str]]:
    import pyarrow.parquet as pq

    rows = pq.read_table(shared / "web" / "article_extraction.parquet").to_pylist()
    return [(gzip.decompress(row["html_gz"]), row["article_body"]) for row in rows]


def serve(name: str, shared: str) -> dict[str, Any]:
    """In a process of its own: texts, and CPU seconds without those of imports and of the first page."""
    extractor, found = EXTRACTORS[name](), pages(Path(shared))
    extractor(found[0][0])
    spent, texts = timed(lambda: [safely(extractor, page) for page, _ in found])
    return {"seconds": spent, "texts": texts}


def safely(extractor: Callable[[bytes], str], page: bytes) -> str:
    try:
        return extractor(page)
    except Exception:  # a peer that fails on a page found nothing there
        return ""


def grams(text: str, n: int) -> Counter[tuple[str, ...]]:
    words = WORD.findall(text)
    return Counter(tuple(words[i : i + n]) for i in range(max(1, len(words) - n + 1))) if words else Counter()


def scores(gold: list[str], found: list[str], n: int) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    right = wrong = missed = 0.0
    for wanted, text in zip(gold, found, strict=True):
        a, b = grams(wanted, n), grams(text, n)
        both = (a & b).total()
        total = a.total() + b.total() - both
        right, wrong, missed = (
            right + both / total,
            wrong + (b.total() - both) / total,
            missed + (a.total() - both) / total,
        )
    precision, recall = right / (right + wrong or 1), right / (right + missed or 1)
    return precision, recall, 2 * precision * recall / (precision + recall or 1)


def extracted(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """What `serve` says, in the interpreter that has the extractor."""
    python = sys.executable if name == "textmill" else options.peers
    found: dict[str, Any] = ask(python, "benchmarks.web", str(options.shared), "--serve", name)
    return found


def report(options: argparse.Namespace) -> None:
    gold = [text for _, text in pages(options.shared)]
    names = EXTRACTORS if has_peers(options) else ["textmill"]
    runs = in_turns({name: partial(extracted, name, options) for name in names}, 1 if options.quick else RUNS)
    rows = []
    for name, found in runs.items():
        texts = found[0]["texts"]
        values = [f"{value:.4f}" for value in (*scores(gold, texts, 4), scores(gold, texts, 1)[2])]
        speed = len(gold) / statistics.median(run["seconds"] for run in found)
        rows.append((name, *values, sum(not text.strip() for text in texts), f"{speed:.1f}"))
    table(("", "precision", "recall", "F1 4-gram", "F1 word", "empty", "pages/CPU-s"), rows)


def main() -> None:
    command = parser(__doc__)
    command.add_argument("--serve", choices=EXTRACTORS, help=argparse.SUPPRESS)
    options = command.parse_args()
    if options.serve:
        answer(partial(serve, options.serve))
    elif has_shared(options, "main text of web pages"):
        report(options)


if __name__ == "__main__":
    main()
