"""Decisions of datatrove's filters and their CPU seconds, or how many words it counts; needs spaCy and jieba."""

from __future__ import annotations

from typing import Any

from datatrove.data import Document
from datatrove.pipeline import filters as made
from datatrove.utils.text import split_into_parts, split_into_words

from benchmarks.options import answer, cpu_seconds


def filters(family: str, lang: str) -> Any:
    """The filter of a family with its published thresholds; for Chinese those that textmill applies to it."""
    if lang == "zh" and family == "repetition":
        return made.GopherRepetitionFilter(top_n_grams=(), dup_n_grams=(), language="zh")
    if lang == "zh":
        return made.FineWebQualityFilter(line_punct_thr=0, short_line_thr=1, new_line_ratio=1e9, language="zh")
    kinds = {
        "gopher": made.GopherQualityFilter,
        "repetition": made.GopherRepetitionFilter,
        "c4": made.C4QualityFilter,
        "fineweb": made.FineWebQualityFilter,
    }
    return kinds[family](language=lang)


def decide(one: Any, text: str) -> str | None:
    """The reason of a rejection, None for a text that is kept."""
    found = one.filter(Document(text=text, id="0"))
    return None if found is True else str(found[1])


def answered(job: dict[str, Any]) -> Any:
    """For {"count": texts, "lang"} the words of each, else {"seconds", "reasons"} of a family's filter."""
    if "count" in job:
        return [len(split_into_words(text, job["lang"])) for text in job["count"]]
    one = filters(job["family"], job["lang"])
    decide(one, "A text that loads what the first text would load. " * 20)
    split_into_parts.cache_clear()
    start = cpu_seconds()
    reasons = [decide(one, text) for text in job["texts"]]
    return {"seconds": cpu_seconds() - start, "reasons": reasons}


if __name__ == "__main__":
    answer(answered)
