"""Dump to plain text: textmill beside gensim's WikiCorpus reader, one process, on the sample inside gensim.

Both read the same compressed file and clean the same pages; CPU seconds, medians of five alternating runs.
"""

from __future__ import annotations

import bz2
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from gensim.corpora.wikicorpus import extract_pages, filter_wiki
from gensim.test.utils import datapath

from pipelines.extract import extract
from pipelines.sources import READERS

DUMP = Path(datapath("enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"))
RUNS = 5


def ours() -> int:
    """Characters extracted by textmill."""
    documents, _ = extract(list(READERS["wikipedia"](DUMP)))
    return int(documents["text"].str.len_chars().sum())


def theirs() -> int:
    """Characters extracted by gensim."""
    with bz2.open(DUMP) as file:
        return sum(len(filter_wiki(text)) for _, text, _ in extract_pages(file, filter_namespaces=("0",)))


def seconds(work: Callable[[], int]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    with bz2.open(DUMP) as file:
        megabytes = len(file.read()) / 1e6
    runs = [(seconds(ours), seconds(theirs)) for _ in range(RUNS)]
    mine, peer = (statistics.median(column) for column in zip(*runs, strict=True))
    speeds = f"textmill {megabytes / mine:.1f} MB of XML per CPU-second, gensim {megabytes / peer:.1f}"
    print(f"{speeds}; ratio {peer / mine:.2f}")
    print(f"characters kept: textmill {ours():,}, gensim {theirs():,}")


if __name__ == "__main__":
    main()
