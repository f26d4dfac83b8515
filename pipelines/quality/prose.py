"""Rules of this project for texts that others have edited, such as encyclopaedias: mild, and for every language.

They say no more than that a text is one: enough of it, mostly of words, not one phrase again and again.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines import stop_words
from pipelines.quality import grams
from pipelines.quality.arrays import Floats, ints, ratio
from pipelines.quality.batch import Batch
from pipelines.quality.gopher import mean_word_length
from pipelines.quality.rule import NO_BLANKS, SPACED, Languages, Rule

_CITES = "textmill, docs/decisions.md"
MIN_WORDS = 50


def n_chars(batch: Batch) -> Floats:
    """Code points."""
    return batch.n_chars


def stop_word_ratio(batch: Batch) -> Floats:
    """Share of the words that are function words of the language; not told of a text of fewer than 50 words.

    A sentence may have none, and its language may be a mistake for its neighbour's.
    """
    ratios = batch.share(batch.token_doc, batch.stop_word_bits > 0, batch.n_words)
    return np.where(batch.n_words < MIN_WORDS, np.nan, ratios)


def unique_word_ratio(batch: Batch) -> Floats:
    """Different words, capitals aside, for each word."""
    lower = batch.lower.to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode()
    ids = ints(lower.indices)[batch.tokens[batch.is_word]]
    return ratio(batch.distinct(batch.token_doc[batch.is_word], ids, len(lower.dictionary)), batch.n_words)


def alphabetic_word_ratio(batch: Batch) -> Floats:
    """Share of the words, marks of punctuation not counted, with a letter in them."""
    return batch.share(batch.token_doc, batch.flagged(r"\p{L}"), batch.n_words)


def repeated_pair_ratio(batch: Batch) -> Floats:
    """Share of characters in the pair of tokens that occurs most, where one occurs twice."""
    return ratio(
        grams.top_chars(batch.runs(2), batch.token_chars, batch.token_doc, len(batch), once=False), batch.n_chars
    )


RULES = (
    Rule(reason="too_few_characters", signal=n_chars, least=20, languages=Languages(only=NO_BLANKS), cites=_CITES),
    Rule(
        reason="stop_words_too_rare",
        signal=stop_word_ratio,
        # Lists of events have 0.013 and more, running text of 23 languages 0.07; markup and tables have none.
        least=0.01,
        languages=Languages(only=stop_words.languages()),
        cites=_CITES,
    ),
    Rule(reason="words_far_too_short", signal=mean_word_length, least=2, languages=SPACED, cites=_CITES),
    Rule(
        reason="words_far_too_long",
        signal=mean_word_length,
        # Running text of 75 languages has 8.4 at the most; a stub with seven links has 14.9.
        most=15,
        languages=SPACED,
        cites=_CITES,
    ),
    Rule(
        # Gopher's threshold counts marks too, and nine in ten Ukrainian articles would break it.
        reason="too_few_words_with_letters",
        signal=alphabetic_word_ratio,
        least=0.8,
        languages=SPACED,
        cites=_CITES,
    ),
    Rule(reason="too_few_unique_words", signal=unique_word_ratio, least=0.02, languages=SPACED, cites=_CITES),
    Rule(reason="too_many_repeated_pairs", signal=repeated_pair_ratio, most=0.3, languages=SPACED, cites=_CITES),
)
