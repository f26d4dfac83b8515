"""Gopher's rules of quality (Rae et al. 2021, "Scaling Language Models", arXiv:2112.11446, appendix A.1.1)."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines import stop_words
from pipelines.quality.arrays import Floats, ratio
from pipelines.quality.batch import Batch
from pipelines.quality.fineweb2 import CITES, MEASURED, beyond_english
from pipelines.quality.rule import ENGLISH, SPACED, Languages, Rule, Signal

_CITES = "Rae et al. 2021, A.1.1"
_BULLET = r"^\s*[•\-]"
_ELLIPSIS = r"(?:\.\.\.|…)\s*$"
_ENGLISH = r"(?i)^(?:the|be|to|of|and|that|have|with)$"


def n_words(batch: Batch) -> Floats:
    """Words; marks of punctuation do not count."""
    return batch.n_words


def mean_word_length(batch: Batch) -> Floats:
    """Mean length of the words in code points."""
    return ratio(batch.word_chars, batch.n_words)


def hash_ratio(batch: Batch) -> Floats:
    """Hash signs for each token."""
    return ratio(_occurrences(batch, "#"), batch.n_tokens)


def ellipsis_ratio(batch: Batch) -> Floats:
    """Ellipses for each token."""
    return ratio(_occurrences(batch, "...") + _occurrences(batch, "…"), batch.n_tokens)


def bullet_line_ratio(batch: Batch) -> Floats:
    """Share of lines that begin with a bullet."""
    return _line_share(batch, _BULLET)


def ellipsis_line_ratio(batch: Batch) -> Floats:
    """Share of lines that end in an ellipsis."""
    return _line_share(batch, _ELLIPSIS)


def alphabetic_ratio(batch: Batch) -> Floats:
    """Share of tokens with a letter in them; marks of punctuation are tokens."""
    return batch.share(batch.token_doc, batch.flagged(r"\p{L}"), batch.n_tokens)


def n_stop_words(batch: Batch) -> Floats:
    """How many different function words occur: of Gopher's eight in English, of our table's elsewhere."""
    bits = batch.stop_word_bits
    english = (batch.langs == "en").fill_null(value=False).to_numpy()
    bits = np.where(english[batch.token_doc] & ~batch.flagged(_ENGLISH), np.uint64(0), bits)
    found = np.zeros(len(batch), dtype=np.uint64)
    starts = np.flatnonzero(np.diff(batch.token_doc, prepend=-1))
    if len(starts):
        found[batch.token_doc[starts]] = np.bitwise_or.reduceat(bits, starts)
    return np.bitwise_count(found).astype(np.float64)


def _occurrences(batch: Batch, mark: str) -> Floats:
    return batch.texts.str.count_matches(mark, literal=True).cast(pl.Float64).to_numpy()


def _line_share(batch: Batch, pattern: str) -> Floats:
    return batch.share(batch.line_doc, batch.lines.str.contains(pattern).to_numpy(), batch.n_lines)


def _measured(reason: str, signal: Signal, *, least: float | None = None, most: float | None = None) -> Rule:
    """A rule whose threshold is known of some languages alone, and differs among them."""
    more = beyond_english(reason)
    cites = f"{_CITES}; {CITES}"
    return Rule(reason=reason, signal=signal, least=least, most=most, by_language=more, languages=MEASURED, cites=cites)


RULES = (
    Rule(reason="too_few_words", signal=n_words, least=50, languages=SPACED, cites=_CITES),
    Rule(reason="too_many_words", signal=n_words, most=100_000, languages=SPACED, cites=_CITES),
    _measured("words_too_short", mean_word_length, least=3),
    _measured("words_too_long", mean_word_length, most=10),
    Rule(reason="too_many_hashes", signal=hash_ratio, most=0.1, languages=SPACED, cites=_CITES),
    Rule(reason="too_many_ellipses", signal=ellipsis_ratio, most=0.1, languages=SPACED, cites=_CITES),
    Rule(reason="too_many_bullet_lines", signal=bullet_line_ratio, most=0.9, cites=_CITES),
    Rule(reason="too_many_ellipsis_lines", signal=ellipsis_line_ratio, most=0.3, cites=_CITES),
    Rule(reason="too_few_alphabetic_words", signal=alphabetic_ratio, least=0.8, languages=ENGLISH, cites=_CITES),
    Rule(
        reason="too_few_stop_words",
        signal=n_stop_words,
        least=2,
        languages=Languages(only=stop_words.languages()),
        cites=_CITES,
    ),
)
