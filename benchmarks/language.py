"""Language identification: accuracy, speed and memory beside py3langid and lingua; its share of a corpus build.

Sentences are those of `langid` in the shared data, documents are ten of them in one language. Every system runs in a
process of its own; CPU seconds are medians of runs in turns, memory is the peak of the process. Thresholds were
chosen on the half of the sentences whose SHA-256 begins with an even byte; both halves are reported.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.options import (
    answer,
    ask,
    goal,
    has_peers,
    has_shared,
    in_turns,
    medians,
    parser,
    peak_megabytes,
    seconds,
    table,
    timed,
)

RUNS = 3
PER_DOCUMENT = 10
TYPICAL = (2_000, 5_000)
"""Bytes of a typical document."""
GOALS = {"sentences": 0.95, "documents": 0.99}
_ALIASES = {"no": "nb", "iw": "he", "fil": "tl", "arz": "ar", "ary": "ar", "wuu": "zh", "yue": "zh"}
"""So that a peer is not charged for another code of the same language."""

Labelled = tuple[str, str]
Row = tuple[str, str, str]
"""Text, its language, and the language found."""


def textmill() -> Callable[[Sequence[str]], list[str]]:
    from pipelines.language import identify

    return lambda texts: [code for code, _ in identify(texts)]


def py3langid() -> Callable[[Sequence[str]], list[str]]:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return lambda texts: [model.classify(text)[0] for text in texts]


def lingua_low() -> Callable[[Sequence[str]], list[str]]:
    return _lingua(is_low=True)


def lingua_high() -> Callable[[Sequence[str]], list[str]]:
    return _lingua(is_low=False)


def _lingua(*, is_low: bool) -> Callable[[Sequence[str]], list[str]]:
    from lingua import LanguageDetectorBuilder  # type: ignore[import-not-found]

    builder = LanguageDetectorBuilder.from_all_languages().with_preloaded_language_models()
    detector = (builder.with_low_accuracy_mode() if is_low else builder).build()

    def run(texts: Sequence[str]) -> list[str]:
        found = [detector.detect_language_of(text) for text in texts]
        return [language.iso_code_639_1.name.lower() if language else "und" for language in found]

    return run


SYSTEMS = {"textmill": textmill, "py3langid": py3langid, "lingua-low": lingua_low, "lingua-high": lingua_high}


def serve(name: str, texts: Sequence[str]) -> dict[str, Any]:
    """In a process of its own: codes, CPU seconds of loading and of the texts, and peak MB."""
    loading, run = timed(SYSTEMS[name])
    loading += seconds(lambda: run(["One short text, so that every model is loaded."]))
    spent, codes = timed(lambda: run(texts))
    return {"codes": codes, "seconds": spent, "load": loading, "peak": peak_megabytes()}


def measured(name: str, options: argparse.Namespace, texts: Sequence[str]) -> dict[str, Any]:
    """What `serve` says, in the interpreter that has the system."""
    python = sys.executable if name == "textmill" else options.peers
    found: dict[str, Any] = ask(python, "benchmarks.language", texts, "--serve", name)
    return found


def documents_of(sentences: list[Labelled]) -> list[Labelled]:
    """Documents of ten sentences in one language, in the order of the file."""
    by_language: dict[str, list[str]] = {}
    for text, language in sentences:
        by_language.setdefault(language, []).append(text)
    return [
        (" ".join(texts[start : start + PER_DOCUMENT]), language)
        for language, texts in by_language.items()
        for start in range(0, len(texts), PER_DOCUMENT)
    ]


def accuracy(rows: list[Row]) -> float:
    return 100 * sum(_ALIASES.get(found, found) == language for _, language, found in rows) / max(1, len(rows))


def is_chosen_on(text: str) -> bool:
    """Whether a sentence is in the half that thresholds were chosen on."""
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 0


def systems(options: argparse.Namespace) -> list[str]:
    """The systems to measure: lingua's larger models take long to load."""
    if not has_peers(options):
        return ["textmill"]
    return [name for name in SYSTEMS if not (options.quick and name == "lingua-high")]


def compare(sentences: list[Labelled], options: argparse.Namespace) -> dict[str, list[Row]]:
    """Accuracy, speed and memory of every system; the rows of textmill for sentences and for documents."""
    sets = {"sentences": sentences, "documents": documents_of(sentences)}
    names = systems(options)
    texts = {kind: [text for text, _ in rows] for kind, rows in sets.items()}
    works = {name: partial(measured, name, options, texts["sentences"]) for name in names}
    runs = in_turns(works, 1 if options.quick else RUNS)
    shown, kept = [], {}
    for name in names:
        codes = {"sentences": runs[name][0]["codes"], "documents": measured(name, options, texts["documents"])["codes"]}
        found = {kind: [(*row, code) for row, code in zip(sets[kind], codes[kind], strict=True)] for kind in sets}
        spent, load, peak = (statistics.median(run[key] for run in runs[name]) for key in ("seconds", "load", "peak"))
        accuracies = [f"{accuracy(rows):.2f}" for rows in found.values()]
        shown.append((name, *accuracies, f"{len(sentences) / spent:,.0f}", f"{load:.2f}", f"{peak:.0f}"))
        kept = kept or found
    table(("system", "sentences", "documents", "per CPU-s", "load CPU-s", "peak MB"), shown)
    return kept


def explain(kept: dict[str, list[Row]]) -> None:
    """Where the errors of textmill are."""
    rows = kept["sentences"]
    halves = [[row for row in rows if is_chosen_on(row[0]) is chosen] for chosen in (True, False)]
    print(f"\nhalf that thresholds were chosen on {accuracy(halves[0]):.2f} %, the other {accuracy(halves[1]):.2f} %")
    for name, found in kept.items():
        without = accuracy([row for row in found if row[1] != "ms"])
        print(f"{name}: {accuracy(found):.2f} %; without Malay {without:.2f} %")
    by_tier: dict[str, list[Row]] = {}
    for row in rows:
        by_tier.setdefault(tier(row[0]), []).append(row)
    for name, found in sorted(by_tier.items()):
        print(f"tier {name:10} {len(found):5} sentences {accuracy(found):6.2f} %")
    errors = Counter((language, found) for _, language, found in rows if found != language)
    worst = Counter(language for _, language, found in rows if found != language)
    print("ten worst:", ", ".join(f"{language} {100 - n} %" for language, n in worst.most_common(10)))
    print("commonest errors:", ", ".join(f"{a} as {b} {n}" for (a, b), n in errors.most_common(12)))
    print("wrong documents:", dict(Counter((a, b) for _, a, b in kept["documents"] if a != b)))
    print(malay_note([text for text, language, _ in rows if language == "ms"]))


def tier(text: str) -> str:
    """The tier that decides a text."""
    from pipelines.language import LanguageConfig, compact, sampled

    found = compact.evidence(sampled(text, LanguageConfig().sample_chars))
    if not found.is_sure:
        return "2 bayes"
    return "1 script" if next(iter(found.shares)) in compact.BY_SCRIPT else "1 quadgrams"


def malay_note(texts: list[str]) -> str:
    """How many sentences labelled Malay hold words that only Indonesian has."""
    from pipelines.language import close

    def has(text: str, language: str) -> bool:
        only = close.told_apart(text, {"ms": 0.5, "id": 0.5})
        return only[language] > 0.8

    counts = {language: sum(has(text, language) for text in texts) for language in ("id", "ms")}
    holding = f"{counts['id']} hold words that only Indonesian has, {counts['ms']} words that only Malay has"
    return f"of {len(texts)} sentences labelled Malay, {holding}"


def speed_of_documents(shared: Path) -> None:
    """CPU seconds per MB of identification, on documents of typical size."""
    from benchmarks.texts import column, megabytes
    from pipelines.language import identify

    identify(["Load every model, please."])
    rows = []
    for name in ("en", "zh"):
        texts = column(shared / f"text/{name}wiki_text.parquet")[:20_000]
        typical = [text for text in texts if TYPICAL[0] <= len(text.encode()) <= TYPICAL[1]][:700]
        size = megabytes(typical)
        spent = medians({"": partial(seconds, partial(identify, typical))}, RUNS)[""]
        rows.append((name, len(typical), f"{size:.2f}", f"{size / spent:.1f}", f"{spent / size:.4f}"))
    print(f"\nidentification of documents of {TYPICAL[0]:,} to {TYPICAL[1]:,} bytes")
    table(("text", "documents", "MB", "MB per CPU-s", "CPU-s per MB"), rows)


def main() -> None:
    command = parser(__doc__)
    command.add_argument("--serve", choices=SYSTEMS, help=argparse.SUPPRESS)
    options = command.parse_args()
    if options.serve:
        answer(partial(serve, options.serve))
        return
    from benchmarks import build_share

    if has_shared(options, "accuracy and speed"):
        import polars as pl

        frame = pl.read_parquet(options.shared / "langid/lingua_sentences.parquet")
        kept = compare(list(frame.select("text", "lang").iter_rows()), options)
        explain(kept)
        speed_of_documents(options.shared)
        for kind, found in kept.items():
            goal(f"language of {kind}", accuracy(found) / 100, at_least=GOALS[kind], form="{:.2%}")
    build_share.show(options)


if __name__ == "__main__":
    main()
