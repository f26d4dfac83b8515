"""Translation: Multi30k by an encoder–decoder trained through `models.fitting`, scored by sacreBLEU (13a, cased).

A joint byte-pair encoding is learnt from the training split. Training time is process time, summed over threads; with
`--minutes` some steps are timed first, and as many are taken as will fit. `--curve` translates the validation split at
every validation too (its time is told apart), to see how far the training is.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import options as common
from benchmarks.recipes.translation import RECIPES, SEARCH, VOCABULARY
from data.token_store import TokenStore
from models.catalogue import neural as of_catalogue
from models.decoding.beam import Search, decode
from models.family import Family, Split, TrainingData
from models.fitting import checked, fit
from models.options import parsed
from models.training import Moment
from models.vocabulary import Vocabulary
from pipelines.tokenise import TokeniserConfig, train_tokenizer

FILES = "translation/multi30k_en_de_{}.parquet"
LANGUAGES = ("de", "en")
TIMED, WARM = 40, 10
GOALS = {
    ("transformer-seq2seq", "de-en"): 34.0,
    ("transformer-seq2seq", "en-de"): 33.0,
    ("rnn-seq2seq", "de-en"): 28.0,
    ("rnn-seq2seq", "en-de"): 28.0,
}
QUICK = {"steps": 60, "warmup_steps": 10}


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--direction", choices=["de-en", "en-de"], default="de-en")
    parser.add_argument("--family", choices=sorted(RECIPES), default="transformer-seq2seq")
    parser.add_argument("--minutes", type=float, default=0.0, help="CPU-minutes of training, instead of steps")
    parser.add_argument("--split", choices=["val", "test2016"], default="val", help="what is translated in the end")
    parser.add_argument("--curve", type=int, default=0, metavar="N", help="translate N validation pairs on the way")
    parser.add_argument("--vocabulary", type=int, default=VOCABULARY)
    parser.add_argument("--keep", metavar="DIR", type=Path, help="where the trained model is left")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the recipe")
    options = parser.parse_args()
    if not common.has_shared(options, "translation"):
        return
    if find_spec("sacrebleu") is None:
        common.left_out("translation", "needs sacrebleu")
        return
    recipe = {**RECIPES[options.family], **(QUICK if options.quick else {}), **parsed(options.set)}
    pairs = Pairs(options.shared, options.direction, options.vocabulary)
    if options.minutes:
        recipe["steps"] = affordable(options.family, recipe, pairs, options)
    task = Task(options, pairs)
    spent = task.train(options.family, recipe)
    score = task.bleu(options.split)
    row = f"{options.family} {options.direction} {options.split}"
    print(f"{row}: BLEU {score:.2f} after {spent / 60:.1f} CPU-minutes, {recipe['steps']} steps", flush=True)
    if options.split == "test2016" and not options.quick:
        common.goal(f"Multi30k {row}, BLEU", score, at_least=GOALS[options.family, options.direction])
        common.goal(f"Multi30k {row}, CPU-minutes", spent / 60, at_most=120, form="{:.1f}")


class Pairs:
    """The splits of Multi30k in one direction, and their tokens."""

    def __init__(self, shared: Path, direction: str, vocabulary: int) -> None:
        self.source, self.target = direction.split("-")
        self.frames = {name: pl.read_parquet(shared / FILES.format(name)) for name in ("train", "val", "test2016")}
        train = self.frames["train"]
        texts = [f" {text}" for language in LANGUAGES for text in train[language]]  # first words as all others
        config = TokeniserConfig(vocab_size=vocabulary)
        self.vocabulary = Vocabulary(train_tokenizer(texts, config=config), ("pad", "begin"))

    def encoded(self, split: str, language: str) -> list[list[int]]:
        return [self.vocabulary.encode(f" {text.strip()}") for text in self.frames[split][language]]

    def data(self) -> TrainingData:
        return TrainingData(self.vocabulary, self._split("train"), self._split("val"))

    def _split(self, name: str) -> Split:
        languages = {"source": self.source, "target": self.target}
        return Split({column: TokenStore.of(self.encoded(name, here)) for column, here in languages.items()})


class Task:
    """One training, watched."""

    def __init__(self, options: Any, pairs: Pairs, *, quiet: bool = False) -> None:
        self.options, self.pairs, self.quiet = options, pairs, quiet
        self.model: Any = None
        self.started = self.elsewhere = 0.0
        self.spent_by_step: list[float] = []

    @property
    def spent(self) -> float:
        """CPU-seconds of training so far."""
        return time.process_time() - self.started - self.elsewhere

    def train(self, name: str, recipe: dict[str, Any]) -> float:
        """Train by a recipe; the CPU-seconds that it took."""
        family = self._kept(of_catalogue(name))
        data = self.pairs.data()
        self.started = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder) if self.quiet or self.options.keep is None else self.options.keep
            kept.mkdir(parents=True, exist_ok=True)
            fit(family, checked(family, recipe), data, kept, seed=self.options.seed, watch=self._watch)
        return self.spent_by_step[-1]

    def bleu(self, split: str, rows: int | None = None) -> float:
        """sacreBLEU of the first rows of a split, beam search."""
        import sacrebleu

        vocabulary, sources = self.pairs.vocabulary, self.pairs.encoded(split, self.pairs.source)[:rows]
        outputs = decode(self.model, sources, Search(**SEARCH))
        found = [vocabulary.decode(output[0].tokens).strip() for output in outputs]
        truth = [text.strip() for text in self.pairs.frames[split][self.pairs.target]][:rows]
        return float(sacrebleu.corpus_bleu(found, [truth]).score)

    def _kept(self, family: Family) -> Family:
        """The family, but its model is kept for a look at it on the way; nothing is made for a report."""

        def learner(*arguments: Any) -> Any:
            made = family.learner(*arguments)
            self.model = made.model
            return made

        return dataclasses.replace(family, learner=learner, show=None)

    def _watch(self, moment: Moment) -> None:
        self.spent_by_step.append(self.spent)
        if self.quiet or not moment.scores:
            return
        line = (
            f"step {moment.step} of {moment.steps}: {self.spent / 60:.2f} CPU-minutes, "
            f"{moment.units / self.spent:.0f} target tokens per CPU-s, training loss {moment.loss:.3f}, "
            f"validation perplexity {math.exp(moment.scores['loss']):.3f}"
        )
        if self.options.curve:
            start = time.process_time()
            self.model.eval()
            line += f", validation BLEU {self.bleu('val', self.options.curve):.2f}"
            self.model.train()
            self.elsewhere += time.process_time() - start
        print(line, flush=True)


def affordable(name: str, recipe: dict[str, Any], pairs: Pairs, options: Any) -> int:
    """How many steps take so many CPU-minutes, from the time of a few after some to get warm."""
    task = Task(options, pairs, quiet=True)
    few = {"steps": TIMED, "warmup_steps": TIMED, "validate_every": 10 * TIMED, "costs": False}
    task.train(name, {**recipe, **few})
    each = (task.spent_by_step[-2] - task.spent_by_step[WARM]) / (TIMED - 2 - WARM)
    steps = int(60 * options.minutes / each)
    print(f"{each:.3f} CPU-s a step, so {steps} steps in {options.minutes:g} CPU-minutes", flush=True)
    return steps


if __name__ == "__main__":
    sys.exit(main())
