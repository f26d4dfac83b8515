"""Gopher's rules of repetition (Rae et al. 2021, arXiv:2112.11446, table A1)."""

from __future__ import annotations

from pipelines.quality import grams
from pipelines.quality.arrays import Floats, ratio
from pipelines.quality.batch import Batch
from pipelines.quality.fineweb2 import CITES, MEASURED, beyond_english
from pipelines.quality.rule import Rule, Signal

_CITES = "Rae et al. 2021, table A1"
_BOTH = f"{_CITES}; {CITES}"
TOP_RUNS = {2: 0.20, 3: 0.18, 4: 0.16}
DUPLICATE_RUNS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}


def duplicate_line_ratio(batch: Batch) -> Floats:
    """Share of lines that stood before in the text."""
    return ratio(batch.repeated_lines.repeated, batch.repeated_lines.items)


def duplicate_line_char_ratio(batch: Batch) -> Floats:
    """Share of characters in lines that stood before in the text."""
    return ratio(batch.repeated_lines.chars, batch.n_chars)


def duplicate_paragraph_ratio(batch: Batch) -> Floats:
    """Share of paragraphs that stood before in the text."""
    return ratio(batch.repeated_paragraphs.repeated, batch.repeated_paragraphs.items)


def duplicate_paragraph_char_ratio(batch: Batch) -> Floats:
    """Share of characters in paragraphs that stood before in the text."""
    return ratio(batch.repeated_paragraphs.chars, batch.n_chars)


def top_run(n: int) -> Signal:
    """Signal: share of characters in the most frequent run of n tokens, be it found once alone."""

    def measure(batch: Batch) -> Floats:
        chars = grams.top_chars(batch.runs(n), batch.token_chars, batch.token_doc, len(batch))
        return ratio(chars, batch.n_chars)

    measure.__name__ = f"top_{n}gram_ratio"
    return measure


def duplicate_run(n: int) -> Signal:
    """Signal: share of characters in runs of n tokens that stood before in the text."""

    def measure(batch: Batch) -> Floats:
        chars = grams.duplicate_chars(batch.runs(n), batch.token_chars, batch.token_doc, len(batch))
        return ratio(chars, batch.n_chars)

    measure.__name__ = f"duplicate_{n}gram_ratio"
    return measure


def _of_runs(reason: str, signal: Signal, most: float) -> Rule:
    """A rule on runs of tokens: how many repeat by chance differs from language to language."""
    more = beyond_english(reason)
    return Rule(reason=reason, signal=signal, most=most, by_language=more, languages=MEASURED, cites=_BOTH)


RULES = (
    Rule(reason="too_many_duplicate_paragraphs", signal=duplicate_paragraph_ratio, most=0.3, cites=_CITES),
    Rule(reason="too_many_duplicate_paragraph_chars", signal=duplicate_paragraph_char_ratio, most=0.2, cites=_CITES),
    Rule(
        reason="too_many_duplicate_lines",
        signal=duplicate_line_ratio,
        most=0.3,
        by_language=beyond_english("too_many_duplicate_lines"),
        cites=_BOTH,
    ),
    Rule(reason="too_many_duplicate_line_chars", signal=duplicate_line_char_ratio, most=0.2, cites=_CITES),
    *(_of_runs(f"top_{n}gram_too_frequent", top_run(n), most) for n, most in TOP_RUNS.items()),
    *(_of_runs(f"too_many_duplicate_{n}grams", duplicate_run(n), most) for n, most in DUPLICATE_RUNS.items()),
)
