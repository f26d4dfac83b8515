"""Documents to candidates: normalise, mask, identify the language, drop lines, judge quality, account for every row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from data.contracts.corpus import CANDIDATES
from data.errors import AccountingError, ConfigError
from data.segment import sentence_count, word_count
from pipelines import extensions, quality
from pipelines.language import UNDECIDED, identify
from pipelines.minhash import fingerprints
from pipelines.normalise import normalised, without_boilerplate
from pipelines.privacy import mask
from pipelines.quality import c4
from pipelines.quality.lines import drop_lines
from pipelines.quality.registry import RULES
from pipelines.sections import Pieces, moved, rejoin

VERSION = 2
STAGE = "clean"
DEFAULT_RECIPE = "wikipedia"

_PII = pl.List(pl.Struct({"type": pl.String, "count": pl.Int32}))
_SECTIONS = pl.List(pl.Struct({"level": pl.Int8, "title": pl.String, "start": pl.Int32, "end": pl.Int32}))
_REJECTS = ("doc_id", "source", "origin", "stage", "kind", "reason", "detail", "n_chars")


@dataclass(frozen=True, kw_only=True)
class CleanConfig:
    """What is kept, and by which rules.

    `recipe` names the rules that run (None: by the reader of the source); `rules` adds further ones, by their names
    or as `module:attribute`; `thresholds` sets single rules, false switches one off. `bad_words` are refused where
    they occur. `languages` are kept (empty: all). `modules` bring rules, recipes and readers; `mask` hides
    personal data.
    """

    recipe: str | None = None
    rules: tuple[str, ...] = ()
    thresholds: Mapping[str, float | bool] = field(default_factory=dict)
    bad_words: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    mask: bool = True

    def __post_init__(self) -> None:
        extensions.load(self.modules)
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


def clean(documents: pl.DataFrame, *, config: CleanConfig | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Candidates and rejects, with the columns of the contracts `candidates` and `rejects`.

    Raises AccountingError where a document is in neither.
    """
    config = config or CleanConfig()
    lines, rules = config.chosen()
    shortened = drop_lines(_named(_rewritten(documents, config)), lines)
    judged = _judged(_measured(shortened), rules, config)
    rejects = _rejects(judged.filter(pl.col("reason").is_not_null()))
    kept = judged.filter(pl.col("reason").is_null())
    candidates = kept.with_columns(fingerprints(kept["text"].to_list())).select(CANDIDATES.schema.names)
    if documents.height != candidates.height + rejects.height:
        raise AccountingError(
            f"clean: {documents.height} documents in, {candidates.height} kept and {rejects.height} rejected"
        )
    return candidates, rejects


def _rewritten(documents: pl.DataFrame, config: CleanConfig) -> pl.DataFrame:
    """Documents with plain, masked text, their sections moved along, and `pii`."""
    cut = [Pieces.of(text, sections) for text, sections in documents.select("text", "sections").iter_rows()]
    texts = pl.DataFrame({"text": pl.Series([text for pieces in cut for text in pieces.texts], dtype=pl.String)})
    changed: list[str] = texts.select(_plain(pl.col("text"), config))["text"].to_list()
    changed, found = mask(changed) if config.mask else (changed, [[] for _ in changed])
    rows, start = [], 0
    for pieces, sections in zip(cut, documents["sections"].to_list(), strict=True):
        end = start + len(pieces.texts)
        text, offsets = rejoin(pieces, changed[start:end])
        rows.append((text, moved(sections, offsets, pieces.cuts[-1]), _summed(found[start:end])))
        start = end
    schema = pl.Schema({"text": pl.String(), "sections": _SECTIONS, "pii": _PII})
    return documents.with_columns(pl.DataFrame(rows, schema=schema, orient="row"))


def _plain(text: pl.Expr, config: CleanConfig) -> pl.Expr:
    plain = without_boilerplate(normalised(text))
    if quality.recipe_named(config.recipe or DEFAULT_RECIPE).citations:
        return normalised(plain.str.replace_all(c4.CITATION, ""))
    return plain


def _summed(found: list[list[dict[str, str | int]]]) -> list[dict[str, Any]]:
    """Counts of all pieces of one document, by type."""
    counts: dict[str, int] = {}
    for item in (item for piece in found for item in piece):
        counts[str(item["type"])] = counts.get(str(item["type"]), 0) + int(item["count"])
    return [{"type": name, "count": count} for name, count in sorted(counts.items())]


def _named(documents: pl.DataFrame) -> pl.DataFrame:
    """Documents with the language of each text."""
    found = identify(documents["text"].to_list())
    languages = pl.DataFrame(found, schema={"lang": pl.String, "lang_score": pl.Float32}, orient="row")
    return documents.with_columns(languages["lang"], languages["lang_score"])


def _measured(documents: pl.DataFrame) -> pl.DataFrame:
    """Lengths and hash of every text."""
    text = pl.col("text")
    hashes = [hashlib.sha256(each.encode("utf-8")).hexdigest() for each in documents["text"].to_list()]
    return documents.with_columns(
        pl.Series("text_sha256", hashes, pl.String),
        n_chars=text.str.len_chars().cast(pl.Int32),
        n_words=word_count(text).cast(pl.Int32),
        n_sentences=sentence_count(text).cast(pl.Int32),
    )


def _judged(documents: pl.DataFrame, rules: tuple[quality.Rule, ...], config: CleanConfig) -> pl.DataFrame:
    """Documents with `quality`, and `reason` and `detail` of their rejection, null where they are kept."""
    signals = quality.measure(documents, rules)
    verdict = quality.judge(signals, documents["lang"], rules)
    lang = pl.col("lang")
    language = pl.concat_str(lang, pl.lit(" "), pl.col("lang_score").cast(pl.Float64).round(4).cast(pl.String))
    empty, wordless, unknown = pl.col("n_chars") == 0, pl.col("n_words") == 0, lang == UNDECIDED
    other = ~lang.is_in(config.languages) if config.languages else pl.lit(value=False)
    no_line = pl.when(pl.col("dropped_lines").list.len() > 0).then(pl.lit("no_line_left"))
    reason = (
        pl.when(empty)
        .then(no_line.otherwise(pl.lit("text_empty")))
        .when(other)
        .then(pl.lit("language_not_wanted"))
        .when(wordless)
        .then(pl.lit("too_few_words"))
        .otherwise(pl.coalesce(verdict["reason"], pl.when(unknown).then(pl.lit("no_language_found"))))
    )
    detail = (
        pl.when(empty)
        .then(pl.lit(None, dtype=pl.String))
        .when(other)
        .then(language)
        .when(wordless)
        .then(pl.lit("0 below 1"))
        .otherwise(pl.coalesce(verdict["detail"], pl.when(unknown).then(language)))
    )
    return documents.with_columns(quality.as_struct(signals), reason=reason, detail=detail)


def _rejects(rejected: pl.DataFrame) -> pl.DataFrame:
    return rejected.with_columns(
        origin=pl.concat_str(pl.lit("documents/"), pl.col("doc_id")),
        stage=pl.lit(STAGE),
        kind=pl.lit("filtered"),
        detail=pl.concat_str("detail", _told_lines(), separator="; ", ignore_nulls=True).replace("", None),
    ).select(_REJECTS)


def _told_lines() -> pl.Expr:
    """How many lines were dropped before the text was judged, null where none were."""
    dropped = pl.col("dropped_lines").list.eval(pl.element().struct.field("count")).list.sum()
    return pl.when(dropped > 0).then(pl.format("{} lines dropped", dropped))
