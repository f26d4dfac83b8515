"""The peer's side of `quality.py`: runs in an interpreter that has datatrove, spaCy and jieba, not textmill.

Reads a job as JSON from standard input, and writes decisions and CPU seconds as JSON to standard output.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def filters(family: str, lang: str) -> Any:
    """The filter of a family with its published thresholds; for Chinese those that textmill applies to it."""
    from datatrove.pipeline import filters as made

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
    from datatrove.data import Document

    found = one.filter(Document(text=text, id="0"))
    return None if found is True else str(found[1])


def main() -> None:
    job = json.load(sys.stdin)
    from datatrove.utils.text import split_into_parts, split_into_words

    if "count" in job:
        json.dump([len(split_into_words(text, job["lang"])) for text in job["count"]], sys.stdout)
        return
    one = filters(job["family"], job["lang"])
    decide(one, "A text that loads what the first text would load. " * 20)
    split_into_parts.cache_clear()
    start = time.process_time()
    reasons = [decide(one, text) for text in job["texts"]]
    json.dump({"seconds": time.process_time() - start, "reasons": reasons}, sys.stdout)


if __name__ == "__main__":
    main()
