"""Overlap with evaluation sets: size of the index, speed, and planted pieces found again.

Every hundredth document of the English text gets a run of words of an evaluation text in its middle, of 13 words (8 in
the second round), and as many get a run that is one word shorter, which must not be found.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import options as common
from benchmarks.texts import english, megabytes
from data.segment import words
from pipelines.decontaminate import DecontaminationConfig, overlaps, read_index, read_set

SETS = {
    "squad": "qa/squad_v11_dev.parquet",
    "imdb": "sentiment/imdb_train.parquet",
    "scifact": "retrieval/scifact_corpus.parquet",
}
QUICK_DOCUMENTS = 5000


def planted(texts: list[str], runs: list[list[str]], n: int) -> tuple[list[str], list[int], list[int]]:
    """The texts, the rows that got a run of n words, and those that got one word less."""
    made, long, short = list(texts), [], []
    for number, row in enumerate(range(0, len(texts), 50)):
        length, rows = (n, long) if number % 2 == 0 else (n - 1, short)
        run = runs[number % len(runs)][10 : 10 + length]
        half = len(texts[row]) // 2
        made[row] = f"{texts[row][:half]} zzq {' '.join(run)} zzq {texts[row][half:]}"
        rows.append(row)
    return made, long, short


def measure(shared: Path, texts: list[str], n: int) -> None:
    config = DecontaminationConfig(sets={name: str(shared / path) for name, path in SETS.items()}, n=n)
    making, index = common.timed(lambda: read_index(config))
    clean = [text for text, found in zip(texts, overlaps(texts, index), strict=True) if found is None]
    runs = [found for text in read_set(shared / SETS["imdb"], ["text"])[:2000] if len(found := words(text)) > 40]
    made, long, short = planted(clean, runs, n)
    searching, found = common.timed(lambda: overlaps(made, index))
    print(f"\nindex: {len(index.keys):,} {n}-grams, {index.n_bytes / 1e6:.0f} MB, made in {making:.1f} CPU-seconds")
    print(f"{megabytes(made) / searching:.0f} MB of text per CPU-second")
    print(f"there without planting: {len(texts) - len(clean)} of {len(texts)} documents")
    hits, alarms = (sum(found[row] is not None for row in rows) / len(rows) for rows in (long, short))
    common.goal(f"planted runs of {n} words found", hits, at_least=1.0, form="{:.1%}")
    common.goal(f"planted runs of {n - 1} words found", alarms, at_most=0.0, form="{:.1%}")


def main() -> None:
    options = common.parser(__doc__).parse_args()
    if not common.has_shared(options, "overlap with evaluation sets"):
        return
    texts = english(options)[: QUICK_DOCUMENTS if options.quick else None]
    for n in (13,) if options.quick else (13, 8):
        measure(options.shared, texts, n)
    print(f"peak memory {common.peak_megabytes():.0f} MB")


if __name__ == "__main__":
    main()
