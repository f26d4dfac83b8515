"""What a rule is: a signal of a text, the values that pass, the languages it is made for, and who published it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from data.errors import ConfigError
from pipelines.quality.arrays import Floats
from pipelines.quality.batch import Batch

Signal = Callable[[Batch], Floats]
"""One figure for each text of a batch, float64; the name of the function is the name of the signal."""

NO_BLANKS = ("zh", "ja", "th", "lo", "km", "my", "bo", "dz", "yue", "wuu")
"""Languages written without blanks between words: what counts words by blanks says nothing of them."""


@dataclass(frozen=True, kw_only=True)
class Languages:
    """The languages that a rule applies to: `only` these (empty: all), without `never`."""

    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    def hold(self, lang: str) -> bool:
        """Whether the rule applies to this language."""
        return (not self.only or lang in self.only) and lang not in self.never

    def mask(self, lang: pl.Expr) -> pl.Expr:
        """Whether the rule applies to a text in `lang`."""
        wanted = lang.is_in(self.only) if self.only else pl.lit(value=True)
        return wanted & ~lang.is_in(self.never) if self.never else wanted


ALL = Languages()
SPACED = Languages(never=NO_BLANKS)
ENGLISH = Languages(only=("en",))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Rejects a text whose `signal` is below `least` or above `most`. `reason` says what happened, and is its name.

    `by_language` holds the thresholds of languages that have one of their own. `cites` names the paper that the
    threshold comes from.
    """

    reason: str
    signal: Signal
    cites: str
    least: float | None = None
    most: float | None = None
    by_language: Mapping[str, float] = field(default_factory=dict, hash=False)
    languages: Languages = ALL

    def __post_init__(self) -> None:
        if (self.least is None) == (self.most is None):
            raise ConfigError(f"rule {self.reason}: give either `least` or `most`, the value that still passes")

    def at(self, threshold: float) -> Rule:
        """The rule with another threshold, the same for all its languages."""
        value = float(threshold)
        if self.least is None:
            return replace(self, most=value, by_language={})
        return replace(self, least=value, by_language={})

    def threshold(self, lang: str) -> float:
        """The value that still passes in this language."""
        value = self.most if self.least is None else self.least
        return self.by_language.get(lang, value or 0.0)

    def breaks(self, figure: pl.Expr, lang: pl.Expr) -> pl.Expr:
        """Whether a text with this figure in this language is rejected."""
        value = pl.lit(self.threshold(""))
        if self.by_language:
            value = lang.replace_strict(self.by_language, default=value, return_dtype=pl.Float64)
        outside = figure > value if self.least is None else figure < value
        return outside & self.languages.mask(lang)

    def told(self, figure: pl.Expr, lang: pl.Expr) -> pl.Expr:
        """What was measured, and the threshold, as text, such as `duplicate_line_ratio is 0.41, above 0.3`."""
        side = "above" if self.least is None else "below"
        value = pl.lit(f"{self.threshold(''):g}")
        if self.by_language:
            told = {code: f"{least:g}" for code, least in self.by_language.items()}
            value = lang.replace_strict(told, default=value, return_dtype=pl.String)
        return pl.format("{} is {}, {} {}", pl.lit(signal_name(self)), _told(figure), pl.lit(side), value)


def _told(figure: pl.Expr) -> pl.Expr:
    """A figure in four digits, a whole number without a decimal point."""
    rounded = figure.round_sig_figs(4)
    whole = pl.when(figure.is_finite() & (figure == figure.floor())).then(figure).cast(pl.Int64, strict=False)
    return pl.coalesce(whole.cast(pl.String), rounded.cast(pl.String))


@dataclass(frozen=True, kw_only=True)
class LineRule:
    """Drops single lines: `drops` is an expression over the columns `line`, `lower`, `n_words` and `longest_word`.

    `threshold` stands for the literal that the expression is built with.
    """

    reason: str
    drops: Callable[[float], pl.Expr]
    cites: str
    threshold: float = 0.0
    languages: Languages = ALL

    def at(self, threshold: float) -> LineRule:
        """The rule with another threshold."""
        return replace(self, threshold=float(threshold))


AnyRule = Rule | LineRule


def signal_name(rule: Rule) -> str:
    """Name of the signal of a rule."""
    return str(getattr(rule.signal, "__name__", rule.reason))
