"""Make a large multistream dump out of small ones: new ids and titles, and other words, so that copies differ.

    python benchmarks/generator.py --shared DIR --megabytes 100 large-pages-articles-multistream.xml.bz2

`--megabytes` counts XML. The first copy of a page is the page itself. In each further copy about one word in five of
running text is another word of the same page, so that near-duplicate detection does not take the copies for one
document. The same arguments give the same bytes. Streams hold 100 pages, as those of Wikimedia do.
"""

from __future__ import annotations

import argparse
import bz2
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count, islice
from pathlib import Path
from random import Random

STREAM_PAGES = 100
_PAGE = re.compile(r"[ \n]*<page>.*?</page>\n?", re.DOTALL)
_TITLE = re.compile(r"(<title>)(.*?)(</title>)")
_ID = re.compile(r"<id>\d+</id>")
_WORD = re.compile(r"(?<= )[^\W\d_]{3,}(?=[ ,.;:](?!=))")
_SHARE = 5


def dumps_of(shared: Path) -> list[Path]:
    """The multistream dumps of the shared data."""
    found = sorted((shared / "wikipedia" / "multistream").glob("*.xml.bz2"))
    if not found:
        raise SystemExit(f"{shared} holds no wikipedia/multistream/*.xml.bz2")
    return found


def read(path: Path) -> tuple[str, list[str]]:
    """What stands before the first page, and the pages."""
    xml = bz2.decompress(path.read_bytes()).decode("utf-8")
    return xml[: xml.index("<page>")].rstrip(" "), _PAGE.findall(xml)


def copied(page: str, number: int, copy: int) -> str:
    """A page under a new id; from the second copy on with a new title and other words."""
    page = _ID.sub(f"<id>{number}</id>", page, count=1)
    if not copy:
        return page
    page = _TITLE.sub(rf"\g<1>\g<2> ({copy})\g<3>", page, count=1)
    start, end = page.find(">", page.find("<text")) + 1, page.find("</text>")
    if end < start:
        return page
    text = page[start:end]
    words = _WORD.findall(text)
    random = Random(number)

    def other(found: re.Match[str]) -> str:
        return found[0] if random.randrange(_SHARE) else random.choice(words)

    return page[:start] + _WORD.sub(other, text) + page[end:]


def pages_of(dumps: list[list[str]]) -> Iterator[tuple[str, int, int]]:
    """Page, new id and number of the copy, without end; the dumps take turns."""
    number = count(1)
    for copy in count():
        for position in range(max(map(len, dumps))):
            yield from ((pages[position], next(number), copy) for pages in dumps if position < len(pages))


def stream(batch: list[tuple[str, int, int]]) -> tuple[bytes, int]:
    """The compressed stream of some pages, and how many bytes of XML it holds."""
    xml = "".join(copied(*page) for page in batch).encode("utf-8")
    return bz2.compress(xml), len(xml)


def generate(dumps: list[Path], target: Path, size: int) -> int:
    """Write a dump of at least `size` bytes of XML; returns its bytes of XML."""
    read_dumps = [read(path) for path in dumps]
    head = read_dumps[0][0].encode("utf-8")
    pages = pages_of([pages for _, pages in read_dumps])
    workers = len(os.sched_getaffinity(0))
    written = len(head)
    with target.open("wb") as file, ProcessPoolExecutor(workers) as pool:
        file.write(bz2.compress(head))
        while written < size:
            batches = [list(islice(pages, STREAM_PAGES)) for _ in range(2 * workers)]
            for packed, length in pool.map(stream, batches):
                if written < size:
                    file.write(packed)
                    written += length
        file.write(bz2.compress(b"</mediawiki>\n"))
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=os.environ.get("TEXTMILL_SHARED_DATA"))
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    written = generate(dumps_of(Path(options.shared)), options.target, options.megabytes * 1_000_000)
    print(f"{options.target}: {written / 1e6:.0f} MB of XML, {options.target.stat().st_size / 1e6:.0f} MB compressed")


if __name__ == "__main__":
    main()
