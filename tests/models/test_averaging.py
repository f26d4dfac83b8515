"""The moving average of weights: what it is, that it is validated and kept, that a resumed training has the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import Network, Tiny, blocks, digest, options
from torch import Tensor, nn

from models.learner import Batch, Loss
from models.training import Moment, TrainingConfigError, train
from models.training.averaging import Average
from models.training.checkpoints import CheckpointError, Checkpoints


class KilledError(Exception):
    pass


def killed(at: int) -> Any:
    def watch(moment: Moment) -> None:
        if moment.step == at:
            raise KilledError

    return watch


class Both(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Network(seed=1), Network(seed=2)
        self.second.embedding.weight.requires_grad_(requires_grad=False)


class Players(Tiny):
    """Two that learn in turns, the second twice and not all of it."""

    def __init__(self) -> None:
        self.model: Both = Both()  # type: ignore[assignment]
        self.uneven = False

    def players(self) -> Mapping[str, nn.Module]:
        return {"first": self.model.first, "second": self.model.second}

    def turns(self, step: int) -> Sequence[str]:
        return ("first", "second", "second")

    def loss(self, batch: Batch, *, step: int, player: str = "first") -> Loss:
        logits: Tensor = self.players()[player if player != "model" else "first"](batch["ids"][:, :-1])
        return Loss(nn.functional.cross_entropy(logits.transpose(1, 2), batch["ids"][:, 1:]))


def test_the_average_is_that_of_the_formula() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    average, expected = Average(model, 0.5), 1.0
    for step, weight in enumerate([2.0, 4.0, 3.0, 5.0, 1.0, 6.0, 2.0, 7.0, 0.0, 3.0]):
        nn.init.constant_(model.weight, weight)
        average.follow(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weight
        assert average.tensors["weight"].item() == pytest.approx(expected)


def test_a_model_has_its_own_weights_again_after_a_validation() -> None:
    model = Network()
    before, average = digest(model), Average(model, 0.9)
    for tensor in average.tensors.values():
        tensor.zero_()
    with average.in_place():
        assert not any(weight.any() for weight in model.parameters())
    assert digest(model) == before


@pytest.mark.parametrize("kind", [Tiny, Players])
@pytest.mark.parametrize("keep_best", [False, True])
def test_a_resumed_training_has_the_average_of_an_undisturbed_one(
    tmp_path: Path, kind: type[Tiny], keep_best: bool
) -> None:
    config, data = options(ema=0.9, keep_best=keep_best), blocks()
    whole, broken, resumed = kind(), kind(), kind()
    record = train(whole, data, config=config, validation=data)
    kept = Checkpoints(tmp_path, {})
    with pytest.raises(KilledError):
        train(broken, data, config=config, validation=data, checkpoints=kept, watch=killed(8))
    assert train(resumed, data, config=config, validation=data, checkpoints=kept) == record
    assert digest(resumed.model) == digest(whole.model)


@pytest.mark.parametrize("keep_best", [False, True])
def test_what_is_validated_is_what_is_kept_and_not_what_learns(keep_best: bool) -> None:
    averaged, plain, data = Tiny(), Tiny(), blocks()
    config = {"validation_batches": 20, "validate_every": 4, "keep_best": keep_best}
    record = train(averaged, data, config=options(ema=0.9, **config), validation=data)
    other = train(plain, data, config=options(**config), validation=data)
    assert record.train_loss == other.train_loss
    assert record.validation_loss != other.validation_loss
    with torch.no_grad():
        found = averaged.measure(data.batch(step, batch_size=4) for step in range(10))
    kept = record.validation_steps.index(record.kept_step)
    assert found["loss"] == pytest.approx(record.validation_loss[kept])


def test_weights_that_do_not_learn_are_not_averaged() -> None:
    model = Both()
    assert set(dict(model.named_parameters())) - set(Average(model, 0.5).tensors) == {"second.embedding.weight"}


def test_a_checkpoint_without_an_average_is_of_another_training(tmp_path: Path) -> None:
    plain, averaged = options(), options(ema=0.9)
    kept = Checkpoints(tmp_path, {"training": plain.learned()})
    train(Tiny(), blocks(), config=plain, checkpoints=kept)
    with pytest.raises(CheckpointError, match=r"its training\.ema is None, here it is 0\.9"):
        train(Tiny(), blocks(), config=averaged, checkpoints=Checkpoints(tmp_path, {"training": averaged.learned()}))


def test_trainings_without_an_average_keep_their_keys() -> None:
    assert "ema" not in options().learned()


def test_an_average_of_the_first_weights_alone_is_refused() -> None:
    with pytest.raises(TrainingConfigError, match=r"ema is 1\.0; it must be at least 0 and below 1"):
        options(ema=1.0)
