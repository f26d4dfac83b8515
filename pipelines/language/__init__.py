"""The language of each text: Unicode scripts and four-letter sequences first, naive Bayes where that is not sure.

Three tiers, each asked only where the one before leaves doubt:
1. CLD2 (Sites 2013, Compact Language Detector 2) decides by script (Greek, Georgian, Thai, Kana, …) or by
   quadgrams, over a bounded sample spread over the whole text.
2. Short, mixed and unfamiliar texts: CLD2's shares weigh with langid's naive Bayes over byte n-grams
   (Lui and Baldwin 2012).
3. Languages that differ by a few hundred words (Bosnian, Croatian, Serbian; Indonesian, Malay) are told apart
   by those words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from data.errors import ConfigError
from pipelines.language import bayes, compact
from pipelines.language.close import told_apart
from pipelines.language.codes import UNDECIDED

__all__ = ["UNDECIDED", "VERSION", "LanguageConfig", "identify"]

VERSION = 3
PIECES = 4
_LINK = re.compile(r"(?:https?://|www\.)\S+")
_LETTERS = re.compile(r"[^\W\d_]")
_SIGNS = "{}[];=<>|\\_#$&"
_DECIMALS = 6  # the last digits of a power or an exponential are not the same on every machine
_MAX_SIGNS = 0.1
"""Share of the signs of code and markup among the code points above which a text is not read as a language."""


@dataclass(frozen=True, kw_only=True)
class LanguageConfig:
    """How much of a text is read, in code points, and the least probability of an answer other than `und`."""

    sample_chars: int = 800
    min_probability: float = 0.15

    def __post_init__(self) -> None:
        if self.sample_chars < PIECES:
            raise ConfigError(f"sample_chars must be at least {PIECES}, not {self.sample_chars}")
        if not 0 <= self.min_probability <= 1:
            raise ConfigError(f"min_probability must lie between 0 and 1, not {self.min_probability}")


def identify(texts: Sequence[str], *, config: LanguageConfig | None = None) -> list[tuple[str, float]]:
    """ISO 639-1 code (639-3 where there is none) and score (0 to 1) of each text.

    The score of a long text is the share of it that is in the language, so that one of two languages scores about
    0.5; that of a short text is the probability of the language. `und` where no letter is found (score 0), where
    nothing is probable, and where the text is none of a natural language, as code is. All of Chinese is `zh`, all
    of Arabic `ar`; Norwegian is `nb` or `nn`.
    """
    config = config or LanguageConfig()
    samples = [sampled(text, config.sample_chars) for text in texts]
    found = [compact.evidence(sample) if _is_language(sample) else None for sample in samples]
    doubtful = {row: each for row, each in enumerate(found) if each and not each.is_sure}
    seconds = bayes.combined([samples[row] for row in doubtful], list(doubtful.values())) if doubtful else []
    second = dict(zip(doubtful, seconds, strict=True))
    return [
        _judged(sample, each, second.get(row, each.shares), config) if each else (UNDECIDED, 0.0)
        for row, (sample, each) in enumerate(zip(samples, found, strict=True))
    ]


def sampled(text: str, size: int) -> str:
    """The text, or pieces from its beginning, from between and from its end where it is longer than `size`.

    Half as much of scripts whose code points take three bytes: they say more each, and cost more.
    """
    if len(text) > size:
        pieces = _pieces(text, size)
        is_wide = len(pieces.encode("utf-8", "surrogatepass")) > 2 * len(pieces)
        text = _pieces(text, size // 2) if is_wide else pieces
    return _LINK.sub(" ", text) if "://" in text or "www." in text else text


def _pieces(text: str, size: int) -> str:
    piece = max(1, size // PIECES)
    step = (len(text) - piece) / (PIECES - 1)
    return "\n".join(text[start : start + piece] for start in (int(step * index) for index in range(PIECES)))


def _is_language(sample: str) -> bool:
    """Whether there are letters, and few of the signs of code and markup."""
    if _LETTERS.search(sample) is None:
        return False
    return not sample.isascii() or sum(map(sample.count, _SIGNS)) <= _MAX_SIGNS * len(sample)


def _judged(
    sample: str, found: compact.Evidence, probabilities: dict[str, float], config: LanguageConfig
) -> tuple[str, float]:
    """Language and score from the probabilities that the tiers found together."""
    probabilities = told_apart(sample, probabilities)
    language = max(probabilities, key=lambda code: (probabilities[code], code))
    score = round(min(1.0, probabilities[language]), _DECIMALS)
    if score < config.min_probability:
        return UNDECIDED, score
    if found.is_long:
        score = min(score, found.shares.get(language, score))
    return language, round(score, _DECIMALS)
