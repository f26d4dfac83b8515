"""Main text of web pages: textmill beside other extractors, on pages with gold text (web/article_extraction.parquet).

    python benchmarks/web.py SHARED_DATA --peers PYTHON

SHARED_DATA is the folder of the shared sets (or $TEXTMILL_SHARED_DATA); PYTHON is the interpreter of an environment
with benchmarks/web-requirements.txt, without which textmill is measured alone. Scores follow the benchmark of the set
(https://github.com/scrapinghub/article-extraction-benchmark): bags of word 4-grams, each page's counts divided by
their sum, precision and recall over all pages; the same for single words. CPU seconds, median of three runs each.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

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
    rows = pq.read_table(shared / "web" / "article_extraction.parquet").to_pylist()
    return [(gzip.decompress(row["html_gz"]), row["article_body"]) for row in rows]


def run_once(name: str, shared: Path) -> dict[str, Any]:
    """Texts, and CPU seconds without those of imports and of the first page."""
    extractor, found = EXTRACTORS[name](), pages(shared)
    extractor(found[0][0])
    start = time.process_time()
    texts = [safely(extractor, page) for page, _ in found]
    return {"seconds": time.process_time() - start, "texts": texts}


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


def in_process(name: str, shared: Path, python: str) -> dict[str, Any]:
    command = [python, __file__, str(shared), "--only", name]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    result: dict[str, Any] = json.loads(output)
    return result


def report(shared: Path, peers: str | None) -> None:
    gold = [text for _, text in pages(shared)]
    names = list(EXTRACTORS) if peers else ["textmill"]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(RUNS):
        for name in names:
            runs[name].append(in_process(name, shared, sys.executable if name == "textmill" else str(peers)))
    print(f"{'':24}{'precision':>10}{'recall':>10}{'F1 4-gram':>10}{'F1 word':>10}{'empty':>7}{'pages/CPU-s':>13}")
    for name in names:
        texts = runs[name][0]["texts"]
        values = [*scores(gold, texts, 4), scores(gold, texts, 1)[2]]
        speed = len(gold) / statistics.median(run["seconds"] for run in runs[name])
        empty = sum(not text.strip() for text in texts)
        print(f"{name:24}" + "".join(f"{value:10.4f}" for value in values) + f"{empty:7}{speed:13.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("shared", nargs="?", type=Path, default=os.environ.get("TEXTMILL_SHARED_DATA"))
    parser.add_argument("--peers")
    parser.add_argument("--only", choices=list(EXTRACTORS))
    options = parser.parse_args()
    if options.shared is None:
        sys.exit("give the folder of the shared data, or set TEXTMILL_SHARED_DATA")
    if options.only:
        print(json.dumps(run_once(options.only, options.shared)))
    else:
        report(Path(options.shared), options.peers)


if __name__ == "__main__":
    main()
