"""Word vectors: the speed of training from a corpus beside gensim's own `corpus_file` path, and what the vectors know.

Speed: both sides train on the same words with the same options and one worker, in turns. Ours goes from a Parquet
file of texts, which it writes as lines of words and counts; gensim gets that file for nothing and counts it itself.
Millions of raw words of all epochs per CPU-second, with our writing counted and without.

Similarity: rank correlation with people's judgements of English word pairs, over the pairs whose words all models
know. The test is WordSim-353; the other sets are what the options were tuned on, and WS-353-SIM and -REL, its parts,
are not among them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import options as common
from benchmarks.texts import english
from models.embeddings import word2vec
from models.embeddings.lines import Lines, write
from models.embeddings.vectors import WordVectors
from models.embeddings.word2vec import Word2VecConfig
from models.evaluation import vectors as evaluation

PAIRS = "vectors/word_similarity.parquet"
TEST = "WS-353-ALL"
TUNED_ON = ("MTurk-771", "MTurk-287", "RG-65", "SIMLEX-999")
GENSIM = {"vector_size": 100, "window": 5, "min_count": 5, "epochs": 5, "alpha": 0.025, "sg": 0}
"""gensim's defaults."""
TUNED = Word2VecConfig(
    window=10, min_count=5, epochs=3, sample=1e-4, context="paragraph", add_contexts=True, learning_rate=0.05
)
GLOVE = {"window": 20, "min_count": 5, "x_max": 3.0, "epochs": 8, "context": "paragraph", "absent": 1.0}
SPEED_GOAL, GAIN_GOAL, GLOVE_GOAL = 0.97, 0.03, 0.85


@dataclass(frozen=True)
class Spent:
    """CPU seconds of a training: writing and counting the lines, and the rest."""

    writing: float
    training: float


def ours(parquet: Path, config: Word2VecConfig, folder: Path) -> Spent:
    """From a Parquet file to a trained model."""
    writing, lines = common.timed(
        lambda: word2vec.lines_of((frame["text"] for frame in _batches(parquet)), config, folder)
    )
    training = common.seconds(lambda: word2vec.trained(lines, config, seed=1))
    return Spent(writing, training)


def gensims(lines: Path, config: Word2VecConfig) -> float:
    """CPU seconds of gensim from a file of lines."""
    from gensim.models import Word2Vec

    return common.seconds(lambda: Word2Vec(corpus_file=str(lines), **word2vec.options_of(config, seed=1)))


def _batches(parquet: Path) -> Iterator[pl.DataFrame]:
    yield from pl.scan_parquet(parquet).collect_batches(chunk_size=2_000)


def speed(options: argparse.Namespace, texts: list[str], folder: Path) -> None:
    """Words per second of both sides, for skip-gram and CBOW."""
    import gensim.models  # noqa: F401 - neither side pays for the import

    parquet, runs = folder / "texts.parquet", 1 if options.quick else 3
    pl.DataFrame({"text": texts[: len(texts) // (12 if options.quick else 6)]}).write_parquet(parquet)
    (folder / "theirs").mkdir()
    lines = write((frame["text"] for frame in _batches(parquet)), folder / "theirs" / "lines.txt")
    print(f"\n{lines.words:,} words, {lines.lines:,} sentences, {parquet.stat().st_size / 1e6:.1f} MB of Parquet")
    rows = []
    for architecture in word2vec.ARCHITECTURES:
        config = Word2VecConfig(architecture=architecture, window=5, min_count=5, epochs=5, learning_rate=0.025)
        rows.append((architecture, *_compared(parquet, lines, config, folder, runs)))
    head = ("architecture", "ours", "without writing", "gensim", "writing s", "ratio", "without writing")
    common.table(
        head, [[name, *(f"{value:.3f}" for value in row[:-2]), *(f"{r:.3f}" for r in row[-2:])] for name, *row in rows]
    )
    for name, *_, counted, uncounted in rows:
        common.goal(
            f"{name}, words/s beside corpus_file, writing counted", counted, at_least=SPEED_GOAL, form="{:.3f} x"
        )
        common.goal(
            f"{name}, words/s beside corpus_file, writing not counted", uncounted, at_least=SPEED_GOAL, form="{:.3f} x"
        )


def _compared(parquet: Path, lines: Lines, config: Word2VecConfig, folder: Path, runs: int) -> tuple[float, ...]:
    works: dict[str, Callable[[], Any]] = {
        "ours": lambda: ours(parquet, config, folder),
        "gensim": lambda: gensims(lines.path, config),
    }
    found = common.in_turns(works, runs)
    writing = statistics.median(one.writing for one in found["ours"])
    training = statistics.median(one.training for one in found["ours"])
    theirs, words = statistics.median(found["gensim"]), lines.words * config.epochs / 1e6
    whole = writing + training
    return words / whole, words / training, words / theirs, writing, theirs / whole, theirs / training


def similarity(options: argparse.Namespace, texts: list[str], folder: Path) -> None:
    """What the vectors of each training know of word pairs."""
    if not common.has_shared(options, "similarity of words"):
        return
    from models.embeddings import glove

    texts = texts[: len(texts) // 12] if options.quick else texts
    epochs = {"epochs": 2} if options.quick else {}
    batches = [pl.Series("text", texts)]
    trainings: dict[str, Callable[[], WordVectors]] = {
        "gensim's defaults": lambda: defaults(write(batches, folder / "lines.txt")),
        "word2vec": lambda: word2vec.fit(batches, replace(TUNED, **epochs), seed=1, folder=folder),
        "GloVe": lambda: glove.fit(batches, glove.GloveConfig(**{**GLOVE, **epochs}), seed=1, folder=folder),
    }
    sets = judgements(options.shared / PAIRS)
    found = {}
    for name, training in trainings.items():
        spent, found[name] = common.timed(training)
        scores = "  ".join(f"{each} {rho:.3f}" for each, [(rho, _)] in correlations({name: found[name]}, sets).items())
        print(f"{name}: {spent:.0f} CPU-seconds, {len(found[name].words):,} words  {scores}", flush=True)
    report(found, sets)


def defaults(lines: Lines) -> WordVectors:
    """Vectors of gensim's own path and defaults, with one worker, so that they can be had again."""
    from gensim.models import Word2Vec

    return word2vec.vectors_of(Word2Vec(corpus_file=str(lines.path), workers=1, seed=1, **GENSIM), lines)


def judgements(path: Path) -> dict[str, list[tuple[str, str, float]]]:
    """Word pairs with people's judgements, by set."""
    frame = pl.read_parquet(path)
    return {name: frame.filter(set=name).select("word1", "word2", "score").rows() for name in (TEST, *TUNED_ON)}


def correlations(
    found: dict[str, WordVectors], sets: dict[str, list[tuple[str, str, float]]]
) -> dict[str, list[tuple[float, int]]]:
    """Rank correlation of each model with each set, over the pairs whose words all models know, and their number."""
    scores = {}
    for name, pairs in sets.items():
        known = [pair for pair in pairs if all(word in model for model in found.values() for word in pair[:2])]
        rows = [evaluation.similarities(model, known) for model in found.values()]
        scores[name] = [(evaluation.spearman(row.human, row.model), len(known)) for row in rows]
    return scores


def report(found: dict[str, WordVectors], sets: dict[str, list[tuple[str, str, float]]]) -> None:
    """Print the rank correlations, and the goals on the test."""
    scores = correlations(found, sets)
    rows = [[name, row[0][1], *(f"{rho:.3f}" for rho, _ in row)] for name, row in scores.items()]
    common.table(("set", "pairs", *found), rows)
    reference, ours, of_glove = (rho for rho, _ in scores[TEST])
    common.goal("WordSim-353, word2vec over gensim's defaults", ours - reference, at_least=GAIN_GOAL, form="{:+.3f}")
    common.goal("WordSim-353, GloVe as a share of word2vec", of_glove / ours, at_least=GLOVE_GOAL)


TASKS = {"speed": speed, "similarity": similarity}


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--task", choices=TASKS, help="one of the two; both where none is named")
    options = parser.parse_args()
    texts = english(options)
    for name in [options.task] if options.task else TASKS:
        with tempfile.TemporaryDirectory() as folder:
            TASKS[name](options, texts, Path(folder))


if __name__ == "__main__":
    main()
