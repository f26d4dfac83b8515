"""Memory depends on the size of parts, not on that of the corpus."""

from __future__ import annotations

from pathlib import Path

import pytest
from dumps import articles, write
from faulty import Site

TOLERANCE = 1.15


@pytest.mark.long
def test_four_times_the_corpus_takes_the_same_memory(site: Site, tmp_path: Path) -> None:
    (tmp_path / "parts.yaml").write_text("part_pages: 200\ntokeniser: {vocab_size: 400}\n", "utf-8")
    peaks = []
    for pages in (800, 3200):
        source = write(tmp_path / f"pages{pages}.xml.bz2", articles(pages))
        words = {"source": str(source), "config": str(tmp_path / "parts.yaml")}
        done = site.driver.run("corpus", tmp_path / f"lake{pages}", **words)
        assert done.status == 0, done.output
        peaks.append(done.peak)
    assert peaks[1] < TOLERANCE * peaks[0], peaks
