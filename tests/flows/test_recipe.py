from __future__ import annotations

import sys
from pathlib import Path

import pytest

from data.errors import ConfigError
from flows.job import Job, make_job
from flows.recipe import Recipe, read_recipe
from flows.stages import corpus, versions
from pipelines import sources
from pipelines.quality.registry import RECIPES, RULES

pytestmark = pytest.mark.usefixtures("registries")
FORUM = Path(__file__).parents[2] / "examples" / "forum.py"
POSTS = "The river is cold and wide today, people of the town.\n---\nTHE RIVER IS COLD AND WIDE TODAY, IT IS.\n---\nNo."


def config(folder: Path, text: str, *, version: int = 1) -> Path:
    (folder / "forum.py").write_text(FORUM.read_text().replace("VERSION = 1", f"VERSION = {version}"))
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def job(folder: Path, recipe: Recipe, name: str = "posts.forum", text: str = POSTS) -> Job:
    (folder / name).write_text(text)
    return make_job(
        lake=folder / "lake",
        sources=[str(folder / name)],
        pipeline=None,
        recipe=recipe,
        limit=None,
        run_id="r",
        started="2026-01-01T00:00:00Z",
    )


def test_config_brings_reader_recipe_and_rules_from_the_file_beside_it(tmp_path: Path) -> None:
    recipe = read_recipe(config(tmp_path, "modules: [forum.py]\nclean: {recipe: forum}\n"))
    made = job(tmp_path, recipe)
    documents = corpus.documents(made, corpus.fetch(made, made.sources[0]))
    kept = corpus.candidates(made, documents)
    assert (documents.rows, kept.rows) == (3, 1)
    assert made.manifest(kept)["parts"][0]["counts"]["filtered"] == {"too_few_words": 1, "too_shouty": 1}


def test_version_of_a_module_decides_what_is_computed_again(tmp_path: Path) -> None:
    found = []
    for version in (1, 1, 2):
        recipe = read_recipe(
            config(tmp_path, "modules: [forum.py]\nclean: {rules: [too_shouty], recipe: plain}\n", version=version)
        )
        made = job(tmp_path, recipe)
        found.append((versions.documents(made, []), versions.candidates(made, "d")))
        for name in ("too_shouty", "line_quoted"):
            del RULES[name]
        RECIPES.pop("forum")
        sources.READERS.pop("forum")
        sys.modules.pop("forum")
    assert found[0] == found[1]
    assert found[0][0] != found[2][0]
    assert found[0][1] != found[2][1]


def test_place_of_a_module_decides_nothing(tmp_path: Path) -> None:
    recipe = read_recipe(config(tmp_path, "modules: [forum.py]\nclean: {recipe: forum}\n"))
    assert str(tmp_path) not in str(versions.candidates_config(job(tmp_path, recipe)))


@pytest.mark.parametrize(
    ("readers", "recipe"),
    [(["wikipedia"], "wikipedia"), (["html"], "web"), (["jsonl"], "plain"), (["html", "wikipedia"], "plain")],
)
def test_recipe_follows_the_reader_where_none_is_named(readers: list[str], recipe: str) -> None:
    assert Recipe().clean_for(readers).recipe == recipe
    assert Recipe.model_validate({"clean": {"recipe": "web"}}).clean_for(readers).recipe == "web"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modules: [no_such_module]", "module 'no_such_module' cannot be imported"),
        ("modules: [no_such_file.py]", "there is no such file"),
        ("modules: forum.py", "modules: it must be a list of names"),
        ("clean: {recipe: wbe}", "clean: .*no recipe 'wbe'; there are plain, web, wikipedia"),
        ("clean: {recipe: web, thresholds: {too_few_words: many}}", "clean.thresholds.too_few_words"),
        ("clean: {recipe: web, thresholds: {too_few_words: true}}", "give a number, or false"),
        ("clean: {languages: [no]}", "languages: False is no code; YAML reads a bare `no` as false, .* nb .* nn"),
        ("clean: {thresholds: {too_few_wrods: 1}}", "no quality rule 'too_few_wrods'"),
    ],
)
def test_wrong_option_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_recipe(config(tmp_path, text))


def test_thresholds_are_numbers_or_false(tmp_path: Path) -> None:
    text = "clean: {recipe: web, thresholds: {too_few_words: 0, too_many_words: off, words_too_long: 11.5}}"
    thresholds = read_recipe(config(tmp_path, text)).clean.thresholds
    assert [(value, type(value)) for value in thresholds.values()] == [(0.0, float), (False, bool), (11.5, float)]
