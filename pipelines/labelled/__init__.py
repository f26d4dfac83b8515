"""Labelled sets as their publishers pack them, to rows of text and label; nothing is unpacked."""

from pipelines.labelled.formats import GIVES, READERS, conll_sentences, examples, jsonl
from pipelines.labelled.records import Example
from pipelines.labelled.rows import Found, rows

VERSION = 2

__all__ = ["GIVES", "READERS", "VERSION", "Example", "Found", "conll_sentences", "examples", "jsonl", "rows"]
