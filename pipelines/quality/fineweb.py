"""FineWeb's rules (Penedo et al. 2024, "The FineWeb Datasets", arXiv:2406.17557, section 3.6).

The thresholds are the defaults of the authors' code (datatrove, fineweb_quality_filter.py), which also has the
rule on line ends; for duplicated lines it is 0.01 of the characters, stricter than Gopher's 0.2. FineWeb2 has
thresholds of its own for other languages, a milder 0.1 for duplicated lines, and no rule on short lines.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.quality.arrays import Floats, ratio
from pipelines.quality.batch import Batch
from pipelines.quality.fineweb2 import CITES, MEASURED, beyond_english
from pipelines.quality.rule import ENGLISH, Rule

_CITES = "Penedo et al. 2024, 3.6"
_BOTH = f"{_CITES}; {CITES}"
# Terminal marks of all scripts: Unicode's property Sentence_Terminal in the scripts of living languages.
_TERMINAL = r"[.!?։؟؞۔܀-܂߹।॥၊။።፧፨᙮᠃᠉។៕៖៙៚᥄᥅᪨-᪫᭚᭛᭞᭟᰻᰼᱾᱿‼‽⁇⁈⁉⸮⸼。꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝-꩟꫰꫱꯫﹒﹖﹗！．？｡]$"
SHORT_LINE = 30


def terminal_line_ratio(batch: Batch) -> Floats:
    """Share of lines that end in a terminal mark."""
    return batch.share(batch.line_doc, batch.lines.str.contains(_TERMINAL).to_numpy(), batch.n_lines)


def short_line_ratio(batch: Batch) -> Floats:
    """Share of lines of at most 30 characters."""
    short = (batch.lines.str.len_chars() <= SHORT_LINE).to_numpy()
    return batch.share(batch.line_doc, short, batch.n_lines)


def repeated_line_char_ratio(batch: Batch) -> Floats:
    """Share of characters in lines that stood before, line ends not counted."""
    return ratio(batch.repeated_lines.chars, batch.n_chars - _newlines(batch))


def newline_ratio(batch: Batch) -> Floats:
    """Line ends for each token: high for lists."""
    return ratio(_newlines(batch), batch.n_tokens)


def _newlines(batch: Batch) -> Floats:
    return batch.texts.str.count_matches("\n", literal=True).cast(pl.Float64).to_numpy().astype(np.float64)


RULES = (
    Rule(
        reason="too_few_terminal_lines",
        signal=terminal_line_ratio,
        least=0.12,
        by_language=beyond_english("too_few_terminal_lines"),
        languages=MEASURED,
        cites=_BOTH,
    ),
    Rule(reason="too_many_short_lines", signal=short_line_ratio, most=0.67, languages=ENGLISH, cites=_CITES),
    Rule(
        reason="too_many_repeated_line_chars",
        signal=repeated_line_char_ratio,
        most=0.1,  # of every language but English
        by_language={"en": 0.01},
        cites=_BOTH,
    ),
    Rule(
        reason="too_many_line_ends",
        signal=newline_ratio,
        most=0.3,
        by_language=beyond_english("too_many_line_ends"),
        languages=MEASURED,
        cites=_BOTH,
    ),
)
