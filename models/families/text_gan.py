"""The text GAN in the engine: two players whose turns follow from the step, and the curve that compares them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from models.evaluation.diversity import Point, curve, lead, penalised
from models.families.text_vae import MARKS, batches, counts, sizes
from models.family import DataConfig, Family, TrainingData
from models.generative.adversarial import (
    inverse_temperature,
    is_word,
    judge_loss,
    policy_loss,
    relativistic_loss,
    relaxed,
    rewards,
)
from models.generative.text_gan import VERSION, TextGAN, TextGANConfig
from models.generative.vae_measures import predicted
from models.learner import Batch, Learner, Loss
from models.training.config import TrainingConfig

GENERATOR, JUDGE = "generator", "discriminator"
TEMPERATURES = (0.4, 0.6, 0.8, 1.0, 1.2)
_SHOWN, _SAMPLES, _HELD, _NGRAM = 6, 200, 1000, 4


class GANLearner(Learner):
    """Generator and discriminator learn in turns: likelihood, then the discriminator, then against each other."""

    unit = "words"
    compiled = ()

    def __init__(self, model: TextGAN) -> None:
        self.model: TextGAN = model
        self.config = model.config

    def players(self) -> Mapping[str, nn.Module]:
        """Each has its own optimiser."""
        return {GENERATOR: self.model.generator, JUDGE: self.model.discriminator}

    def turns(self, step: int) -> Sequence[str]:
        """Who learns in a step."""
        if step < self.config.likelihood_steps:
            return (GENERATOR,)
        if step < self.config.adversarial_from:
            return (JUDGE,)
        return (GENERATOR,) * self.config.generator_turns + (JUDGE,) * self.config.judge_turns

    def rate(self, step: int, player: str) -> float:
        """The generator learns more slowly from the discriminator than from the likelihood."""
        slower = player == GENERATOR and step >= self.config.adversarial_from
        return self.config.adversarial_rate if slower else 1.0

    def weights(self, batch: Batch) -> Tensor:
        """Words of each sentence, with its end."""
        return predicted(batch)

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:
        """Nats per word for the generator's likelihood, which is also what is measured; otherwise the game's loss."""
        real = self.config.marks.predicted(batch["text"], batch["text_lengths"])
        if step == self.config.likelihood_steps and player == self.turns(step)[0]:
            self.model.keep_likelihood()  # nothing has changed the generator since its last step of likelihood
        if player == JUDGE:
            return self._judged(real, step)
        if player == GENERATOR and step >= self.config.adversarial_from:
            return self._played(real, step)
        return Loss(self.model.generator.likelihood_loss(real))

    def _played(self, real: Tensor, step: int) -> Loss:
        """The generator against the discriminator."""
        mean, parts = self._by_policy(len(real)) if self.config.method == "policy" else self._relaxed(real, step)
        if share := self.config.likelihood_share:
            mean = mean + share * self.model.generator.likelihood_loss(real)
        return Loss(mean, parts)

    def _by_policy(self, rows: int) -> tuple[Tensor, dict[str, Tensor]]:
        generator, judge = self.model.generator, self.model.discriminator
        drawn = generator.draw(rows)
        real = is_word(drawn, self.config.marks)
        reward = rewards(generator, judge, drawn, rollouts=self.config.rollouts, every=self.config.rollout_words)
        mean = policy_loss(generator.nats(drawn), reward, real)
        return mean, {"reward": (reward * real).sum() / real.sum()}

    def _relaxed(self, real: Tensor, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        judge, made = self.model.discriminator, self._shares(len(real), step)
        answers = judge(made)
        return relativistic_loss(judge(real), answers), {"reward": answers.sigmoid().mean()}

    def _judged(self, real: Tensor, step: int) -> Loss:
        """The discriminator tells real sentences from those of the generator."""
        with torch.no_grad():
            by_policy = self.config.method == "policy"
            made = self.model.generator.draw(len(real)) if by_policy else self._shares(len(real), step)
        ours, theirs = self.model.discriminator(real), self.model.discriminator(made)
        told = (ours > 0).float().mean() + (theirs < 0).float().mean()
        return Loss(judge_loss(ours, theirs, relativistic=not by_policy), {"judge_accuracy": told / 2})

    def _shares(self, rows: int, step: int) -> Tensor:
        adversarial = max(0, step - self.config.adversarial_from)
        cold = inverse_temperature(adversarial, coldest=self.config.coldest, steps=self.config.cooling_steps)
        return relaxed(self.model.generator, rows, inverse_temperature=cold)


def learner(config: TextGANConfig, data: TrainingData, seed: int) -> Learner:
    """A generator that starts from the frequencies of the words."""
    model = TextGAN(config, seed=seed)
    model.start_from(counts(data, config.vocab_size))
    return GANLearner(model)


def show(model: TextGAN, data: TrainingData, seed: int) -> dict[str, Any]:
    """Samples of the GAN and of its maximum-likelihood model, the curve of each, and which is better."""
    found = curves(model, data, seed)
    samples = {name: model.sample(_SHOWN, seed=seed, likelihood=name == "likelihood") for name in found}
    return {
        "Samples": {name: [data.vocabulary.decode(ids) for ids in each] for name, each in samples.items()},
        f"BLEU-{_NGRAM} against self-BLEU-{_NGRAM}, by temperature": {
            "x": "self_bleu",
            "y": "bleu",
            "series": {name: [dataclasses.asdict(point) for point in points] for name, points in found.items()},
        },
        "Who wins": verdict(found),
    }


def curves(
    model: TextGAN,
    data: TrainingData,
    seed: int,
    *,
    samples: int = _SAMPLES,
    temperatures: Sequence[float] = TEMPERATURES,
) -> dict[str, list[Point]]:
    """Quality and diversity over temperatures of the model that likelihood left, and of the GAN where it has played."""
    held = batches(model.config, DataConfig(), data, data.validation or data.train, seed)
    rows = held.batch(0, batch_size=min(_HELD, len(held)))
    references = [
        row[:length] for row, length in zip(rows["text"].tolist(), rows["text_lengths"].tolist(), strict=True)
    ]
    found = {}
    for name in ("gan", "likelihood") if bool(model.taught) else ("gan",):

        def draw(temperature: float, likelihood: bool = name == "likelihood") -> list[list[int]]:
            return model.sample(samples, temperature=temperature, seed=seed, likelihood=likelihood)

        found[name] = curve(draw, references, temperatures=temperatures, n=_NGRAM)
    return found if "likelihood" in found else {"likelihood": found["gan"]}


def verdict(found: Mapping[str, Sequence[Point]]) -> str:
    """Who has more BLEU at the same self-BLEU, in words."""
    if "gan" not in found:
        return "The game has not begun: this is the maximum-likelihood model."
    plain = lead(found["gan"], found["likelihood"])
    counted = lead(penalised(found["gan"]), penalised(found["likelihood"]))
    if plain is None or counted is None:
        return "The two have no self-BLEU in common; give more temperatures."
    return (
        f"{_ahead(plain)} at the same self-BLEU, the mean over what both cover; "
        f"where samples shorter than held-out text lose by it, {_ahead(counted)}."
    )


def _ahead(difference: float) -> str:
    winner = "the GAN" if difference > 0 else "the maximum-likelihood model"
    return f"{winner} has {abs(difference):.3f} more BLEU-{_NGRAM}"


FAMILY = Family(
    name="text-gan",
    about="text GAN with an LSTM or GRU, SeqGAN or RelGAN",
    needs=("text",),
    rows="sentences",
    config=TextGANConfig,
    version=VERSION,
    learner=learner,
    batches=batches,
    load=TextGAN.load,
    marks=MARKS,
    training=TrainingConfig(
        steps=350, batch_size=32, learning_rate=3e-3, embedding_rate=1.0, weight_decay=0.01, schedule="constant"
    ),
    show=show,
    sizes=sizes,
)
