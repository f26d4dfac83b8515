"""Scores of a model on held-out rows: figures that follow from means over units, with intervals over rows."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from models.evaluation import bootstrap, held_out
from models.families.bert import MaskedLMLearner
from models.families.gpt import LanguageModelLearner
from models.families.seq2seq import Seq2SeqLearner
from models.families.text_vae import VAELearner
from models.learner import Batch, Learner, Loss, perplexity

NATS, TOKENS = [1.0, 3.0, 2.0, 5.0], [10.0, 1.0, 0.0, 4.0]


class Known(Learner):
    """A row of so many tokens has so many nats per token."""

    headline = "perplexity"

    def __init__(self) -> None:
        self.model = nn.Identity()

    def weights(self, batch: Batch) -> Tensor:
        return batch["tokens"]

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:
        return Loss((batch["nats"] * batch["tokens"]).sum() / batch["tokens"].sum())

    def figures(self, means: Mapping[str, float]) -> dict[str, float]:
        return {**means, "perplexity": perplexity(means["loss"])}


class Held:
    """The rows one after another."""

    fingerprint = ""

    def __len__(self) -> int:
        return len(NATS)

    def batch(self, step: int, *, batch_size: int) -> Batch:
        rows = slice(step, step + batch_size)
        return {"nats": torch.tensor(NATS[rows]), "tokens": torch.tensor(TOKENS[rows])}


def test_perplexity_is_of_the_mean_over_tokens_and_its_interval_over_rows() -> None:
    found = held_out.scores(Known(), Held(), seed=3)
    assert [score.metric for score in found] == ["perplexity", "loss"]
    nats, tokens = np.array(NATS), np.array(TOKENS)

    def expected(rows: np.ndarray) -> float:
        return math.exp((nats[rows] * tokens[rows]).sum() / max(tokens[rows].sum(), 1e-12))

    by_hand = bootstrap.score("perplexity", expected, 4, seed=3)
    assert (found[0].value, found[0].ci_low, found[0].ci_high) == pytest.approx(
        (by_hand.value, by_hand.ci_low, by_hand.ci_high)
    )
    assert (found[0].value, found[0].n) == (pytest.approx(math.exp(33 / 15)), 4)


def test_a_validation_has_the_same_figures() -> None:
    assert Known().measure([Held().batch(0, batch_size=4)]) == pytest.approx(
        {"loss": 33 / 15, "perplexity": math.exp(33 / 15)}
    )


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (LanguageModelLearner, "perplexity"),
        (MaskedLMLearner, "masked_perplexity"),
        (Seq2SeqLearner, "perplexity"),
        (VAELearner, "perplexity_bound"),
    ],
)
def test_language_models_tell_their_perplexity_first(kind: type[Learner], name: str) -> None:
    found = kind.figures(kind.__new__(kind), {"loss": 2.0, "kl": 0.5})
    assert kind.headline == name
    assert found == {"loss": 2.0, "kl": 0.5, name: pytest.approx(math.exp(2.0))}


@given(st.floats(0, 1e6))
def test_perplexity_is_a_number(nats: float) -> None:
    assert 1 <= perplexity(nats) < math.inf
