"""Quality of text: rules of the literature by name, recipes that say which run, and one measurement for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from data.contracts.corpus import SIGNALS
from data.errors import ConfigError
from pipelines.quality.batch import Batch, blocks
from pipelines.quality.registry import (
    QualityRecipe,
    default_recipe,
    recipe_named,
    register_recipe,
    register_rule,
    rule_named,
)
from pipelines.quality.rule import ALL, ENGLISH, SPACED, AnyRule, Languages, LineRule, Rule, signal_name

VERSION = 4
"""Version of every rule of this package; the rules of another module bring their own."""


def measure(frame: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """A column of float64 for each signal that the rules ask for, over the columns `text` and `lang`.

    A signal that two rules share is computed once, and one that no rule asks of a language is null for its texts; so is
    one that a rule does not tell of a text (NaN).
    """
    rows = frame.select("text", "lang").with_row_index("__row")
    schema = {"__row": pl.UInt32, **{signal_name(rule): pl.Float64 for rule in rules}}
    found = [pl.DataFrame(schema=schema)]
    for langs, asked in _asked(rows["lang"], rules):
        signals = {signal_name(rule): rule.signal for rule in asked}
        for block in blocks(rows.filter(pl.col("lang").is_in(langs))):
            batch = Batch(block["text"], block["lang"])
            columns = {name: signal(batch) for name, signal in signals.items()}
            found.append(pl.DataFrame({"__row": block["__row"], **columns}, nan_to_null=True))
    return pl.concat(found, how="diagonal").sort("__row").drop("__row")


def _asked(langs: pl.Series, rules: Sequence[Rule]) -> list[tuple[list[str], list[Rule]]]:
    """Languages that the same signals are asked of, and the rules that apply to them, in a fixed order."""
    groups: dict[frozenset[str], tuple[list[str], list[Rule]]] = {}
    for lang in langs.unique().sort():
        asked = [rule for rule in rules if rule.languages.hold(lang)]
        groups.setdefault(frozenset(map(signal_name, asked)), ([], asked))[0].append(lang)
    return list(groups.values())


def judge(signals: pl.DataFrame, langs: pl.Series, rules: Sequence[Rule]) -> pl.DataFrame:
    """Columns `reason` and `detail`: the first rule that each text breaks and its figure, null where it breaks none."""
    if not rules:
        return pl.DataFrame({name: [None] * langs.len() for name in ("reason", "detail")}, schema=_VERDICT)
    broken = [rule.breaks(pl.col(signal_name(rule)), pl.col("__lang")) for rule in rules]
    texts = [rule.told(pl.col(signal_name(rule)), pl.col("__lang")) for rule in rules]
    reasons = [pl.when(is_broken).then(pl.lit(rule.reason)) for rule, is_broken in zip(rules, broken, strict=True)]
    details = [pl.when(is_broken).then(text) for text, is_broken in zip(texts, broken, strict=True)]
    columns = signals.with_columns(langs.alias("__lang"))
    return columns.select(reason=pl.coalesce(reasons), detail=pl.coalesce(details))


_VERDICT = {"reason": pl.String, "detail": pl.String}


def as_struct(signals: pl.DataFrame) -> pl.Series:
    """The column `quality` of the corpus: null for a signal that no rule asked for."""
    columns = [
        (pl.col(name) if name in signals.columns else pl.lit(None)).cast(pl.Float32).alias(name) for name in SIGNALS
    ]
    return signals.select(pl.struct(columns).alias("quality")).to_series()


def chosen(
    recipe: str, *, thresholds: Mapping[str, float | bool] | None = None, rules: Sequence[AnyRule] = ()
) -> tuple[tuple[LineRule, ...], tuple[Rule, ...]]:
    """The line rules and the rules of a recipe, then `rules`, at the thresholds of the recipe, then of `thresholds`.

    False for a threshold switches the rule off. Raises ConfigError for a name that is unknown or does not run.
    """
    base = recipe_named(recipe)
    wanted = {rule.reason: rule for rule in (*map(rule_named, base.rules), *rules)}
    for name, threshold in {**base.thresholds, **(thresholds or {})}.items():
        if name not in wanted:
            rule_named(name)
            raise ConfigError(f"thresholds: recipe '{recipe}' has no rule '{name}'; it has {', '.join(wanted)}")
        if threshold is True:
            raise ConfigError(f"thresholds: {name} is true; give a number, or false to switch the rule off")
        if threshold is False:
            del wanted[name]
        else:
            wanted[name] = wanted[name].at(float(threshold))
    lines = tuple(rule for rule in wanted.values() if isinstance(rule, LineRule))
    return lines, _with_own_signals([rule for rule in wanted.values() if isinstance(rule, Rule)])


def _with_own_signals(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules, where no two functions go by one name: figures are kept under it."""
    known: dict[str, Rule] = {}
    for rule in rules:
        other = known.setdefault(signal_name(rule), rule)
        if other.signal is not rule.signal:
            raise ConfigError(
                f"rules '{other.reason}' and '{rule.reason}' have two signals called '{signal_name(rule)}'; rename one"
            )
    return tuple(rules)


__all__ = [
    "ALL",
    "ENGLISH",
    "SPACED",
    "AnyRule",
    "Batch",
    "Languages",
    "LineRule",
    "QualityRecipe",
    "Rule",
    "as_struct",
    "chosen",
    "default_recipe",
    "judge",
    "measure",
    "recipe_named",
    "register_recipe",
    "register_rule",
    "rule_named",
    "signal_name",
]
