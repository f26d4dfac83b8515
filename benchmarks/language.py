"""Language identification: accuracy, speed and memory beside py3langid and lingua; speed of words and sentences.

    python -m benchmarks.language --shared DIR [--peers PYTHON]

DIR (or TEXTMILL_SHARED_DATA) holds `langid/lingua_sentences.parquet` and `text/{en,zh}wiki_text.parquet`; PYTHON is an
interpreter in which lingua-language-detector is installed. Every system runs in a process of its own, CPU seconds
are medians of alternating runs, memory is the peak of the process. Thresholds were chosen on the half of the
sentences whose SHA-256 begins with an even byte; both halves are reported.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RUNS = 3
PER_DOCUMENT = 10
TYPICAL = (2_000, 5_000)
"""Bytes of a typical document."""
GOALS = {"sentences": 95.0, "documents": 99.0, "CPU-s per MB": 0.02, "MB of memory": 250}
_ALIASES = {"no": "nb", "iw": "he", "fil": "tl", "arz": "ar", "ary": "ar", "wuu": "zh", "yue": "zh"}
"""So that a peer is not charged for another code of the same language."""

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


def serve(name: str) -> None:
    """In a child process: identify the texts of standard input; codes, CPU seconds and peak MB on standard output."""
    texts = json.load(sys.stdin)
    start = time.process_time()
    run = SYSTEMS[name]()
    run(["One short text, so that every model is loaded."])
    loaded = time.process_time()
    codes = run(texts)
    end = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    json.dump({"codes": codes, "seconds": end - loaded, "load": loaded - start, "peak": peak}, sys.stdout)


def measured(name: str, python: str, texts: Sequence[str]) -> dict[str, Any]:
    """What `serve` says, run by another interpreter."""
    command = [python, "-m", "benchmarks.language", "--serve", name]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def documents_of(sentences: list[tuple[str, str]]) -> list[tuple[str, str]]:
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


def compare(sentences: list[tuple[str, str]], peers: str | None) -> dict[str, list[Row]]:
    """Accuracy, speed and memory of every system; the rows of textmill for sentences and for documents."""
    documents = documents_of(sentences)
    kept: dict[str, list[Row]] = {}
    print(f"{'system':12} {'sentences':>10} {'documents':>10} {'per CPU-s':>10} {'load CPU-s':>10} {'peak MB':>8}")
    interpreters = {name: sys.executable if name in {"textmill", "py3langid"} else peers for name in SYSTEMS}
    usable = {name: python for name, python in interpreters.items() if python}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in usable}
    for turn in range(RUNS):
        for name, python in usable.items():
            if turn == 0 or name != "lingua-high":
                runs[name].append(measured(name, python, [text for text, _ in sentences]))
    for name, python in usable.items():
        rows = [(*row, code) for row, code in zip(sentences, runs[name][0]["codes"], strict=True)]
        of_documents = measured(name, python, [text for text, _ in documents])["codes"]
        whole = [(*row, code) for row, code in zip(documents, of_documents, strict=True)]
        seconds, load, peak = (statistics.median(run[key] for run in runs[name]) for key in ("seconds", "load", "peak"))
        rates = f"{accuracy(rows):10.2f} {accuracy(whole):10.2f} {len(rows) / seconds:10,.0f} {load:10.2f} {peak:8.0f}"
        print(f"{name:12} {rates}")
        if name == "textmill":
            kept = {"sentences": rows, "documents": whole}
    print("peak MB includes the interpreter and the texts; goals:", GOALS)
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
    """CPU seconds per MB of identification and of words and sentences, on documents of typical size."""
    import polars as pl

    for name in ("en", "zh"):
        texts = pl.read_parquet(shared / f"text/{name}wiki_text.parquet", n_rows=20_000)["text"].drop_nulls().to_list()
        typical = [text for text in texts if TYPICAL[0] <= len(text.encode()) <= TYPICAL[1]][:700]
        megabytes = sum(len(text.encode()) for text in typical) / 1e6
        print(f"\n{name}: {len(typical)} documents of {TYPICAL[0]:,} to {TYPICAL[1]:,} bytes, {megabytes:.2f} MB")
        for label, work in _works(typical).items():
            seconds = statistics.median(_seconds(work) for _ in range(RUNS))
            print(f"  {label:16} {megabytes / seconds:8.1f} MB per CPU-s, {seconds / megabytes:.4f} CPU-s per MB")


def _works(texts: list[str]) -> dict[str, Callable[[], object]]:
    import polars as pl

    from data import segment
    from pipelines.language import identify

    identify(["Load every model, please."])
    segment.words("and compile every pattern")
    frame, text = pl.DataFrame({"text": texts}), pl.col("text")
    return {
        "identify": lambda: identify(texts),
        "word_count": lambda: frame.select(segment.word_count(text)),
        "extract_words": lambda: frame.select(segment.extract_words(text)),
        "sentence_count": lambda: frame.select(segment.sentence_count(text)),
        "words": lambda: [segment.words(each) for each in texts],
        "sentence_spans": lambda: [segment.sentence_spans(each) for each in texts],
    }


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=os.environ.get("TEXTMILL_SHARED_DATA"))
    parser.add_argument("--peers", help="interpreter in which the peers are installed")
    parser.add_argument("--serve", choices=SYSTEMS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    if options.shared is None:
        parser.error("--shared DIR (or TEXTMILL_SHARED_DATA) is needed")
    import polars as pl

    frame = pl.read_parquet(options.shared / "langid/lingua_sentences.parquet")
    explain(compare(list(frame.select("text", "lang").iter_rows()), options.peers))
    speed_of_documents(options.shared)


if __name__ == "__main__":
    main()
