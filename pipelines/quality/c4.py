"""C4's rules (Raffel et al. 2020, "Exploring the Limits of Transfer Learning", JMLR 21:140, section 2.2).

Lines that are no sentence go, one by one; then a page needs five sentences, and none of lorem ipsum, a curly
bracket or a bad word. The order, and the lines with very long words or about policies, are those of the code
that the authors published (tensorflow/datasets, c4_utils.py).

C4 is English. For other languages its makers gave up the marks that end a line (mC4: Xue et al. 2021, "mT5", 3.1), and
FineWeb2 gave up C4's rules as a whole, so what asks for English sentences is asked of English alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import polars as pl

from pipelines.quality.arrays import Floats
from pipelines.quality.batch import Batch
from pipelines.quality.rule import ENGLISH, SPACED, LineRule, Rule

_CITES = "Raffel et al. 2020, 2.2"
_CODE = "Raffel et al. 2020, published code"
_ENGLISH_END = r"""[.?!"']$"""
_POLICY = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
CITATION = r"\[\d*\]|\[edit\]|\[citation needed\]"
"""Marks of Wikipedia's notes, which C4 takes out of a line before it looks at it."""


def n_sentences(batch: Batch) -> Floats:
    """Sentences: they end after a terminal mark where a word follows, and at the end of a line."""
    line = batch.token_line
    words = np.flatnonzero(~(batch.flagged(r"^\p{P}+$") | batch.is_end))
    ends = np.concatenate(([0], np.cumsum(batch.is_end)))
    begins = (np.diff(ends[words]) > 0) & (np.diff(line[words]) == 0)
    return batch.n_lines + batch.count(batch.token_doc[words[1:]][begins])


def n_lorem_ipsum(batch: Batch) -> Floats:
    """Occurrences of the filler of page designers."""
    return batch.texts.str.count_matches(r"(?i)lorem ipsum").cast(pl.Float64).to_numpy()


def n_curly_brackets(batch: Batch) -> Floats:
    """Opening curly brackets: signs of code."""
    return batch.texts.str.count_matches("{", literal=True).cast(pl.Float64).to_numpy()


def bad_words(words: Sequence[str]) -> Rule:
    """A rule against any word or phrase of a list, whole words whatever their capitals; no list comes with textmill."""
    pattern = rf"(?i)(?:^|\W)(?:{'|'.join(sorted(map(re.escape, words)))})(?:\W|$)"

    def n_bad_words(batch: Batch) -> Floats:
        return batch.texts.str.contains(pattern).cast(pl.Float64).to_numpy()

    return Rule(reason="bad_word_found", signal=n_bad_words, most=0, cites=_CITES)


def _unterminated(_threshold: float) -> pl.Expr:
    line = pl.col("line")
    return ~line.str.contains(_ENGLISH_END) | line.str.ends_with("...")


def _about_policy(_threshold: float) -> pl.Expr:
    return pl.col("lower").str.contains_any(list(_POLICY))


LINE_RULES = (
    LineRule(
        reason="line_with_too_long_word",
        drops=lambda most: pl.col("longest_word") > most,
        threshold=1000,
        languages=SPACED,
        cites=_CODE,
    ),
    LineRule(reason="line_without_terminal_mark", drops=_unterminated, languages=ENGLISH, cites=_CITES),
    LineRule(
        reason="line_of_too_few_words",
        drops=lambda least: pl.col("n_words") < least,
        threshold=3,
        languages=ENGLISH,
        cites=_CITES,
    ),
    LineRule(
        reason="line_with_javascript",
        drops=lambda _: pl.col("lower").str.contains("javascript", literal=True),
        cites=_CITES,
    ),
    LineRule(reason="line_about_policy", drops=_about_policy, languages=ENGLISH, cites=_CODE),
)
RULES = (
    Rule(reason="lorem_ipsum_found", signal=n_lorem_ipsum, most=0, cites=_CITES),
    Rule(reason="curly_bracket_found", signal=n_curly_brackets, most=0, cites=_CITES),
    Rule(reason="too_few_sentences", signal=n_sentences, least=5, languages=ENGLISH, cites=_CITES),
)
