"""Small MediaWiki dumps for tests, made on the spot."""

from __future__ import annotations

import bz2
from pathlib import Path

SUBJECTS = (
    "The river", "A captain", "The museum", "Her orchestra", "The old bridge", "A young painter",
    "The northern railway", "His laboratory", "The village council", "A famous actor", "The harbour", "The cathedral",
)  # fmt: skip
VERBS = ("crossed", "described", "rebuilt", "followed", "supported", "financed", "visited", "governed", "abandoned")
OBJECTS = (
    "the narrow valley", "a collection of maps", "the winter market", "many of the islands", "the royal garden",
    "an early telescope", "the stone tower", "the local newspaper", "two merchant ships", "the first parliament",
)  # fmt: skip

HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" version="0.10" xml:lang="en">
  <siteinfo><sitename>Wikipedia</sitename><dbname>enwiki</dbname><base>https://en.wikipedia.org/wiki/Main_Page</base>
  <namespaces><namespace key="0" /><namespace key="14">Category</namespace></namespaces></siteinfo>
"""
TAIL = "</mediawiki>\n"


def article(number: int, *, sentences: int = 40) -> str:
    """Wikitext of some length: a lead, two headings, links; every number gives another text."""
    lines = []
    for i in range(sentences):
        seed = number * 7919 + i * 104729
        subject, verb, thing = SUBJECTS[seed % 12], VERBS[seed // 12 % 9], OBJECTS[seed // 108 % 10]
        lines.append(
            f"{subject} {verb} {thing} in {1700 + seed % 300}, and it was the [[work]] of number {seed % 997}."
        )
    body = len(lines) // 4
    parts = (lines[:body], lines[body : 2 * body], lines[2 * body :])
    return "\n\n== History ==\n".join(" ".join(part) for part in parts[:2]) + "\n\n== Later ==\n" + " ".join(parts[2])


def page(number: int, text: str, *, ns: int = 0, title: str | None = None, redirect: bool = False) -> str:
    """One page element."""
    mark = '<redirect title="Elsewhere" />' if redirect else ""
    return (
        f"<page><title>{title or f'Subject {number}'}</title><ns>{ns}</ns><id>{number}</id>{mark}"
        f"<revision><id>{number}</id><timestamp>2020-01-02T03:04:05Z</timestamp><model>wikitext</model>"
        f'<text xml:space="preserve">{text}</text></revision></page>\n'
    )


def articles(n: int) -> str:
    """Pages 1 to n, with a redirect and a category after them."""
    pages = [page(i, article(i)) for i in range(1, n + 1)]
    extra = [page(n + 1, "#REDIRECT [[Elsewhere]]", redirect=True), page(n + 2, "All.", ns=14, title="Category:All")]
    return "".join([*pages, *extra])


def write(path: Path, pages: str, *, head: str = HEAD, tail: str = TAIL) -> Path:
    """Write a dump, compressed."""
    path.write_bytes(bz2.compress((head + pages + tail).encode("utf-8")))
    return path


def write_streams(path: Path, streams: list[str]) -> Path:
    """Write a dump of several streams, as Wikimedia cuts them: each makes a part, which stays as long as it does."""
    texts = [HEAD + streams[0], *streams[1:], TAIL]
    path.write_bytes(b"".join(bz2.compress(text.encode("utf-8")) for text in texts))
    return path


SMALL = """
part_pages: 8
tokeniser: {vocab_size: 400}
models:
  word2vec: {dim: 8, epochs: 1, min_count: 2}
  gpt: {width: 16, heads: 2, layers: 1, context: 32, steps: 3, batch_size: 2, warmup_steps: 1, validation_batches: 1}
  entities: {iterations: 5}
  sentiment: {iterations: 5}
"""


def write_config(path: Path) -> Path:
    """Options that make every stage quick."""
    path.write_text(SMALL, "utf-8")
    return path
