"""Exact and near duplicates over a whole corpus, and lines that stand in many documents."""

from pipelines.dedup.apply import Applied, apply
from pipelines.dedup.config import DedupConfig, Part, RepeatedConfig
from pipelines.dedup.find import find_duplicates, repeated_lines
from pipelines.dedup.lines import UInt64s, of_part

VERSION = 3

__all__ = [
    "VERSION",
    "Applied",
    "DedupConfig",
    "Part",
    "RepeatedConfig",
    "UInt64s",
    "apply",
    "find_duplicates",
    "of_part",
    "repeated_lines",
]
