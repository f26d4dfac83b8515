"""Options of a source reach its reader, and decide the version of the documents."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from data.errors import ConfigError
from data.forgotten import Tombstone, add
from data.lineage import dataset_id, graph, of_document
from flows.job import Job, make_job
from flows.recipe import Recipe
from flows.stages import corpus, versions
from flows.stages.documents import documents
from pipelines.sources import SourceError, read
from pipelines.sources.config import SourceConfig


def job(folder: Path, recipe: Recipe) -> Job:
    (folder / "pages.csv").write_text("body;key\nwords;7\n")
    source = [str(folder / "pages.csv")]
    return make_job(
        lake=folder, sources=source, pipeline=None, recipe=recipe, limit=None, run_id="r", started="2026-01-01T00:00:00"
    )


def test_options_of_the_config_reach_the_reader(tmp_path: Path) -> None:
    found = job(tmp_path, Recipe(sources={"pages": SourceConfig(fields={"id": "key"}, meta="none")}))
    source = found.sources[0]
    (record,) = read(source.path(), source=source.name, **versions.reading(found, source))
    assert (record.doc_id, record.text, record.meta) == ("pages:7", "words", None)


def test_options_decide_the_version_of_the_documents(tmp_path: Path) -> None:
    recipes = (Recipe(), Recipe(sources={"pages": SourceConfig(meta="none")}))
    plain, without_meta = (versions.documents(job(tmp_path, recipe), []) for recipe in recipes)
    assert plain != without_meta


def test_options_of_a_source_that_the_run_has_not_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sources: 'page' is no source of this run; its sources are called pages"):
        job(tmp_path, Recipe(sources={"page": SourceConfig(meta="none")}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "line"}, r"sources\.pages\.split: the csv reader has no such option; it has: delimiter"),
        ({"reader": "jsonl", "encoding": "latin-1", "delimiter": ";"}, r"delimiter: the jsonl reader has no such"),
    ],
)
def test_option_that_the_reader_has_not_is_refused_before_the_run(
    options: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        job(tmp_path, Recipe.model_validate({"sources": {"pages": options}}))


def test_file_that_no_reader_reads_is_refused_before_it_is_copied(tmp_path: Path) -> None:
    (tmp_path / "dump.xml.7z").touch()
    with pytest.raises(SourceError, match=r"dump\.xml\.7z: files of this kind"):
        make_job(
            lake=tmp_path,
            sources=[str(tmp_path / "dump.xml.7z")],
            pipeline=None,
            recipe=Recipe(),
            limit=None,
            run_id="r",
            started="",
        )


@pytest.mark.parametrize(
    ("doc_id", "file", "place"),
    [("shards:7", "a.jsonl", "line=1"), ("shards:9", "b.jsonl", "line=2"), ("shards:8", "b.jsonl", "line=1")],
)
def test_a_record_of_one_file_of_many_is_traced_to_its_file_and_line(
    tmp_path: Path, doc_id: str, file: str, place: str
) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"id": "7", "text": "some words"}\n')
    (folder / "b.jsonl").write_text('{"id": "8", "text": ""}\n{"id": "9", "text": "more words"}\n')
    found = job_on(tmp_path / "lake", str(folder))
    made = documents(found, corpus.fetch(found, found.sources[0]))
    whole = graph(found.lake, {})
    shown = of_document(found.lake, whole, doc_id, [dataset_id(found.pipeline, "documents", made.version)])
    assert [(node.name, node.state) for node in shown.nodes.values() if node.kind == "source"] == [(file, place)]


def test_a_file_of_the_same_name_in_another_source_is_not_named(tmp_path: Path) -> None:
    for folder in ("posts", "more"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jsonl").write_text(f'{{"id": "7", "text": "some words of {folder}"}}\n')
    sources = [str(tmp_path / folder) for folder in ("posts", "more")]
    found = make_job(
        lake=tmp_path / "lake", sources=sources, pipeline="p", recipe=Recipe(), limit=None, run_id="r", started=""
    )
    made = documents(found, [file for source in found.sources for file in corpus.fetch(found, source)])
    whole = graph(found.lake, {})
    shown = of_document(found.lake, whole, "more:7", [dataset_id(found.pipeline, "documents", made.version)])
    files = [(node.facts["source"], node.state) for node in shown.nodes.values() if node.kind == "source"]
    assert files == [("more", "line=1")]


def test_a_forgotten_record_is_rejected_where_it_stood(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text('{"id": "7", "text": "some words"}\n{"id": "9", "text": "more words"}\n')
    found = job_on(tmp_path, str(tmp_path / "posts.jsonl"))
    add(found.lake, Tombstone(ids=("posts:9",), reason="asked", when="t"))
    made = documents(found, corpus.fetch(found, found.sources[0]))
    (rejects,) = found.path(made).glob("_rejects/*.parquet")
    assert pl.read_parquet(rejects)["origin"].to_list() == ["posts.jsonl#line=2"]


def job_on(folder: Path, word: str) -> Job:
    return make_job(
        lake=folder / "lake", sources=[word], pipeline="p", recipe=Recipe(), limit=None, run_id="r", started=""
    )


def test_recipe_of_a_glob_and_of_a_folder_that_is_gone_follows_what_is_in_the_lake(tmp_path: Path) -> None:
    (tmp_path / "crawl").mkdir()
    for name in ("a.html", "b.html"):
        (tmp_path / "crawl" / name).write_text("<p>Words.</p>")
    for word in (f"{tmp_path}/crawl/*", f"{tmp_path}/crawl"):
        made = job_on(tmp_path, word)
        corpus.fetch(made, made.sources[0])
        assert versions.clean_config(made).recipe == "web"
    before = versions.documents(made, [])
    (tmp_path / "crawl").rename(tmp_path / "away")
    gone = job_on(tmp_path, f"{tmp_path}/crawl")
    assert versions.clean_config(gone).recipe == "web"
    assert versions.documents(gone, []) == before
