from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.batching.blocks import Blocks, pack
from models.families.gpt import LanguageModelLearner
from models.language.gpt import GPT, GPTConfig
from models.learner import Batch, Learner, Loss
from models.training import DivergedError, Moment, TrainingConfig, TrainingConfigError, TrainingRecord
from models.training import train as train_learner
from models.training.checkpoints import Checkpoints
from models.training.optimisers import grouped, learning_rate, optimisers

MODEL = GPTConfig(vocab_size=12, context=8, layers=1, heads=2, width=16)
SHORT = TrainingConfig(steps=12, batch_size=2, warmup_steps=2, validate_every=5, validation_batches=2)


def blocks() -> Blocks:
    return pack([list(range(1, 12)) * 8], separator=0, context=8)


def train(model: GPT, data: Blocks, **options: object) -> TrainingRecord:
    return train_learner(LanguageModelLearner(model), data, **options)  # type: ignore[arg-type]


def test_model_learns_a_pattern() -> None:
    record = train(GPT(MODEL), blocks(), config=TrainingConfig(steps=60, batch_size=4, warmup_steps=5))
    assert record.train_loss[-1] < 0.5 * record.train_loss[0]


def test_equal_seeds_give_equal_records_and_weights() -> None:
    models = [GPT(MODEL, seed=1), GPT(MODEL, seed=1)]
    records = [train(model, blocks(), config=SHORT, validation=blocks()) for model in models]
    assert records[0] == records[1]
    assert torch.equal(models[0].embedding.weight, models[1].embedding.weight)


def test_validation_comes_at_its_steps_and_after_the_last() -> None:
    assert train(GPT(MODEL), blocks(), config=SHORT, validation=blocks()).validation_steps == [5, 10, 12]


def test_validation_does_not_change_the_training() -> None:
    with_it = train(GPT(MODEL), blocks(), config=SHORT, validation=blocks())
    assert with_it.train_loss == train(GPT(MODEL), blocks(), config=SHORT).train_loss


def test_last_validation_loss_is_that_of_the_model_left_behind() -> None:
    model = GPT(MODEL)
    record = train(model, blocks(), config=SHORT, validation=blocks())
    with torch.no_grad():
        losses = [model.loss(blocks().batch(step, batch_size=2)["ids"]).item() for step in range(2)]
    assert record.validation_loss[-1] == pytest.approx(np.mean(losses))


def test_a_watcher_hears_of_every_step() -> None:
    seen: list[Moment] = []
    record = train(GPT(MODEL), blocks(), config=SHORT, validation=blocks(), watch=seen.append)
    assert [moment.step for moment in seen] == list(range(1, 13))
    assert [moment.loss for moment in seen] == record.train_loss
    assert [moment.step for moment in seen if moment.scores] == record.validation_steps


def test_seconds_come_from_the_clock_and_stand_apart() -> None:
    ticks = itertools.count(100.0, 2.5)
    record = train(GPT(MODEL), blocks(), config=SHORT, clock=lambda: next(ticks))
    assert record.as_json()["timing"]["seconds"] > 0
    assert record == train(GPT(MODEL), blocks(), config=SHORT)


def test_rows_and_tokens_are_counted() -> None:
    record = train(GPT(MODEL), blocks(), config=SHORT)
    assert (record.samples, record.units) == (24, 24 * 8)


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


def test_inverse_square_root_is_the_schedule_of_vaswani() -> None:
    width, warmup = 512, 4000
    peak = (width * warmup) ** -0.5
    config = TrainingConfig(
        steps=100_000, warmup_steps=warmup, learning_rate=peak, final_rate=0.0, schedule="inverse_sqrt"
    )
    for step in (1, 100, 4000, 4001, 16_000):  # counted from 1 in the paper
        expected = width**-0.5 * min(step**-0.5, step * warmup**-1.5)
        assert learning_rate(step - 1, config) == pytest.approx(expected)


def test_inverse_square_root_without_warmup_begins_at_the_peak() -> None:
    config = TrainingConfig(steps=100, warmup_steps=0, learning_rate=1.0, final_rate=0.0, schedule="inverse_sqrt")
    assert [learning_rate(step, config) for step in (0, 3)] == [1.0, 0.5]


@pytest.mark.parametrize(("schedule", "middle"), [("cosine", 0.55), ("linear", 0.55), ("constant", 1.0)])
def test_schedules_in_their_middle(schedule: str, middle: float) -> None:
    config = TrainingConfig(steps=100, warmup_steps=0, learning_rate=1.0, final_rate=0.1, schedule=schedule)
    assert learning_rate(50, config) == pytest.approx(middle)


def test_only_matrices_decay_and_tables_learn_faster() -> None:
    model = GPT(MODEL)
    groups = grouped(model, TrainingConfig(embedding_rate=3.0, weight_decay=0.2))
    settings = {id(weight): (group["weight_decay"], group["factor"]) for group in groups for weight in group["params"]}
    assert settings[id(model.embedding.weight)] == (0.0, 3.0)
    assert settings[id(model.norm.weight)] == (0.0, 1.0)
    assert settings[id(model.blocks[0].feed_forward.rise.weight)] == (0.2, 1.0)


@pytest.mark.parametrize("name", ["adamw", "muon", "sgd"])
def test_every_weight_is_in_one_optimiser(name: str) -> None:
    model = GPT(MODEL)
    found = optimisers(model, TrainingConfig(optimiser=name))
    weights = [id(weight) for one in found for group in one.param_groups for weight in group["params"]]
    assert sorted(weights) == sorted(map(id, model.parameters()))


class KilledError(Exception):
    pass


def stop_at(step: int) -> object:
    def watch(moment: Moment) -> None:
        if moment.step == step:
            raise KilledError

    return watch


@pytest.mark.parametrize("name", ["adamw", "muon", "sgd"])
@pytest.mark.parametrize("keep_best", [False, True])
def test_resumed_training_equals_an_undisturbed_one(tmp_path: Path, name: str, keep_best: bool) -> None:
    config = TrainingConfig(
        steps=14, batch_size=4, accumulate=2, warmup_steps=2, validate_every=5, validation_batches=1, optimiser=name,
        checkpoint_every=3, keep_best=keep_best,
    )  # fmt: skip
    whole, broken, resumed = GPT(MODEL), GPT(MODEL), GPT(MODEL, seed=9)
    record = train(whole, blocks(), config=config, validation=blocks())
    kept = Checkpoints(tmp_path, {"is": "this"})
    with pytest.raises(KilledError):
        train(broken, blocks(), config=config, validation=blocks(), checkpoints=kept, watch=stop_at(8))
    assert train(resumed, blocks(), config=config, validation=blocks(), checkpoints=kept) == record
    for ours, theirs in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_accumulated_micro_batches_learn_as_the_whole_batch() -> None:
    losses = [
        train(
            GPT(MODEL), blocks(), config=TrainingConfig(steps=6, batch_size=4, warmup_steps=0, accumulate=n)
        ).train_loss
        for n in (1, 4)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


class Noise(Learner):
    """Learns nothing but draws a random number in its loss."""

    def __init__(self) -> None:
        self.model = nn.Linear(1, 1)

    def weights(self, batch: Batch) -> Tensor:
        return torch.ones(len(batch["ids"]))

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:
        return Loss(torch.rand(()) + 0 * self.model.weight.sum())


def test_random_numbers_follow_from_seed_and_step() -> None:
    records = []
    for _ in range(2):
        torch.rand(3)  # whatever was drawn before
        records.append(train_learner(Noise(), blocks(), config=SHORT, seed=4).train_loss)
    assert records[0] == records[1]
    assert len(set(records[0])) == 12
    assert records[0] != train_learner(Noise(), blocks(), config=SHORT, seed=5).train_loss


def test_random_numbers_of_the_caller_go_on_undisturbed() -> None:
    torch.manual_seed(1)
    torch.rand(1)
    expected = torch.rand(1)
    model = GPT(MODEL)
    torch.manual_seed(1)
    torch.rand(1)
    train(model, blocks(), config=SHORT)
    assert torch.rand(1) == expected


class Sliding(Learner):
    """Its validation loss is 3, 2, 1, 2, 3, ...: the best is the third."""

    def __init__(self) -> None:
        self.model = nn.Linear(1, 1)
        self.measured = 0

    def weights(self, batch: Batch) -> Tensor:
        return torch.ones(len(batch["ids"]))

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:
        return Loss(self.model(torch.ones(1)).square().sum())

    def measure(self, batches: object) -> dict[str, float]:
        self.measured += 1
        return {"loss": float(abs(self.measured - 3) + 1)}


def test_patience_ends_a_training_that_gains_nothing() -> None:
    config = TrainingConfig(steps=50, warmup_steps=0, validate_every=2, patience=2)
    record = train_learner(Sliding(), blocks(), config=config, validation=blocks())
    assert (record.ended, record.validation_steps, record.best_step) == ("patience", [2, 4, 6, 8, 10], 6)


def test_best_weights_are_kept() -> None:
    long, short = Sliding(), Sliding()
    short.model.load_state_dict(long.model.state_dict())
    both = {"validate_every": 2, "warmup_steps": 0, "schedule": "constant"}
    train_learner(
        long, blocks(), config=TrainingConfig(steps=10, keep_best=True, **both), validation=blocks()  # type: ignore[arg-type]
    )  # fmt: skip
    train_learner(short, blocks(), config=TrainingConfig(steps=6, **both), validation=blocks())  # type: ignore[arg-type]
    assert torch.equal(long.model.weight, short.model.weight)


def test_the_clock_ends_a_training() -> None:
    ticks = itertools.count(0.0, 20.0)
    config = TrainingConfig(steps=500, warmup_steps=0, max_minutes=2)
    record = train(GPT(MODEL), blocks(), config=config, clock=lambda: next(ticks))
    assert record.ended == "max_minutes"
    assert 0 < len(record.train_loss) < 10


def test_batches_that_cannot_be_divided_are_refused() -> None:
    with pytest.raises(TrainingConfigError, match="accumulate is 3"):
        TrainingConfig(batch_size=4, accumulate=3)


def test_a_device_that_is_not_here_is_refused() -> None:
    with pytest.raises(TrainingConfigError, match="device is nowhere"):
        train(GPT(MODEL), blocks(), config=TrainingConfig(device="nowhere"))


def test_loss_that_is_no_number_ends_the_training() -> None:
    model = GPT(MODEL)
    with torch.no_grad():
        model.prior[0] = np.nan
    with pytest.raises(DivergedError, match=r"step 1 \(batch 0, rows 0 to 1"):
        train(model, blocks(), config=SHORT)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"clip": 0.0}, "clip"),
        ({"warmup_steps": 700}, "warmup_steps"),
        ({"beta2": 1.0}, "beta2 is 1.0"),
        ({"optimiser": "lamb"}, "one of adamw, muon, sgd"),
        ({"schedule": "steps"}, "one of cosine, linear, constant"),
        ({"precision": "float8"}, "one of float32"),
        ({"max_minutes": -1}, "max_minutes is -1"),
    ],
)
def test_bad_option_is_named(options: dict[str, object], name: str) -> None:
    with pytest.raises(TrainingConfigError, match=name):
        TrainingConfig(**options)  # type: ignore[arg-type]
