"""Personal data: precision and recall on a labelled set, false alarms on encyclopaedia text, and speed.

    python benchmarks/privacy.py SHARED_DATA        (or TEXTMILL_SHARED_DATA in the environment)

The labelled set is cut in two by a hash of the text; rules were tuned on half 0 only. A span counts as right when
it has the very offsets of a labelled one (exact), or shares a character with one (overlap). CPU seconds, medians.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl

from pipelines.privacy import Span, find_all, mask

LABELLED = "pii/presidio_synth_v2.parquet"
TEXTS = (
    ("text/enwiki_text.parquet", "text"),
    ("text/zhwiki_text.parquet", "text"),
    ("text/enwiki_first_articles_2016.parquet", "text"),
    ("sentiment/imdb_train.parquet", "text"),
)
TYPES = {
    "EMAIL_ADDRESS": "email",
    "IP_ADDRESS": "ip",
    "IBAN_CODE": "iban",
    "CREDIT_CARD": "card",
    "PHONE_NUMBER": "phone",
    "US_SSN": "national_id",
}
GOALS = {"email": 0.98, "ip": 0.98, "iban": 0.98, "card": 0.98, "phone": 0.90}
RUNS = 5
EXAMPLES = 12


def half_of(text: str) -> int:
    return hashlib.sha256(text.encode("utf-8")).digest()[0] % 2


def matched(these: set[tuple[int, int]], those: set[tuple[int, int]], *, exact: bool) -> int:
    """How many of these spans are, or touch, one of those."""
    if exact:
        return len(these & those)
    return sum(any(start < last and first < end for first, last in those) for start, end in these)


def scores(rows: list[tuple[set[tuple[int, int]], set[tuple[int, int]]]], *, exact: bool) -> tuple[float, float, float]:
    """Precision, recall and F1 over (labelled, found)."""
    labelled, found = sum(len(gold) for gold, _ in rows), sum(len(spans) for _, spans in rows)
    precision = sum(matched(spans, gold, exact=exact) for gold, spans in rows) / max(found, 1)
    recall = sum(matched(gold, spans, exact=exact) for gold, spans in rows) / max(labelled, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def accuracy(shared: Path) -> None:
    frame = pl.read_parquet(shared / LABELLED)
    texts = frame["text"].to_list()
    found = find_all(texts)
    print(f"{LABELLED}: {len(texts):,} texts")
    print(f"{'kind':12} {'half':5} {'spans':>5}   exact P / R / F1        overlap P / R / F1      goal")
    for kind in TYPES.values():
        for half in ("0", "1", "both"):
            rows = [
                (
                    {(span["start"], span["end"]) for span in gold if TYPES.get(span["type"]) == kind},
                    {(start, end) for start, end, name in spans if name == kind},
                )
                for text, gold, spans in zip(texts, frame["spans"].to_list(), found, strict=True)
                if half in {"both", str(half_of(text))}
            ]
            exact, overlap = scores(rows, exact=True), scores(rows, exact=False)
            goal = GOALS.get(kind)
            verdict = "" if goal is None else f"{goal} {'met' if exact[2] >= goal else 'MISSED'}"
            shown = "   ".join(" / ".join(f"{score:.3f}" for score in three) for three in (exact, overlap))
            print(f"{kind:12} {half:5} {sum(len(gold) for gold, _ in rows):5}   {shown}   {verdict}")


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def alarms(shared: Path, name: str, column: str) -> None:
    """Hits per MB, the first of them with what stands around, and speed."""
    texts = pl.read_parquet(shared / name)[column].drop_nulls().to_list()
    megabytes = sum(len(text.encode("utf-8")) for text in texts) / 1e6
    found = find_all(texts)
    counts = Counter(kind for spans in found for _, _, kind in spans)
    speed = megabytes / statistics.median(seconds(lambda: mask(texts)) for _ in range(RUNS))
    per_kind = ", ".join(f"{kind} {count} ({count / megabytes:.2f}/MB)" for kind, count in sorted(counts.items()))
    print(f"\n{name}: {megabytes:.1f} MB, masked at {speed:.0f} MB per CPU-second (goal 60)")
    print(f"    {per_kind or 'nothing found'}")
    for line in examples(texts, found):
        print(f"    {line}")


def examples(texts: list[str], found: list[list[Span]]) -> list[str]:
    shown = [
        f"{kind:11} {text[max(0, start - 30) : start]!r} {text[start:end]!r} {text[end : end + 15]!r}"
        for text, spans in zip(texts, found, strict=True)
        for start, end, kind in spans
        if kind != "email"
    ]
    return shown[:EXAMPLES]


def main() -> None:
    shared = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["TEXTMILL_SHARED_DATA"])
    accuracy(shared)
    for name, column in TEXTS:
        alarms(shared, name, column)


if __name__ == "__main__":
    main()
