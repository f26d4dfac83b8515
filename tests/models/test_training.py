from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from models.language.batches import Blocks, pack
from models.language.gpt import GPT, GPTConfig
from models.training import DivergedError, TrainingConfig, TrainingConfigError, adamw, learning_rate, train, validate

MODEL = GPTConfig(vocab_size=12, context=8, layers=1, heads=2, width=16)
SHORT = TrainingConfig(steps=12, batch_size=2, warmup_steps=2, validate_every=5, validation_batches=2)


def blocks() -> Blocks:
    return pack([list(range(1, 12)) * 8], separator=0, context=8)


def test_model_learns_a_pattern() -> None:
    record = train(GPT(MODEL), blocks(), config=TrainingConfig(steps=60, batch_size=4, warmup_steps=5))
    assert record.train_loss[-1] < 0.5 * record.train_loss[0]


def test_equal_seeds_give_equal_records_and_weights() -> None:
    models = [GPT(MODEL, seed=1), GPT(MODEL, seed=1)]
    records = [train(model, blocks(), config=SHORT, validation=blocks()) for model in models]
    assert records[0] == records[1]
    assert torch.equal(models[0].embedding.weight, models[1].embedding.weight)


def test_validation_comes_at_its_steps_and_after_the_last() -> None:
    assert train(GPT(MODEL), blocks(), config=SHORT, validation=blocks()).validation_steps == (5, 10, 12)


def test_validation_does_not_change_the_training() -> None:
    with_it = train(GPT(MODEL), blocks(), config=SHORT, validation=blocks())
    assert with_it.train_loss == train(GPT(MODEL), blocks(), config=SHORT).train_loss


def test_last_validation_loss_is_that_of_the_model_left_behind() -> None:
    model = GPT(MODEL)
    record = train(model, blocks(), config=SHORT, validation=blocks())
    assert record.validation_loss[-1] == validate(model, blocks(), config=SHORT)


def test_progress_counts_steps() -> None:
    seen: list[tuple[int, int]] = []
    train(GPT(MODEL), blocks(), config=SHORT, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(step, 12) for step in range(1, 13)]


def test_seconds_come_from_the_clock_and_stand_apart() -> None:
    ticks = itertools.count(100.0, 2.5)
    record = train(GPT(MODEL), blocks(), config=SHORT, clock=lambda: next(ticks))
    assert record.as_json()["timing"] == {"seconds": 2.5}


def test_samples_are_counted() -> None:
    assert train(GPT(MODEL), blocks(), config=SHORT).samples == 24


def test_model_is_left_ready_for_inference() -> None:
    model = GPT(MODEL)
    train(model, blocks(), config=SHORT)
    assert not model.training


def test_rate_rises_to_its_peak_and_falls_to_its_share() -> None:
    config = TrainingConfig(steps=100, warmup_steps=10, learning_rate=1.0, final_rate=0.1)
    rates = [learning_rate(step, config) for step in range(100)]
    assert rates[9] == max(rates) == 1.0
    assert rates[0] == pytest.approx(0.1)
    assert rates[99] == pytest.approx(0.1, abs=0.01)


def test_only_matrices_decay_and_tables_learn_faster() -> None:
    model = GPT(MODEL)
    groups = adamw(model, TrainingConfig(embedding_rate=3.0, weight_decay=0.2)).param_groups
    settings = {id(weight): (group["weight_decay"], group["factor"]) for group in groups for weight in group["params"]}
    assert settings[id(model.embedding.weight)] == (0.0, 3.0)
    assert settings[id(model.norm.weight)] == (0.0, 1.0)
    assert settings[id(model.blocks[0].feed_forward.rise.weight)] == (0.2, 1.0)


def test_every_weight_is_in_one_group() -> None:
    model = GPT(MODEL)
    weights = [id(weight) for group in adamw(model, SHORT).param_groups for weight in group["params"]]
    assert sorted(weights) == sorted(map(id, model.parameters()))


def test_loss_that_is_no_number_ends_the_training() -> None:
    model = GPT(MODEL)
    with torch.no_grad():
        model.prior[0] = np.nan
    with pytest.raises(DivergedError, match="step 1"):
        train(model, blocks(), config=SHORT)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"clip": 0.0}, "clip"),
        ({"warmup_steps": 700}, "warmup_steps"),
        ({"beta2": 1.0}, "b"),
    ],
)
def test_bad_option_is_named(options: dict[str, float], name: str) -> None:
    with pytest.raises(TrainingConfigError, match=name):
        TrainingConfig(**options)
