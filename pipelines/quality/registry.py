"""The rules and recipes by name: one explicit dict each, and a name that is taken is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from data.errors import ConfigError
from pipelines.quality import c4, fineweb, gopher, prose, repetition
from pipelines.quality.rule import AnyRule, LineRule, Rule


@dataclass(frozen=True, kw_only=True)
class QualityRecipe:
    """Names of the rules that run, in the order they are asked, and thresholds other than the published ones.

    `citations` tells that marks such as `[12]` and `[citation needed]` are taken out first, as C4 does.
    """

    name: str
    rules: tuple[str, ...]
    thresholds: Mapping[str, float] = field(default_factory=dict)
    citations: bool = False


def _names(*families: tuple[AnyRule, ...]) -> tuple[str, ...]:
    return tuple(rule.reason for family in families for rule in family)


RULES: dict[str, AnyRule] = {}
RECIPES: dict[str, QualityRecipe] = {}


def register_rule(rule: AnyRule) -> AnyRule:
    """Make a rule known by its reason. Raises ConfigError where another rule has that name."""
    if RULES.setdefault(rule.reason, rule) != rule:
        raise ConfigError(f"there is a quality rule '{rule.reason}' already; give yours another reason")
    return rule


def register_recipe(recipe: QualityRecipe) -> QualityRecipe:
    """Make a recipe known by its name. Raises ConfigError where another recipe has that name, or a rule is unknown."""
    for name in (*recipe.rules, *recipe.thresholds):
        rule_named(name)
    if RECIPES.setdefault(recipe.name, recipe) != recipe:
        raise ConfigError(f"there is a recipe '{recipe.name}' already; give yours another name")
    return recipe


def rule_named(name: str) -> AnyRule:
    """The rule of this name. Raises ConfigError with the names there are."""
    if name not in RULES:
        raise ConfigError(f"there is no quality rule '{name}'; there are {', '.join(sorted(RULES))}")
    return RULES[name]


def recipe_named(name: str) -> QualityRecipe:
    """The recipe of this name. Raises ConfigError with the names there are."""
    if name not in RECIPES:
        raise ConfigError(f"there is no recipe '{name}'; there are {', '.join(sorted(RECIPES))}")
    return RECIPES[name]


_FAMILIES: tuple[tuple[AnyRule, ...], ...] = (
    gopher.RULES,
    repetition.RULES,
    c4.LINE_RULES,
    c4.RULES,
    fineweb.RULES,
    prose.RULES,
)
for _family in _FAMILIES:
    for _rule in _family:
        register_rule(_rule)

PLAIN = register_recipe(
    QualityRecipe(
        name="plain",
        rules=("too_few_words", "too_few_words_with_letters", "too_few_unique_words", "too_many_repeated_pairs"),
        thresholds={"too_few_words": 1, "too_few_words_with_letters": 0.4, "too_many_repeated_pairs": 0.5},
    )
)
WIKIPEDIA = register_recipe(
    QualityRecipe(
        name="wikipedia",
        # No rule on ends of lines: a heading ends in no full stop, and an article without headings is none.
        rules=(
            "too_few_words",
            "too_few_characters",
            "words_far_too_short",
            "words_far_too_long",
            "too_many_hashes",
            "too_many_ellipses",
            "too_few_words_with_letters",
            "too_many_bullet_lines",
            "too_many_ellipsis_lines",
            "too_many_duplicate_line_chars",
            "too_many_repeated_pairs",
            "too_few_unique_words",
            "stop_words_too_rare",
        ),
        thresholds={
            "too_few_words": 10,
            "too_few_words_with_letters": 0.6,
            # One of three lines of a summary that does not tell how a film ends.
            "too_many_ellipsis_lines": 0.5,
            # The subspecies of a cat, the churches of a region: every line has the same two words.
            "too_many_repeated_pairs": 0.5,
            # By characters: the cells of a good table repeat often, its sentences do not.
            "too_many_duplicate_line_chars": 0.3,
        },
    )
)
WEB = register_recipe(
    QualityRecipe(
        name="web",
        rules=(
            *_names(c4.LINE_RULES, c4.RULES, gopher.RULES, repetition.RULES, fineweb.RULES),
            # Mild rules for the languages that the papers have no threshold of.
            "too_few_characters",
            "words_far_too_short",
            "words_far_too_long",
            "too_few_words_with_letters",
            "too_few_unique_words",
            "too_many_repeated_pairs",
        ),
        citations=True,
    )
)
BY_READER = {"wikipedia": "wikipedia", "html": "web"}
"""Recipe of a source by its reader, where the config names none; `plain` for the rest."""


def default_recipe(reader: str) -> str:
    """Name of the recipe for what a reader reads."""
    return BY_READER.get(reader, PLAIN.name)


__all__ = [
    "RECIPES",
    "RULES",
    "AnyRule",
    "LineRule",
    "QualityRecipe",
    "Rule",
    "default_recipe",
    "recipe_named",
    "register_recipe",
    "register_rule",
    "rule_named",
]
