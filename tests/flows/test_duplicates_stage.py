"""Duplicates and repeated lines through the stages of the corpus, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data.contracts import CONTRACTS
from flows.build import Output, Unit, build
from flows.job import Job, Ref, make_job
from flows.recipe import Recipe
from flows.stages import corpus

NOTICE = "Please log in to read the whole of this article and all of the others."
NAMES = ["river", "castle", "harbour", "forest", "museum", "garden", "bridge", "market"]


def text(number: int) -> str:
    """An article of its own words, with a notice that all have."""
    one, other, third = (NAMES[(number + i) % len(NAMES)] for i in (0, 2, 5))
    return (
        f"The {one} lies in the north of the country, and it is older than the {other} that people know.\n\n"
        f"{NOTICE}\n\n"
        f"Many of them come to see the {third} in the summer, when the {one} is open and the days are long. "
        f"They say that the {other} was built for the {one} by the family of the {third} in the year {1700 + number}."
    )


def run(root: Path, parts: list[list[str]], *, lines: int = 2) -> tuple[Job, Ref, Ref]:
    """The job, duplicates and corpus of documents in parts, numbered from 1."""
    recipe = Recipe.model_validate({"dedup": {"repeated": {"max_documents": lines}}, "max_failed_share": 0})
    job = make_job(
        lake=root, sources=["simplewiki"], pipeline="p", recipe=recipe, limit=None, run_id="r", started="2026-01-01"
    )
    units, first = [], 1
    for index, texts in enumerate(parts):
        units.append(Unit(index, f"k{index}", lambda texts=texts, first=first: documents(texts, first)))  # type: ignore[misc]
        first += len(texts)
    made = build(job, "documents", f"v{len(parts)}", units, inputs=[], config={})
    candidates = corpus.candidates(job, made)
    duplicates = corpus.duplicates(job, candidates)
    return job, duplicates, corpus.corpus(job, candidates, duplicates)


def documents(texts: list[str], first: int) -> Output:
    schema = pl.Schema(pl.DataFrame(pl.from_arrow(CONTRACTS["documents"].schema.empty_table())).schema)
    rows: list[dict[str, Any]] = [
        {"doc_id": f"s:{i}", "source": "s", "text": text, "sections": []} for i, text in enumerate(texts, first)
    ]
    return Output(pl.DataFrame(rows, schema=schema), {"in": len(rows), "kept": len(rows), "filtered": {}, "failed": {}})


def test_duplicates_go_and_repeated_lines_are_taken_out(tmp_path: Path) -> None:
    job, duplicates, made = run(tmp_path, [[text(1), text(2), text(3)], [text(4), text(2).replace(",", ";")]])
    found = corpus.read(job, duplicates)
    assert found.select("doc_id", "kept_doc_id", "cluster_id", "similarity").rows() == [("s:5", "s:2", "s:2", 1.0)]
    kept = corpus.read(job, made)
    assert kept["doc_id"].to_list() == ["s:1", "s:2", "s:3", "s:4"]
    assert not kept["text"].str.contains(NOTICE, literal=True).any()
    facts = [part["facts"]["repeated_lines"] for part in job.manifest(made)["parts"]]
    assert [fact["lines"] for fact in facts] == [3, 1]
    assert job.manifest(made)["counts"]["filtered"] == {"exact_duplicate": 1}
    assert list((tmp_path / "_staging" / "p").glob("*-*")) == []


def test_added_part_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    old = [[text(1), text(2), text(3)], [text(4), text(5)]]
    job, _, before = run(tmp_path, old)
    _, _, after = run(tmp_path, [*old, [text(2), text(7)]])
    files = [[part["file"] for part in job.manifest(ref)["parts"]] for ref in (before, after)]
    assert files[1][:2] == files[0]
    assert corpus.read(job, after)["doc_id"].to_list() == ["s:1", "s:2", "s:3", "s:4", "s:5", "s:7"]


def test_a_part_without_duplicates_is_not_read_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = corpus.read_part

    def counted(job: Job, ref: Ref, part: dict[str, Any], columns: list[str] | None = None) -> pl.DataFrame:
        asked.append(part["index"])
        return real(job, ref, part, columns)

    monkeypatch.setattr(corpus, "read_part", counted)
    job, _, made = run(tmp_path, [[text(1), text(2)], [text(3), text(2)], [text(5)]], lines=0)
    assert corpus.read(job, made)["doc_id"].to_list() == ["s:1", "s:2", "s:3", "s:5"]
    assert asked == [1]


def test_a_corpus_that_is_published_counts_no_lines_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [[text(i) for i in range(4)]]
    _, _, before = run(tmp_path, texts)
    monkeypatch.setattr("pipelines.dedup.repeated_lines", None)
    _, _, after = run(tmp_path, texts)
    assert (before.reused, after.reused) == (False, True)
    assert before.version == after.version
