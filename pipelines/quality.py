"""Signals of text quality, and the thresholds that tell prose from junk, after Gopher (Rae et al. 2021, appendix A).

The thresholds are milder than Gopher's: a good encyclopaedia article with lists and tables of figures passes.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from data.errors import ConfigError
from data.segment import extract_words
from pipelines import stop_words

VERSION = 1

_ROW = "__row"
_SYMBOL = r"[#{}|\\<>^~]|…|\.\.\."
_BULLET = r"^\s*(?:[•‣◦▪●*\-–—·]|\d{1,3}[.)])\s*"
_ELLIPSIS = r"(?:…|\.\.\.)\s*$"
_TERMINAL = r"[.!?…。！？।॥؟۔።᙮][\"'”’»)\]}』」）】]*\s*$"
NO_BLANKS = ("zh", "ja", "th", "lo", "km", "my", "bo", "dz")
"""Languages written without blanks between words: the length of their words says nothing."""


@dataclass(frozen=True, kw_only=True)
class QualityConfig:
    """Least and greatest values of a text that is kept; ratios from 0 to 1, word lengths in code points."""

    min_words: int = 10
    min_mean_word_length: float = 2.0
    max_mean_word_length: float = 12.0
    max_symbol_ratio: float = 0.1
    min_alphabetic_ratio: float = 0.6
    min_stop_word_ratio: float = 0.05
    max_bullet_line_ratio: float = 0.9
    max_ellipsis_line_ratio: float = 0.3
    min_terminal_line_ratio: float = 0.0
    max_duplicate_line_ratio: float = 0.3
    max_top_bigram_ratio: float = 0.2
    min_unique_word_ratio: float = 0.02

    def __post_init__(self) -> None:
        for name in (name for name in self.__dataclass_fields__ if name.endswith("_ratio")):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must lie between 0 and 1, not {getattr(self, name)}")


def signals(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame (columns `text` and `lang`) with the struct `quality` of ten signals added, float32 each."""
    rows = frame.select("text", "lang").with_row_index(_ROW)
    quality = rows.select(_ROW)
    for part in (_word_signals(rows), _line_signals(rows), _symbols(rows)):
        quality = quality.join(part, on=_ROW, how="left", maintain_order="left")
    fields = [pl.col(name).fill_null(0.0).fill_nan(0.0).cast(pl.Float32) for name in _FIELDS]
    return frame.with_columns(quality.select(pl.struct(fields).alias("quality")).to_series())


_FIELDS = (
    "mean_word_length",
    "symbol_ratio",
    "alphabetic_ratio",
    "stop_word_ratio",
    "bullet_line_ratio",
    "ellipsis_line_ratio",
    "terminal_line_ratio",
    "duplicate_line_ratio",
    "top_bigram_ratio",
    "unique_word_ratio",
)


def _symbols(rows: pl.DataFrame) -> pl.DataFrame:
    """Symbols of markup, hashes and ellipses for every word."""
    words = extract_words(pl.col("text")).list.len().clip(1)
    return rows.select(_ROW, symbol_ratio=pl.col("text").str.count_matches(_SYMBOL) / words)


def _word_signals(rows: pl.DataFrame) -> pl.DataFrame:
    """What the words of each text tell, without regard to capitals."""
    words = rows.select(_ROW, "lang", word=extract_words(pl.col("text").str.to_lowercase()))
    long = words.explode("word", empty_as_null=False)
    is_stop = stop_words.table().with_columns(is_stop=pl.lit(value=True))
    marked = long.join(is_stop, on=["lang", "word"], how="left", maintain_order="left")
    means = marked.group_by(_ROW).agg(
        mean_word_length=pl.col("word").str.len_chars().mean(),
        alphabetic_ratio=pl.col("word").str.contains(r"\p{L}").mean(),
        stop_word_ratio=pl.col("is_stop").fill_null(value=False).mean(),
        unique_word_ratio=pl.col("word").n_unique() / pl.len(),
    )
    return means.join(_top_bigrams(long), on=_ROW, how="left")


def _top_bigrams(long: pl.DataFrame) -> pl.DataFrame:
    """Share of the letters that stand in the repeated pair of words that covers most."""
    pairs = long.select(_ROW, "word", after=pl.col("word").shift(-1).over(_ROW), size=pl.col("word").str.len_chars())
    counted = pairs.group_by(_ROW, "word", "after").agg(n=pl.len())
    repeated = counted.filter((pl.col("n") > 1) & pl.col("after").is_not_null())
    covered = pl.col("n") * (pl.col("word").str.len_chars() + pl.col("after").str.len_chars())
    top = repeated.group_by(_ROW).agg(covered=covered.max())
    sizes = pairs.group_by(_ROW).agg(pl.col("size").sum())
    joined = sizes.join(top, on=_ROW, how="left")
    return joined.select(_ROW, top_bigram_ratio=(pl.col("covered").fill_null(0) / pl.col("size")).clip(0, 1))


def _line_signals(rows: pl.DataFrame) -> pl.DataFrame:
    """What the lines of each text tell; empty lines do not count."""
    lines = rows.select(_ROW, line=pl.col("text").str.split("\n")).explode("line", empty_as_null=False)
    line = pl.col("line")
    return (
        lines.with_columns(line.str.strip_chars())
        .filter(line != "")
        .group_by(_ROW)
        .agg(
            bullet_line_ratio=line.str.contains(_BULLET).mean(),
            ellipsis_line_ratio=line.str.contains(_ELLIPSIS).mean(),
            terminal_line_ratio=line.str.contains(_TERMINAL).mean(),
            # By characters: the cells of a good table repeat often, its sentences do not.
            duplicate_line_ratio=1 - line.unique().str.len_chars().sum() / line.str.len_chars().sum(),
        )
    )


def rules(config: QualityConfig) -> list[tuple[str, pl.Expr, pl.Expr]]:
    """Reason, condition and figure of every rule, in the order they apply, over `lang`, `n_words` and `quality`."""
    length = _signal("mean_word_length")
    has_stop_words = pl.col("lang").is_in(stop_words.languages())
    has_blanks = ~pl.col("lang").is_in(NO_BLANKS)
    odd_length = ~length.is_between(config.min_mean_word_length, config.max_mean_word_length)
    few_stop_words = has_stop_words & (_signal("stop_word_ratio") < config.min_stop_word_ratio)
    return [
        ("too_few_words", pl.col("n_words") < config.min_words, pl.col("n_words").cast(pl.Float64)),
        ("mean_word_length_out_of_range", has_blanks & odd_length, length),
        _above("too_many_symbols", "symbol_ratio", config.max_symbol_ratio),
        _below("too_few_alphabetic_words", "alphabetic_ratio", config.min_alphabetic_ratio),
        _above("too_many_bullet_lines", "bullet_line_ratio", config.max_bullet_line_ratio),
        _above("too_many_ellipsis_lines", "ellipsis_line_ratio", config.max_ellipsis_line_ratio),
        _below("too_few_terminal_lines", "terminal_line_ratio", config.min_terminal_line_ratio),
        _above("too_many_duplicate_lines", "duplicate_line_ratio", config.max_duplicate_line_ratio),
        _above("too_many_repeated_word_pairs", "top_bigram_ratio", config.max_top_bigram_ratio),
        _below("too_few_unique_words", "unique_word_ratio", config.min_unique_word_ratio),
        ("too_few_stop_words", few_stop_words, _signal("stop_word_ratio")),
    ]


def reason(config: QualityConfig) -> pl.Expr:
    """Reason code of the first rule that a text breaks, null where it breaks none."""
    found = [pl.when(broken).then(pl.lit(name)) for name, broken, _ in rules(config)]
    return pl.coalesce(found).alias("reason")


def detail(config: QualityConfig) -> pl.Expr:
    """The figure behind `reason`, as text."""
    found = [pl.when(broken).then(figure.round(4).cast(pl.String)) for _, broken, figure in rules(config)]
    return pl.coalesce(found).alias("detail")


def _signal(name: str) -> pl.Expr:
    # As float64 of few digits, so that a ratio equal to its threshold compares so.
    return pl.col("quality").struct.field(name).cast(pl.Float64).round(6)


def _above(name: str, field: str, most: float) -> tuple[str, pl.Expr, pl.Expr]:
    return name, _signal(field) > most, _signal(field)


def _below(name: str, field: str, least: float) -> tuple[str, pl.Expr, pl.Expr]:
    return name, _signal(field) < least, _signal(field)
