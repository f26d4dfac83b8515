"""A document that was taken out, in the stages: it is rejected, only its part is made again, later versions know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dumps import HEAD, TAIL, article, page, write

from data.catalogue import find
from data.errors import TextmillError
from data.forgotten import Tombstone, add
from data.lake import MANIFEST
from flows.datasets import erasing
from flows.job import Job, Ref, make_job
from flows.recipe import Recipe
from flows.stages import corpus, documents, forgotten, labels, versions
from flows.stages.publish import release
from pipelines.download import RawFile, known

RECIPE = Recipe(part_pages=2)
ENTRY = {"ids": ["enwiki:3"], "reason": "asked", "when": "t"}


def job_of(tmp_path: Path, *sources: Path, **options: Any) -> Job:
    return make_job(
        lake=tmp_path / "lake", sources=[str(one) for one in sources], pipeline="p", recipe=RECIPE,
        limit=None, run_id="r", started="2026-01-01T00:00:00+00:00", workers=0, **options,
    )  # fmt: skip


def raw_of(job: Job) -> list[RawFile]:
    return [file for source in job.sources for file in corpus.fetch(job, source)]


def made(job: Job) -> Ref:
    return documents.documents(job, raw_of(job))


def stone(job: Job, *ids: str) -> None:
    add(job.lake, Tombstone(ids=ids, reason="asked", when="t"))


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return write(tmp_path / "d.xml.bz2", "".join(page(i, article(i)) for i in range(1, 7)))


def parts(job: Job, ref: Ref) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = job.manifest(ref)["parts"]
    return found


def test_a_forgotten_document_is_rejected_and_only_its_part_is_new(tmp_path: Path, dump: Path) -> None:
    job = job_of(tmp_path, dump)
    before = made(job)
    stone(job, "enwiki:3")
    after = made(job)
    assert after.version != before.version
    assert job.manifest(after)["counts"] == {"in": 6, "kept": 5, "filtered": {"forgotten": 1}, "failed": {}}
    old, new = ([part["key"] for part in parts(job, ref)] for ref in (before, after))
    assert [a == b for a, b in zip(old, new, strict=True)] == [True, False, True]
    rejects = pl.read_parquet(next(job.path(after).glob("_rejects/*.parquet")))
    assert rejects.select("doc_id", "origin", "stage", "kind", "reason").rows() == [
        ("enwiki:3", "d.xml.bz2#page=3", "extract", "filtered", "forgotten")
    ]


def test_the_next_version_finds_the_part_though_its_source_is_gone(
    tmp_path: Path, dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(tmp_path, dump)
    before = made(job)
    stone(job, "enwiki:3")
    middle = made(job)
    (job.path(before) / MANIFEST).unlink()  # gc took the version whose part held it
    stone(job, "enwiki:6")

    computed: list[int] = []
    from flows import build

    make = build.make
    monkeypatch.setattr(build, "make", lambda target, unit: computed.append(unit.index) or make(target, unit))
    after = made(job)
    assert computed == []
    assert parts(job, after)[1]["key"] == parts(job, middle)[1]["key"]
    assert job.manifest(after)["counts"]["filtered"] == {"forgotten": 2}


def test_the_bytes_are_the_same_whatever_was_there_before(tmp_path: Path, dump: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = job_of(tmp_path / "one", dump), job_of(tmp_path / "two", dump)
    for ids in (["enwiki:3"], ["enwiki:4", "enwiki:6"]):
        made(one)
        stone(one, *ids)
    stone(two, "enwiki:3", "enwiki:4", "enwiki:6")
    a, b = made(one), made(two)
    assert a.version == b.version
    names = ("key", "file", "sha256", "rejects_sha256", "counts")
    assert [[part[name] for name in names] for part in parts(one, a)] == [
        [part[name] for name in names] for part in parts(two, b)
    ]


def test_a_rewritten_version_holds_the_part_that_the_next_one_takes(tmp_path: Path, dump: Path) -> None:
    job = job_of(tmp_path, dump)
    before = made(job)
    stone(job, "enwiki:3")
    erasing.erase_versions(job.lake, "p", ["enwiki:3"], ENTRY)
    rewritten = parts(job, before)[1]
    after = made(job)
    assert parts(job, after)[1]["key"] == rewritten["key"]
    assert parts(job, after)[1]["sha256"] == rewritten["sha256"]
    (tmp_path / "fresh").mkdir()
    fresh = job_of(tmp_path / "fresh", dump)
    stone(fresh, "enwiki:3")
    assert parts(fresh, made(fresh))[1]["sha256"] == rewritten["sha256"]


def test_raw_files_are_rewritten_and_not_taken_for_damaged(tmp_path: Path, dump: Path) -> None:
    job = job_of(tmp_path, dump)
    made(job)
    stone(job, "enwiki:3")
    name = job.sources[0].name
    (row,) = erasing.erase_raw(
        job.lake, name, ["d.xml.bz2"], ["enwiki:3"], labelled=False, recipe=RECIPE, when="2026-01-02"
    )
    assert (row["file"], row["records"]) == ("d.xml.bz2", 1)
    (found,) = known(find(str(dump), raw=job.lake.raw), job.lake.raw / name) or []
    assert (found.sha256, found.rewritten) == (row["after"], "2026-01-02")
    after = made(job)
    assert job.manifest(after)["counts"] == {"in": 6, "kept": 5, "filtered": {"forgotten": 1}, "failed": {}}
    assert (
        list(erasing.erase_raw(job.lake, name, ["d.xml.bz2"], ["enwiki:3"], labelled=False, recipe=RECIPE, when="x"))
        == []
    )


def test_killed_between_a_raw_file_and_its_sidecar_the_same_call_mends_it(
    tmp_path: Path, dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(tmp_path, dump)
    (before,) = raw_of(job)
    options: dict[str, Any] = {"labelled": False, "recipe": RECIPE, "when": "t"}

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(erasing, "_amend", killed)
        list(erasing.erase_raw(job.lake, before.source, [before.name], ["enwiki:3"], **options))
    list(erasing.erase_raw(job.lake, before.source, [before.name], ["enwiki:3"], **options))
    (after,) = known(job.sources[0], job.lake.raw / before.source) or []
    assert after.sha256 != before.sha256
    assert not list(after.path.parent.glob(".*.erasing.json"))


def test_rows_of_several_files_are_listed_anew(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.jsonl").write_text(json.dumps({"id": name, "text": f"{name} " * 30}) + "\n")
    job = job_of(tmp_path, folder)
    files = raw_of(job)
    (row,) = erasing.erase_raw(
        job.lake, "rows", [file.name for file in files], ["rows:b", "other:a"], labelled=False, recipe=RECIPE, when="t"
    )
    assert row["file"] == "b.jsonl"
    after = known(job.sources[0], job.lake.raw / "rows") or []
    assert [file.path.read_text() for file in after][1] == "\n"


def test_ids_of_other_sources_change_no_version(tmp_path: Path, dump: Path) -> None:
    job = job_of(tmp_path, dump)
    raw = raw_of(job)
    before = versions.documents(job, raw)
    stone(job, "ukwiki:3", "rows:1")
    assert versions.documents(job, raw) == before
    stone(job, "enwiki:77")
    assert versions.documents(job, raw) != before


def test_a_source_that_does_not_tell_its_name_is_concerned_by_all(tmp_path: Path) -> None:
    path = write(tmp_path / "odd.xml.bz2", page(1, article(1)), head="<mediawiki>")
    raw = [RawFile(path=path, source="odd name", origin="", sha256="", bytes=1, licence="", name="odd.xml.bz2")]
    assert forgotten.source_names(raw, {}, 1000) is None
    raw = [RawFile(path=path, source="odd", origin="", sha256="", bytes=1, licence="", name="odd.own")]
    assert forgotten.source_names(raw, {"odd": "forum"}, 1000) is None
    assert forgotten.source_names(raw, {"odd": "jsonl"}, 1000) == {"odd"}


def test_a_dump_without_its_last_document_is_still_accounted_for(tmp_path: Path) -> None:
    job = job_of(
        tmp_path, write(tmp_path / "d.xml.bz2", "".join(page(i, article(i)) for i in (1, 2, 3)), head=HEAD, tail=TAIL)
    )
    stone(job, "enwiki:3")
    ref = made(job)
    assert [part["rows"] for part in parts(job, ref)] == [2, 0]


def test_a_labelled_row_stays_out(tmp_path: Path, dump: Path) -> None:
    job = job_of(tmp_path, dump)
    before = labels.dataset_of(job, "labelled_text")
    gone = corpus.read(job, before)["row_id"][0]
    stone(job, f"sentiment-sample:{gone}")
    after = labels.dataset_of(job, "labelled_text")
    assert after.rows == before.rows - 1
    assert gone not in corpus.read(job, after)["row_id"]
    assert job.manifest(after)["counts"]["filtered"] == {"forgotten": 1}


def test_what_was_forgotten_while_a_run_was_at_work_is_not_published(tmp_path: Path, dump: Path) -> None:
    job = job_of(tmp_path, dump)

    def made_of(found: Ref) -> list[Ref]:
        candidates = corpus.candidates(job, found)
        return [found, corpus.corpus(job, candidates, corpus.duplicates(job, candidates))]

    before = made_of(made(job))
    stone(job, "enwiki:99")
    assert release(job, before, [], None)["datasets"]["documents"] == before[0].version
    stone(job, "enwiki:3")
    with pytest.raises(TextmillError, match="enwiki:3: forgotten while this run was at work"):
        release(job, before, [], None)
    after = made_of(made(job))
    assert release(job, after, [], None)["datasets"]["documents"] == after[0].version
