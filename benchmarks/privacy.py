"""Personal data: precision and recall on a labelled set, false alarms on encyclopaedia text, and speed.

The labelled set is cut in two by a hash of the text; rules were tuned on half 0 only. A span counts as right when
it has the very offsets of a labelled one (exact), or shares a character with one (overlap). The goals are for F1 of
exact spans on both halves. CPU seconds, medians. Without shared data only the embedded sample is searched.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks import options as common
from benchmarks.texts import column, megabytes, sample_texts
from pipelines.privacy import Span, find_all, mask

LABELLED = "pii/presidio_synth_v2.parquet"
TEXTS = (
    "text/enwiki_text.parquet",
    "text/zhwiki_text.parquet",
    "text/enwiki_first_articles_2016.parquet",
    "sentiment/imdb_train.parquet",
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
Spans = set[tuple[int, int]]


def half_of(text: str) -> int:
    return hashlib.sha256(text.encode("utf-8")).digest()[0] % 2


def matched(these: Spans, those: Spans, *, exact: bool) -> int:
    """How many of these spans are, or touch, one of those."""
    if exact:
        return len(these & those)
    return sum(any(start < last and first < end for first, last in those) for start, end in these)


def scores(rows: list[tuple[Spans, Spans]], *, exact: bool) -> tuple[float, float, float]:
    """Precision, recall and F1 over (labelled, found)."""
    labelled, found = sum(len(gold) for gold, _ in rows), sum(len(spans) for _, spans in rows)
    precision = sum(matched(spans, gold, exact=exact) for gold, spans in rows) / max(found, 1)
    recall = sum(matched(gold, spans, exact=exact) for gold, spans in rows) / max(labelled, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def accuracy(shared: Path) -> None:
    """Scores of every kind on each half and on both."""
    frame = pl.read_parquet(shared / LABELLED)
    texts = frame["text"].to_list()
    searched = list(zip(texts, frame["spans"].to_list(), find_all(texts), strict=True))
    shown, f1 = [], {}
    for kind in TYPES.values():
        for half in ("0", "1", "both"):
            rows = [
                (
                    {(span["start"], span["end"]) for span in gold if TYPES.get(span["type"]) == kind},
                    {(start, end) for start, end, name in spans if name == kind},
                )
                for text, gold, spans in searched
                if half in {"both", str(half_of(text))}
            ]
            exact, overlap = scores(rows, exact=True), scores(rows, exact=False)
            figures = (" / ".join(f"{score:.3f}" for score in three) for three in (exact, overlap))
            shown.append((kind, half, sum(len(gold) for gold, _ in rows), *figures))
            f1[kind] = exact[2]
    print(f"{LABELLED}: {len(texts):,} texts")
    common.table(("kind", "half", "spans", "exact P / R / F1", "overlap P / R / F1"), shown)
    for kind, wanted in GOALS.items():
        common.goal(f"{kind}, F1 of exact spans", f1[kind], at_least=wanted, form="{:.3f}")


def alarms(name: str, texts: list[str], runs: int) -> None:
    """Hits per MB, the first of them with what stands around, and speed."""
    size = megabytes(texts)
    found = find_all(texts)
    counts = Counter(kind for spans in found for _, _, kind in spans)
    speed = size / common.medians({"": partial(common.seconds, lambda: mask(texts))}, runs)[""]
    per_kind = ", ".join(f"{kind} {count} ({count / size:.2f}/MB)" for kind, count in sorted(counts.items()))
    print(f"\n{name}: {size:.1f} MB, masked at {speed:.0f} MB per CPU-second\n    {per_kind or 'nothing found'}")
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
    options = common.parser(__doc__).parse_args()
    if common.has_shared(options, "precision and recall"):
        accuracy(options.shared)
    sets = TEXTS if options.shared else ("the embedded sample",)
    for name in sets[:1] if options.quick else sets:
        alarms(name, column(options.shared / name) if options.shared else sample_texts(), 1 if options.quick else RUNS)


if __name__ == "__main__":
    main()
