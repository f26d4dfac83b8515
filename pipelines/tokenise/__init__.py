"""Text as token ids: train a tokenizer of any kind, load it, encode with it, and measure it."""

from __future__ import annotations

from pipelines.tokenise.encoding import encode, encode_texts, pattern_of
from pipelines.tokenise.kinds import DETERMINISTIC, END_OF_TEXT, KINDS, UNKNOWN, TokeniserConfig
from pipelines.tokenise.measuring import Stats, measure
from pipelines.tokenise.training import EmptyCorpusError, Sample, fingerprint, load, separator_of, train_tokenizer

VERSION = 2

__all__ = [
    "DETERMINISTIC",
    "END_OF_TEXT",
    "KINDS",
    "UNKNOWN",
    "VERSION",
    "EmptyCorpusError",
    "Sample",
    "Stats",
    "TokeniserConfig",
    "encode",
    "encode_texts",
    "fingerprint",
    "load",
    "measure",
    "pattern_of",
    "separator_of",
    "train_tokenizer",
]
