"""What the report says of sources: also of folders, whose files have no sidecar each."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from flows import reporting
from flows.job import make_job
from flows.recipe import Recipe
from flows.stages import corpus


@pytest.mark.parametrize(("count", "shown"), [(1, ["0.txt"]), (2, ["0.txt", "1.txt"]), (21, ["posts: 21 files"])])
def test_report_tells_the_files_of_a_folder(count: int, shown: list[str], tmp_path: Path) -> None:
    (tmp_path / "posts").mkdir()
    for number in range(count):
        (tmp_path / "posts" / f"{number}.txt").write_text(f"The text {number}")
    job = make_job(
        lake=tmp_path / "lake",
        sources=[str(tmp_path / "posts")],
        pipeline=None,
        recipe=Recipe(),
        limit=None,
        run_id="r",
        started="",
        workers=0,
    )
    raw = corpus.fetch(job, job.sources[0])
    inputs = job.manifest(corpus.documents(job, raw))["inputs"]
    facts = reporting.sources_of(job, inputs)
    assert [fact.file for fact in facts] == shown
    assert sum(fact.bytes for fact in facts) == sum(file.bytes for file in raw)
    assert all(fact.licence == "unknown" and not fact.url for fact in facts)


def test_report_shows_the_signals_that_differ() -> None:
    quality = pl.DataFrame({"a": [0.0, 0.0, 0.0], "b": [1.0, None, 2.0], "c": [None, 3.0, None], "d": [None] * 3})
    assert reporting.signals(quality) == {"b": [1.0, 2.0]}
