from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

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


def test_place_of_an_evaluation_set_decides_nothing_and_is_not_recorded(tmp_path: Path) -> None:
    found = []
    for name, text in (("a.txt", "one two three"), ("b.txt", "one two three"), ("c.txt", "one two four")):
        (tmp_path / name).write_text(text)
        options = {"clean": {"decontamination": {"sets": {"probe": str(tmp_path / name)}}}}
        found.append(job(tmp_path, Recipe.model_validate(options), name="posts.txt"))
    first, second, third = (versions.candidates(one, "d") for one in found)
    assert first == second
    assert first != third
    assert str(tmp_path) not in str(versions.candidates_config(found[0]))


@pytest.mark.parametrize(
    ("readers", "recipe"),
    [(["wikipedia"], "wikipedia"), (["html"], "web"), (["jsonl"], "plain"), (["html", "wikipedia"], "plain")],
)
def test_recipe_follows_the_reader_where_none_is_named(readers: list[str], recipe: str) -> None:
    assert Recipe().clean_for(readers).recipe == recipe
    assert Recipe.model_validate({"clean": {"recipe": "web"}}).clean_for(readers).recipe == "web"


@pytest.mark.parametrize(
    ("options", "readers", "most"),
    [
        ({}, ["html"], 10),
        ({}, ["wikipedia"], 0),
        ({}, ["html", "wikipedia"], 0),
        ({"clean": {"recipe": "web"}}, ["jsonl"], 10),
        ({"clean": {"recipe": "plain"}}, ["html"], 0),
        ({"dedup": {"repeated": {"max_documents": 0}}}, ["html"], 0),
        ({"dedup": {"repeated": {"max_documents": 3}}}, ["wikipedia"], 3),
        ({"dedup": {"threshold": 0.7, "repeated": {"min_chars": 50}}}, ["html"], 10),
    ],
)
def test_repeated_lines_go_by_default_where_the_recipe_is_web(
    options: dict[str, Any], readers: list[str], most: int
) -> None:
    found = Recipe.model_validate(options).dedup_for(readers)
    assert found.repeated.max_documents == most
    assert found.threshold == options.get("dedup", {}).get("threshold", 0.8)
    assert found.repeated.min_chars == options.get("dedup", {}).get("repeated", {}).get("min_chars", 40)


def test_repeated_lines_decide_the_version_of_the_duplicates(tmp_path: Path) -> None:
    said, unsaid = ({"dedup": {"repeated": {"max_documents": most}}} for most in (10, None))
    recipes = (Recipe.model_validate({"clean": {"recipe": "web"}, **more}) for more in (said, unsaid))
    made = [job(tmp_path, recipe, name="posts.txt") for recipe in recipes]
    assert len({versions.duplicates(one, "c") for one in made}) == 1
    assert versions.dedup_config(made[1])["dedup"]["repeated"]["max_documents"] == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modules: [no_such_module]", "module 'no_such_module' cannot be imported"),
        ("modules: [no_such_file.py]", "there is no such file"),
        ("modules: forum.py", "modules: it must be a list of names"),
        ("clean: {recipe: wbe}", "clean: .*no recipe 'wbe'; there are plain, web, wikipedia"),
        ("clean: {recipe: web, thresholds: {too_few_words: many}}", "clean.thresholds.too_few_words"),
        ("clean: {recipe: web, thresholds: {too_few_words: true}}", "give a number, or false"),
        ("cleen: {recipe: web}", "cleen: there is no such option; did you mean clean[?]$"),
        ("clean: {recepie: web}", r"clean\.recepie: there is no such option; did you mean recipe\?"),
        ("sources: {posts: {colour: 1}}", r"sources\.posts\.colour: .* there are delimiter, encoding, fields, markup"),
        ("dedup: {repeated: {zzz: 1}}", r"dedup\.repeated\.zzz: .* there are max_documents, max_share, min_chars$"),
        ("clean: {}\ndedup: [1}", "yaml is no YAML: line 2: expected ',' or ']', but got '}'$"),
        ("part_pages: many", "yaml: part_pages: it must be a whole number, not 'many'$"),
        ("clean: {languages: en}", r"clean\.languages: it must be a list, not 'en'$"),
        (
            "clean: {languages: [english]}",
            r"languages: no text is ever found to be in 'english'; .* ISO 639",
        ),
        ("clean: {languages: [xx]}", r"clean: languages: .* 'xx'"),
        ("dedup: {threshold: 2}", r"yaml: dedup: threshold must lie above 0 and not above 1, not 2\.0$"),
        ("clean: {privacy: {mode: hide}}", r"yaml: clean\.privacy\.mode must be one of mask, reject, tag, not 'hide'$"),
        ("extract: {tables: grid}", r"extract\.tables: it must be 'drop' or 'lines', not 'grid'$"),
        ("max_failed_share: 7", "max_failed_share: it must be less than or equal to 1, not 7$"),
        ("models: {bert: {}}", r"yaml: models: there is no model 'bert'; there are word2vec"),
        ("[1, 2]", r"yaml: it must be options as `name: value`, not \[1, 2\]$"),
        ("clean: {languages: [no]}", "languages: False is no code; YAML reads a bare `no` as false, .* nb .* nn"),
        ("clean: {thresholds: {too_few_wrods: 1}}", "no quality rule 'too_few_wrods'"),
    ],
)
def test_wrong_option_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_recipe(config(tmp_path, text))


def test_languages_that_are_known_are_taken() -> None:
    assert Recipe.model_validate({"clean": {"languages": ["en", "ltg", "nb"]}}).clean.languages == ("en", "ltg", "nb")


def test_thresholds_are_numbers_or_false(tmp_path: Path) -> None:
    text = "clean: {recipe: web, thresholds: {too_few_words: 0, too_many_words: off, words_too_long: 11.5}}"
    thresholds = read_recipe(config(tmp_path, text)).clean.thresholds
    assert [(value, type(value)) for value in thresholds.values()] == [(0.0, float), (False, bool), (11.5, float)]
