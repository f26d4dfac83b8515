"""Options of cleaning: which rules run, and what becomes of personal data and of evaluation sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from data.errors import ConfigError
from pipelines import extensions, quality
from pipelines.decontaminate import DecontaminationConfig
from pipelines.language.codes import check_wanted
from pipelines.privacy import PrivacyConfig
from pipelines.quality import c4
from pipelines.quality.registry import RULES

DEFAULT_RECIPE = "wikipedia"
_NO_DECISIONS = ("cites", "drops")


@dataclass(frozen=True, kw_only=True)
class CleanConfig:
    """What is kept, and by which rules.

    `recipe` names the rules that run (None: by the reader of the source); `rules` adds further ones, by their names
    or as `module:attribute`; `thresholds` sets single rules, false switches one off. `bad_words` are refused where
    they occur. `languages` are kept (empty: all); what YAML makes of a bare `no` is refused. `modules` bring rules,
    recipes and readers. `privacy` says what becomes of personal data, `decontamination` names the evaluation sets of
    which no piece may be in the corpus.
    """

    recipe: str | None = None
    rules: tuple[str, ...] = ()
    thresholds: Mapping[str, float | bool] = field(default_factory=dict)
    bad_words: tuple[str, ...] = ()
    languages: tuple[str | bool, ...] = ()
    modules: tuple[str, ...] = ()
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)
    decontamination: DecontaminationConfig = field(default_factory=DecontaminationConfig)

    def __post_init__(self) -> None:
        extensions.load(self.modules)
        check_wanted(self.languages)
        if self.recipe is not None:
            self.chosen()
        for name in (*self.rules, *self.thresholds):
            _rule(name)

    def chosen(self) -> tuple[tuple[quality.LineRule, ...], tuple[quality.Rule, ...]]:
        """The line rules and the rules that run. Raises ConfigError for a name or threshold that is wrong."""
        # A worker process gets this object without __post_init__, and has imported none of the modules.
        extensions.load(self.modules)
        more = [_rule(name) for name in self.rules]
        if self.bad_words:
            more.append(c4.bad_words(self.bad_words))
        return quality.chosen(self.recipe or DEFAULT_RECIPE, thresholds=self.thresholds, rules=more)

    def for_recipe(self, name: str) -> CleanConfig:
        """These options with a recipe where none is named."""
        return self if self.recipe else replace(self, recipe=name)

    def decisions(self) -> dict[str, Any]:
        """What the recipe and the rules say, whoever wrote them: rules in their order, thresholds and languages."""
        lines, rules = self.chosen()
        asked = [{**asdict(rule), "signal": quality.signal_name(rule)} for rule in rules]
        told = [{key: rule[key] for key in rule if key not in _NO_DECISIONS} for rule in [*map(asdict, lines), *asked]]
        return {"rules": told, "citations": quality.recipe_named(self.recipe or DEFAULT_RECIPE).citations}

    def code(self) -> dict[str, str]:
        """For each rule of a user's module the version of that module: part of what decides the outcome."""
        lines, rules = self.chosen()
        modules = {
            **{rule.reason: rule.drops.__module__ for rule in lines},
            **{rule.reason: rule.signal.__module__ for rule in rules},
        }
        versions = {name: extensions.code(module) for name, module in modules.items()}
        return {name: version for name, version in versions.items() if version is not None}


def _rule(name: str) -> quality.AnyRule:
    if ":" not in name:
        return quality.rule_named(name)
    rule = extensions.found(name)
    if not isinstance(rule, quality.Rule | quality.LineRule):
        raise ConfigError(f"rules: '{name}' is no Rule or LineRule but a {type(rule).__name__}")
    if RULES.get(rule.reason, rule) != rule:
        raise ConfigError(f"rules: there is a quality rule '{rule.reason}' already; give '{name}' another reason")
    return rule
