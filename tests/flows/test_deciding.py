"""What decides a dataset changes its version and the keys of its parts; nothing else does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.job import Job, make_job
from flows.recipe import Recipe
from flows.stages import corpus, documents, versions
from pipelines import quality
from pipelines.quality import QualityRecipe, Rule, gopher, registry


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


def posts(folder: Path) -> Path:
    """A source; what it holds does not matter."""
    path = folder / "posts.txt"
    path.write_text("Words.", "utf-8")
    return path


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


MINE = Rule(reason="fewer_than_mine", signal=gopher.n_words, least=3, cites="this test")


@pytest.mark.parametrize(
    ("recipe", "rule"),
    [
        (QualityRecipe(name="mine", rules=("fewer_than_mine",), thresholds={"fewer_than_mine": 4}), MINE),
        (QualityRecipe(name="mine", rules=("fewer_than_mine", "too_many_hashes")), MINE),
        (QualityRecipe(name="mine", rules=("fewer_than_mine",), citations=True), MINE),
        (QualityRecipe(name="mine", rules=("fewer_than_mine",)), MINE.at(4)),
        (QualityRecipe(name="mine", rules=("fewer_than_mine",)), replace(MINE, languages=quality.ENGLISH)),
    ],
)
def test_what_a_recipe_of_a_user_says_decides_the_candidates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: QualityRecipe, rule: Rule
) -> None:
    found = []
    for named, own in ((QualityRecipe(name="mine", rules=("fewer_than_mine",)), MINE), (recipe, rule)):
        monkeypatch.setitem(registry.RULES, own.reason, own)
        monkeypatch.setitem(registry.RECIPES, named.name, named)
        job = made_job(tmp_path, posts(tmp_path), Recipe.model_validate({"clean": {"recipe": "mine"}}))
        found.append(versions.candidates(job, "d"))
    assert found[0] != found[1]


@pytest.fixture
def releases(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Versions of libraries that a test may change."""
    found = dict.fromkeys(("polars", "pyarrow"), "2.1.0") | {"tokenizers": "0.23.1", "lxml": "6.0.1"}
    found |= {"trafilatura": "2.3.0", "pycld2": "0.42", "py3langid": "0.4.0", "python-stdnum": "2.2"}
    monkeypatch.setattr("importlib.metadata.version", found.__getitem__)
    monkeypatch.setattr("flows.job._release", found.__getitem__)  # which remembers what it looked up
    return found


def found_versions(tmp_path: Path, source: str, recipe: Recipe) -> tuple[str, str]:
    """The versions of documents and candidates."""
    (tmp_path / source).write_text("Some words.")
    job = made_job(tmp_path, tmp_path / source, recipe)
    return versions.documents(job, []), versions.candidates(job, "d")


@pytest.mark.parametrize(
    ("library", "source", "options", "changes"),
    [
        ("trafilatura", "a.html", {}, (True, False)),
        ("trafilatura", "a.jsonl", {"sources": {"a": {"markup": "html"}}}, (True, False)),
        ("trafilatura", "a.jsonl", {}, (False, False)),
        ("trafilatura", "a.xml", {}, (False, False)),
        ("pycld2", "a.txt", {}, (False, True)),
        ("py3langid", "a.txt", {}, (False, True)),
        ("python-stdnum", "a.txt", {}, (False, True)),
        ("python-stdnum", "a.txt", {"clean": {"privacy": {"kinds": ["email"]}}}, (False, False)),
    ],
)
def test_a_release_of_a_library_decides_what_it_works_on(
    tmp_path: Path, releases: dict[str, str], library: str, source: str, options: dict[str, Any], changes: tuple[bool]
) -> None:
    recipe = Recipe.model_validate(options)
    before = found_versions(tmp_path, source, recipe)
    releases[library] += ".9"
    after = found_versions(tmp_path, source, recipe)
    assert tuple(one != other for one, other in zip(before, after, strict=True)) == changes


@pytest.mark.parametrize(
    ("library", "release", "changes"),
    [
        ("tokenizers", "0.24.0", True),
        ("tokenizers", "0.23.9", False),
        ("polars", "3.0", True),
        ("polars", "2.9", False),
    ],
)
def test_a_release_that_may_break_things_decides_every_dataset(
    releases: dict[str, str], library: str, release: str, changes: bool
) -> None:
    before = versions.tokens("c", "t")
    releases[library] = release
    assert (versions.tokens("c", "t") != before) is changes


def test_a_file_in_a_folder_keeps_its_id_when_others_join_it(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.txt").write_text("Some words of one.")
    assert ids(made_job(tmp_path, folder)) == ["texts:deep/a.txt"]
    (folder / "deep" / "b.txt").write_text("Some words of another.")
    assert ids(made_job(tmp_path, folder)) == ["texts:deep/a.txt", "texts:deep/b.txt"]


def test_place_of_an_evaluation_set_decides_nothing_and_its_content_does(tmp_path: Path) -> None:
    found = []
    for name, content in (("a", "one two three"), ("b", "one two three"), ("c", "one two four")):
        (tmp_path / f"{name}.txt").write_text(content)
        sets = {"exam": str(tmp_path / f"{name}.txt")}
        recipe = Recipe.model_validate({"clean": {"decontamination": {"sets": sets, "n": 3}}})
        found.append(versions.candidates(made_job(tmp_path, posts(tmp_path), recipe), "d"))
    assert found[0] == found[1] != found[2]


def test_recipe_of_cleaning_is_that_of_the_reader_for_globs_and_folders_that_are_gone(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.html").write_text(f"<html><p>Words of {name}.</p></html>")
    for place in (folder, folder / "*"):
        job = made_job(tmp_path, place)
        corpus.fetch(job, job.sources[0])
        assert versions.clean_config(job).recipe == "web"
    job = made_job(tmp_path, folder)
    folder.rename(tmp_path / "elsewhere")
    assert versions.clean_config(job).recipe == "web"
