"""What decides a dataset changes its version and the keys of its parts; nothing else does."""

from __future__ import annotations

from pathlib import Path

from flows.job import Job, make_job
from flows.recipe import Recipe
from flows.stages import corpus, documents


def made_job(tmp_path: Path, source: Path, recipe: Recipe | None = None) -> Job:
    """A job without workers."""
    return make_job(
        lake=tmp_path / "lake",
        sources=[str(source)],
        pipeline="p",
        recipe=recipe or Recipe(),
        limit=None,
        run_id="r",
        started="",
        workers=0,
    )


def ids(job: Job) -> list[str]:
    """The ids of the documents that a run makes."""
    ref = documents.documents(job, corpus.fetch(job, job.sources[0]))
    found: list[str] = corpus.read(job, ref, ["doc_id"])["doc_id"].to_list()
    return found


def test_a_file_with_another_name_is_another_document(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(f"Some words of {name}.")
    assert ids(made_job(tmp_path, folder)) == ["texts:a.txt", "texts:b.txt"]
    (folder / "b.txt").rename(folder / "c.txt")
    assert ids(made_job(tmp_path, folder)) == ["texts:a.txt", "texts:c.txt"]
