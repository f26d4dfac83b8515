"""Recipes and rules of quality as they are named, set and refused."""

from __future__ import annotations

import pytest

from data.errors import ConfigError
from pipelines import quality
from pipelines.quality import c4
from pipelines.quality.arrays import Floats
from pipelines.quality.batch import Batch
from pipelines.quality.registry import RECIPES, register_recipe, register_rule


def test_thresholds_move_and_switch_off() -> None:
    _, rules = quality.chosen("web", thresholds={"too_few_words": 3, "too_few_sentences": False})
    named = {rule.reason: rule for rule in rules}
    assert named["too_few_words"].least == 3
    assert "too_few_sentences" not in named


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ({"no_such_rule": 1.0}, "no quality rule 'no_such_rule'"),
        ({"too_few_sentences": 1.0}, "recipe 'plain' has no rule 'too_few_sentences'"),
        ({"too_few_words": True}, "give a number, or false"),
    ],
)
def test_wrong_threshold_is_refused(thresholds: dict[str, float | bool], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        quality.chosen("plain", thresholds=thresholds)


def test_recipe_for_articles_has_no_rule_that_drops_lines() -> None:
    assert quality.chosen("wikipedia")[0] == ()
    assert [rule.reason for rule in quality.chosen("web")[0]] == [rule.reason for rule in c4.LINE_RULES]
    assert quality.default_recipe("wikipedia") == "wikipedia"
    assert quality.default_recipe("html") == "web"
    assert quality.default_recipe("jsonl") == "plain"


def test_names_that_are_taken_or_unknown_are_refused() -> None:
    taken = quality.Rule(reason="too_few_words", signal=lambda batch: batch.n_chars, least=1, cites="nobody")
    with pytest.raises(ConfigError, match="rule 'too_few_words' already"):
        register_rule(taken)
    with pytest.raises(ConfigError, match="recipe 'web' already"):
        register_recipe(quality.QualityRecipe(name="web", rules=("too_few_words",)))
    with pytest.raises(ConfigError, match="no quality rule 'no_such_rule'"):
        register_recipe(quality.QualityRecipe(name="new", rules=("no_such_rule",)))
    assert "new" not in RECIPES
    with pytest.raises(ConfigError, match="no recipe 'wbe'; there are plain, web, wikipedia"):
        quality.chosen("wbe")


def test_two_signals_of_one_name_are_refused() -> None:
    def n_words(batch: Batch) -> Floats:
        return batch.n_chars

    mine = quality.Rule(reason="too_few_chars_for_me", signal=n_words, least=1, cites="a test")
    with pytest.raises(ConfigError, match="two signals called 'n_words'; rename one"):
        quality.chosen("wikipedia", rules=[mine])


def test_rule_needs_exactly_one_threshold() -> None:
    with pytest.raises(ConfigError, match="either `least` or `most`"):
        quality.Rule(reason="odd", signal=lambda batch: batch.n_chars, cites="nobody")
