"""The sentence VAE in the engine: padded sentences, the bound of each minimised with the weight of its KL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from models.batching.rows import Rows
from models.family import DataConfig, Family, Split, TrainingData
from models.generative.gaussian import PATHS, interpolate
from models.generative.text_vae import VERSION, TextVAE, TextVAEConfig
from models.generative.vae_measures import Measures, importance_weighted, measures, predicted
from models.learner import Batch, Learner, Loss, perplexity
from models.training.config import TrainingConfig

MARKS = ("pad", "begin")
_SHOWN, _STEPS, _BATCHES, _ROWS, _CODES = 4, 6, 4, 32, 16


class VAELearner(Learner):
    """Learns to predict every word of a sentence, and its end, from its code and the words before."""

    unit = "words"
    headline = "perplexity_bound"

    def __init__(self, model: TextVAE) -> None:
        self.model: TextVAE = model

    def weights(self, batch: Batch) -> Tensor:
        """Words of each sentence, with its end."""
        return predicted(batch)

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:  # noqa: ARG002 - there is one player
        """Nats per word: what is minimised in a step, the whole -ELBO where the step is `measured_as`.

        The parts, too, are per word: `reconstruction`, `kl` (all of it), and `kl_weight`.
        """
        terms = self.model(batch["text"], batch["text_lengths"])
        measured = step >= self.measured_as
        minimised = terms.negative_elbo if measured else self.model.objective(terms, step)
        words = predicted(batch).sum()
        weight = torch.tensor(1.0 if measured else self.model.config.kl_weight(step))
        parts = {"reconstruction": terms.reconstruction.sum() / words, "kl": terms.kl.sum() / words}
        return Loss(minimised.sum() / words, {**parts, "kl_weight": weight})

    def measure(self, batches: Iterable[Batch]) -> dict[str, float]:
        """`loss` is -ELBO, with its two terms, all in nats per word: means over words, of any number of sentences.

        Of several sentences also what only several have: `nll_bound` and `kl_per_sentence` in nats per sentence,
        `perplexity_bound`, `active_units` and `mutual_information` (see `models.generative.vae_measures`).
        """
        found = measures(self.model, batches)
        names = ("nll_bound", "perplexity_bound", "active_units", "mutual_information")
        several = {} if found.sentences == 1 else {name: getattr(found, name) for name in names}
        return {**_of_words(found), **({"kl_per_sentence": found.kl} if several else {}), **several}

    def means(self, batches: Iterable[Batch]) -> dict[str, float]:
        """-ELBO and its two terms, in nats per word."""
        return _of_words(measures(self.model, batches))

    def figures(self, means: Mapping[str, float]) -> dict[str, float]:
        """With the bound of the perplexity, which follows from that of the loss."""
        return {**means, "perplexity_bound": perplexity(means["loss"])}


def _of_words(found: Measures) -> dict[str, float]:
    share = found.sentences / found.words
    return {"loss": found.nll_bound * share, "reconstruction": found.reconstruction * share, "kl": found.kl * share}


def sizes(data: TrainingData) -> dict[str, int]:
    """The vocabulary of a model and its marks."""
    words = data.vocabulary
    return {"vocab_size": words.size, "pad": words.mark("pad"), "begin": words.mark("begin"), "end": words.end}


def learner(config: TextVAEConfig, data: TrainingData, seed: int) -> Learner:
    """A model that starts from the frequencies of the words."""
    model = TextVAE(config, seed=seed)
    model.start_from(counts(data, config.vocab_size))
    return VAELearner(model)


def counts(data: TrainingData, vocab_size: int) -> Tensor:
    """How often each token stands in the training split, and the end after each row, int64 [vocab_size]."""
    store = data.train.columns["text"]
    found = torch.bincount(torch.from_numpy(store.ids.astype("int64")), minlength=vocab_size)
    found[data.vocabulary.end] += len(store)
    return found


def batches(config: Any, options: DataConfig, data: TrainingData, split: Split, seed: int) -> Rows:
    """Sentences of a split, those of like length together."""
    pad = data.vocabulary.mark("pad")
    return Rows({"text": split.columns["text"]}, pad, config.context, seed, options.too_long)


def show(model: TextVAE, data: TrainingData, seed: int) -> dict[str, Any]:
    """Reconstructions, ways between two sentences, samples of the prior, and the measures."""
    held = batches(model.config, DataConfig(), data, data.validation or data.train, seed)
    found = [held.batch(number, batch_size=min(_ROWS, len(held))) for number in range(_BATCHES)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        told = dataclasses.asdict(measures(model, found))
        tighter = torch.cat([importance_weighted(model, batch, codes=_CODES) for batch in found]).mean()
    return {
        "Reconstructions": reconstructions(model, data, found[0]),
        "Interpolation": interpolations(model, data, found[0]),
        "Samples from the prior": [data.vocabulary.decode(ids) for ids in model.sample(_SHOWN, seed=seed)],
        "Measures": {**told, f"nll_bound_of_{_CODES}_codes": float(tighter)},
    }


def reconstructions(model: TextVAE, data: TrainingData, batch: Batch) -> list[dict[str, str]]:
    """Some sentences, each with the most probable sentence of the mean of its posterior."""
    words, lengths = batch["text"][:_SHOWN], batch["text_lengths"][:_SHOWN]
    with torch.no_grad():
        again = model.generate(model.encode(words, lengths).mean)
    rows = [row[:length] for row, length in zip(words.tolist(), lengths.tolist(), strict=True)]
    decode = data.vocabulary.decode
    return [{"sentence": decode(row), "reconstruction": decode(ids)} for row, ids in zip(rows, again, strict=True)]


def interpolations(model: TextVAE, data: TrainingData, batch: Batch) -> dict[str, list[str]]:
    """The most probable sentences on the ways from the first sentence of a batch to its last."""
    with torch.no_grad():
        means = model.encode(batch["text"], batch["text_lengths"]).mean
    ways = {path: interpolate(means[0], means[-1], steps=_STEPS, path=path) for path in PATHS}
    return {path: [data.vocabulary.decode(ids) for ids in model.generate(codes)] for path, codes in ways.items()}


FAMILY = Family(
    name="text-vae",
    about="sentence VAE with an LSTM or GRU",
    needs=("text",),
    rows="sentences",
    config=TextVAEConfig,
    version=VERSION,
    learner=learner,
    batches=batches,
    load=TextVAE.load,
    marks=MARKS,
    training=TrainingConfig(
        steps=400, batch_size=32, learning_rate=2e-3, embedding_rate=1.0, weight_decay=0.01, precision="auto"
    ),
    show=show,
    sizes=sizes,
)
