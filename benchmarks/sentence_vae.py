"""Sentence VAE on the Penn Treebank, word by word: bound of the NLL, KL, active units and mutual information.

    OMP_WAIT_POLICY=PASSIVE python -m benchmarks.sentence_vae --shared DIR

Published: 103.97 nats a sentence with a KL of 7.27. Trained through `models.fitting`, as `textmill train` does; the
validation split is both what the recipe was tuned on and what is measured, since there is no test split. CPU-minutes
are process time of the training alone, all threads; validations while it runs are counted, what is measured at
the end is not. `--steps` shortens the training, and its schedules with it.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.options import cpu_seconds, goal, has_shared, left_out, parser, timed
from data.token_store import TokenStore
from models.batching.rows import Rows
from models.catalogue import family
from models.family import Split, TrainingData
from models.fitting import checked, fit, load
from models.generative.text_vae import TextVAE
from models.generative.vae_measures import importance_weighted, measures
from models.training import Moment
from models.vocabulary import END_OF_TEXT, Vocabulary

UNKNOWN = "<unk>"
CODES = 50
RECIPE: dict[str, Any] = {
    "context": 82,
    "embedding": 256,
    "encoder_width": 256,
    "width": 640,
    "latent": 32,
    "pooling": "max",
    "dropout": 0.3,
    "word_dropout": 0.05,
    "annealing": "linear",
    "free_bits": 5.3,
    "free_per": "sentence",
    "batch_size": 32,
    "learning_rate": 3e-3,
    "embedding_rate": 1.0,
    "weight_decay": 0.01,
    "validation_batches": 20,
    "precision": "auto",
    "keep_best": False,
}
STEPS, ANNEALING_SHARE, WARMUP, VALIDATIONS = 20_000, 0.2, 100, 10


def penn_treebank(shared: Path, *, most_words: int | None = None, longest: int = 82) -> TrainingData:
    """The sentences of both splits, at most `longest` words each.

    Every word of the training split is a token, or the most frequent ones are; all others are `<unk>`.
    """
    import polars as pl

    texts = {name: pl.read_parquet(shared / f"lm/ptb_{name}.parquet")["text"].to_list() for name in ("train", "valid")}
    seen = Counter(word for text in texts["train"] for word in text.split())
    ids = {
        word: number for number, word in enumerate([END_OF_TEXT, *(word for word, _ in seen.most_common(most_words))])
    }
    rows = {
        name: [[ids.get(word, ids[UNKNOWN]) for word in text.split()] for text in found]
        for name, found in texts.items()
    }
    train, valid = (
        Split({"text": TokenStore.of([row for row in found if len(row) <= longest])}) for found in rows.values()
    )
    return TrainingData(Vocabulary(_tokenizer(ids), tuple(family("text-vae").marks)), train, valid)


def _tokenizer(ids: dict[str, int]) -> str:
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return str(made.to_str())


def recipe(steps: int) -> dict[str, Any]:
    """The options of a training of so many steps."""
    return {
        **RECIPE,
        "steps": steps,
        "warmup_steps": min(WARMUP, steps),
        "annealing_steps": max(1, round(steps * ANNEALING_SHARE)),
        "validate_every": max(1, steps // VALIDATIONS),
        "checkpoint_every": steps,
    }


def held_out(model: TextVAE, data: TrainingData, most: int | None) -> Iterator[dict[str, torch.Tensor]]:
    """Every sentence of the validation split once, those of like length together."""
    assert data.validation is not None
    store = data.validation.columns["text"]
    rows = Rows({"text": store}, model.config.pad, model.config.context)
    order = np.argsort(store.lengths, kind="stable")[:: 1 if most is None else max(1, len(store) // most)]
    for start in range(0, len(order), 64):
        yield rows.rows(order[start : start + 64])


def tell(model: TextVAE, data: TrainingData, *, codes: int, most: int | None) -> dict[str, float]:
    """Measures over the validation split, and the importance-weighted bound."""
    torch.manual_seed(0)
    found = dataclasses.asdict(measures(model, held_out(model, data, most)))
    tighter = torch.cat([importance_weighted(model, batch, codes=codes) for batch in held_out(model, data, most)])
    return {**found, f"iwae_{codes}": float(tighter.double().mean())}


def trained(data: TrainingData, folder: Path, steps: int, seed: int, device: str) -> TextVAE:
    """A model by the recipe; its validations are printed against CPU-minutes."""
    made, start = family("text-vae"), cpu_seconds()

    def watch(moment: Moment) -> None:
        if moment.scores:
            names = ("loss", "nll_bound", "kl_per_sentence", "active_units", "mutual_information")
            told = ", ".join(f"{name} {moment.scores[name]:.2f}" for name in names)
            print(f"step {moment.step}, CPU-minutes {(cpu_seconds() - start) / 60:.1f}: {told}", flush=True)

    quiet = dataclasses.replace(made, show=None)
    fit(quiet, checked(made, {**recipe(steps), "device": device}), data, folder, seed=seed, watch=watch)
    found: TextVAE = load(folder)
    return found


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--steps", type=int, default=STEPS)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--device", default="cpu")
    options = made.parse_args()
    if not has_shared(options, "sentence VAE"):
        return
    data, steps = penn_treebank(options.shared), 100 if options.quick else options.steps
    with tempfile.TemporaryDirectory() as scratch:
        work = lambda: trained(data, Path(scratch), steps, options.seed, options.device)  # noqa: E731
        seconds, model = timed(work)
    found = tell(model, data, codes=2 if options.quick else CODES, most=200 if options.quick else None)
    for name, value in found.items():
        print(f"{name}: {value:.3f}", flush=True)
    if options.quick:
        left_out("goals of the sentence VAE", "--quick")
        return
    goal("text VAE, PTB, NLL bound (ELBO), nats per sentence", found["nll_bound"], at_most=109.0)
    goal("text VAE, PTB, KL, nats per sentence", found["kl"], at_least=5.0)
    goal("text VAE, PTB, mutual information, nats", found["mutual_information"], at_least=2.0)
    goal("text VAE, PTB, CPU-minutes", seconds / 60, at_most=60.0, form="{:.1f}")


if __name__ == "__main__":
    main()
