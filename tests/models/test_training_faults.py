"""What goes wrong with a training that is no kill and no full disk (those are in tests/faults): clear errors, and the
last good checkpoint."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import Tiny, blocks, digest, options
from torch import Tensor, nn

from data.token_store import TokenStore
from models.batching.blocks import Blocks, TooFewTokensError, pack
from models.batching.rows import NoRowsError, Rows
from models.families.gpt import LanguageModelLearner
from models.language.gpt import GPT, GPTConfig
from models.learner import Batch, Loss, NothingToMeasureError
from models.training import DivergedError, Moment, OutOfMemoryError, TrainingRecord, train
from models.training.checkpoints import CheckpointError, Checkpoints


class KilledError(Exception):
    pass


def killed_at(step: int) -> Any:
    def watch(moment: Moment) -> None:
        if moment.step == step:
            raise KilledError

    return watch


def interrupted(folder: Path, **changed: Any) -> Checkpoints:
    """Checkpoints of a training that was interrupted after step 7; the last is of step 6."""
    kept = Checkpoints(folder, {"model": {"width": 16}, "data": "abc"})
    with pytest.raises(KilledError):
        train(Tiny(), blocks(), config=options(**changed), checkpoints=kept, watch=killed_at(7))
    return kept


def go_on(kept: Checkpoints, **changed: Any) -> TrainingRecord:
    return train(Tiny(), blocks(), config=options(**changed), checkpoints=kept)


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"model": {"width": 32}, "data": "abc"}, "its model.width is 16, here it is 32"),
        ({"model": {"width": 16}, "data": "xyz"}, "its data is abc, here it is xyz"),
        ({"model": {"width": 16}}, "its data is abc, here it is None"),
    ],
)
def test_checkpoint_of_another_training_is_refused(tmp_path: Path, about: dict[str, Any], said: str) -> None:
    interrupted(tmp_path)
    with pytest.raises(CheckpointError, match=f"of another training: {said}.*remove .* to begin again"):
        go_on(Checkpoints(tmp_path, about))


def test_sizes_that_are_tuples_are_known_again(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path, {"model": {"widths": (1, 2)}})
    record = train(Tiny(), blocks(), config=options(), checkpoints=kept)
    assert go_on(kept) == record


@pytest.mark.parametrize("file", ["weights.safetensors", "optimiser.safetensors", "state.json"])
@pytest.mark.parametrize("where", [0.02, 0.5, 0.98])
def test_flipped_bit_is_noticed(tmp_path: Path, file: str, where: float) -> None:
    kept = interrupted(tmp_path)
    path = tmp_path / "last" / file
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"last is damaged \({file}\); remove|format|of another training"):
        go_on(kept)


@pytest.mark.parametrize("file", ["weights.safetensors", "optimiser.safetensors", "state.json"])
@pytest.mark.parametrize("length", [0, 40])
def test_truncated_file_is_noticed(tmp_path: Path, file: str, length: int) -> None:
    kept = interrupted(tmp_path)
    path = tmp_path / "last" / file
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError, match=rf"last is damaged \({file}\); remove .* to begin again"):
        go_on(kept)


def test_missing_file_is_noticed(tmp_path: Path) -> None:
    kept = interrupted(tmp_path)
    (tmp_path / "last" / "optimiser.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"last is damaged \(optimiser.safetensors\)"):
        go_on(kept)


def test_unknown_format_is_refused(tmp_path: Path) -> None:
    kept = interrupted(tmp_path)
    path = tmp_path / "last" / "state.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 7'))
    with pytest.raises(CheckpointError, match="has format 7, not 1; use the textmill that wrote it, or remove"):
        go_on(kept)


def test_options_of_the_machine_may_change(tmp_path: Path) -> None:
    assert options(accumulate=4, costs=True, checkpoint_every=2).learned() == options().learned()
    assert options(learning_rate=0.5).learned() != options().learned()


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_going_on_with_more_accumulation_learns_the_same(tmp_path: Path, optimiser: str) -> None:
    plain = {"optimiser": optimiser, "accumulate": 1}
    learners = [Tiny(dropout=0.0), Tiny(dropout=0.0)]
    whole = train(learners[0], blocks(), config=options(**plain))
    kept = Checkpoints(tmp_path, {})
    with pytest.raises(KilledError):
        train(Tiny(dropout=0.0), blocks(), config=options(**plain), checkpoints=kept, watch=killed_at(7))
    record = train(learners[1], blocks(), config=options(optimiser=optimiser, accumulate=4), checkpoints=kept)
    assert record.train_loss == pytest.approx(whole.train_loss, rel=1e-5)


class Poisoned(Tiny):
    """Its loss, or a gradient alone, is no number in step `at` (from 0)."""

    def __init__(self, at: int, *, gradient: bool = False) -> None:
        super().__init__()
        self.at, self.gradient = at, gradient

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:
        found = super().loss(batch, step=step)
        if step != self.at:
            return found
        zero = self.model.output.bias.sum() * 0.0
        return Loss(found.mean + torch.sqrt(zero) if self.gradient else found.mean * float("nan"))


@pytest.mark.parametrize(("gradient", "what"), [(False, "the loss is nan"), (True, "the norm of the gradient is nan")])
def test_no_number_names_the_batch_and_keeps_the_last_checkpoint(tmp_path: Path, gradient: bool, what: str) -> None:
    kept = Checkpoints(tmp_path, {})
    said = rf"{what} at step 9 \(batch 8, rows 32 to 35 .*lower learning_rate \(now 0.01\).*checkpoint is kept"
    with pytest.raises(DivergedError, match=said):
        train(Poisoned(8, gradient=gradient), blocks(), config=options(), checkpoints=kept)
    learner, whole = Tiny(), Tiny()
    train(learner, blocks(), config=options(), checkpoints=kept)
    train(whole, blocks(), config=options())
    assert digest(learner.model) == digest(whole.model)


class Greedy(Tiny):
    """Wants more memory than any machine has, in learning or in validation."""

    def __init__(self, *, validating: bool) -> None:
        super().__init__()
        self.validating = validating

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:
        if (step == self.measured_as) == self.validating:
            torch.empty(1 << 56)
        return super().loss(batch, step=step)


@pytest.mark.parametrize(("validating", "step"), [(False, 1), (True, 6)])
def test_out_of_memory_says_what_to_lower(validating: bool, step: int) -> None:
    said = rf"step {step}; raise accumulate \(now 2.*lower batch_size \(now 4\), the context or the width"
    with pytest.raises(OutOfMemoryError, match=said):
        train(Greedy(validating=validating), blocks(), config=options(), validation=blocks())


class Huge(Tiny):
    def players(self) -> Mapping[str, nn.Module]:
        torch.empty(1 << 56)
        return super().players()


def test_model_without_room_for_it_says_what_to_lower() -> None:
    with pytest.raises(OutOfMemoryError, match="before the first step; lower the width or the layers of the model"):
        train(Huge(), blocks(), config=options())


class Broken(Tiny):
    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:
        return Loss(self.model.output.weight @ torch.ones(3))


def test_mistake_in_a_model_passes_as_it_is() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        train(Broken(), blocks(), config=options())


def rows(*texts: list[int]) -> Rows:
    return Rows({"ids": TokenStore.of(texts)}, pad=0, longest=9)


@pytest.mark.parametrize("texts", [[], [[]]])
def test_no_data_is_told(texts: list[list[int]]) -> None:
    with pytest.raises(NoRowsError, match="no row to learn from is left of"):
        rows(*texts)
    with pytest.raises(TooFewTokensError, match="do not fill one block of 9"):
        pack(texts, separator=0, context=8)


def test_one_row_is_enough_to_learn_from() -> None:
    data = rows(list(range(1, 10)))
    record = train(Tiny(), data, config=options(steps=40), validation=data)
    assert record.train_loss[-1] < record.train_loss[0]
    assert record.validation_steps[-1] == 40


def test_rows_that_predict_nothing_are_passed_over() -> None:
    learner = Tiny(uneven=True)
    record = train(learner, blocks(), config=options(), validation=blocks())
    batches = [blocks().batch(step, batch_size=4) for step in range(12)]
    assert min(float(learner.weights(batch)[:2].sum()) for batch in batches) == 0
    assert all(0 <= loss < 10 for loss in (*record.train_loss, *record.validation_loss))


class Silent(Tiny):
    def weights(self, batch: Batch) -> Tensor:
        return torch.zeros(len(batch["ids"]))


def test_validation_of_nothing_is_told() -> None:
    with pytest.raises(NothingToMeasureError, match="no tokens to measure on"):
        train(Silent(), blocks(), config=options(), validation=blocks())


def test_small_validation_set_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    held, asked = blocks(rows=6), Blocks.batch

    def batch(self: Blocks, step: int, *, batch_size: int) -> dict[str, Tensor]:
        seen.append(step)
        return asked(self, step, batch_size=batch_size)

    monkeypatch.setattr(Blocks, "batch", batch)
    train(Tiny(), blocks(), config=options(steps=1, warmup_steps=0, validation_batches=50), validation=held)
    assert seen == [0, 0, 1]  # one to learn from, two to validate on


def test_training_that_the_clock_ended_goes_on_where_it_may_last_longer(tmp_path: Path) -> None:
    kept, minutes = Checkpoints(tmp_path, {}), itertools.count(0.0, 5.0)
    short = options(max_minutes=1, checkpoint_every=1)
    record = train(Tiny(), blocks(), config=short, checkpoints=kept, clock=lambda: next(minutes))
    assert record.ended == "max_minutes"
    whole, learner = Tiny(), Tiny()
    train(learner, blocks(), config=options(max_minutes=100), checkpoints=kept)
    train(whole, blocks(), config=options())
    assert digest(learner.model) == digest(whole.model)


@pytest.mark.parametrize("checkpoints", [False, True])
def test_weights_of_the_best_validation_are_kept(tmp_path: Path, checkpoints: bool) -> None:
    config = options(steps=30, learning_rate=0.5, schedule="constant", keep_best=True, validate_every=2)
    learner, held = Tiny(), blocks(rows=6)
    kept = Checkpoints(tmp_path, {}) if checkpoints else None
    record = train(learner, blocks(), config=config, validation=held, checkpoints=kept)
    assert record.best_step < 30
    with torch.no_grad():
        scored = learner.measure([held.batch(step, batch_size=4) for step in range(2)])
    assert scored["loss"] == pytest.approx(record.best_loss, rel=1e-5)


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_half_precision_learns_and_goes_on_exactly(tmp_path: Path, optimiser: str) -> None:
    half = {"precision": "bfloat16", "optimiser": optimiser}
    whole, learner = Tiny(), Tiny()
    record = train(whole, blocks(), config=options(**half), validation=blocks())
    assert record.train_loss != train(Tiny(), blocks(), config=options(optimiser=optimiser)).train_loss
    assert all(weight.dtype == torch.float32 for weight in whole.model.parameters())
    go = {"config": options(**half), "validation": blocks(), "checkpoints": Checkpoints(tmp_path, {})}
    with pytest.raises(KilledError):
        train(Tiny(), blocks(), watch=killed_at(7), **go)
    assert train(learner, blocks(), **go) == record
    assert digest(learner.model) == digest(whole.model)


class Rivals(Tiny):
    """Two players: the hidden layer learns to lower the loss, the output layer to raise it, and has two turns."""

    def players(self) -> dict[str, nn.Module]:
        return {"low": self.model.hidden, "high": self.model.output}

    def turns(self, step: int) -> tuple[str, ...]:
        return ("low", "high", "high")

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:
        found = super().loss(batch, step=step)
        self.heard = {name: [weight.grad for weight in module.parameters()] for name, module in self.players().items()}
        return Loss(1e4 * found.mean if player == "low" else -found.mean, found.parts)


def test_a_player_is_clipped_and_moved_alone() -> None:
    learner = Rivals()
    before = {name: weight.clone() for name, weight in learner.model.state_dict().items()}
    rates = {"learning_rate": 1.0, "momentum": 0.0, "weight_decay": 0.0, "warmup_steps": 0}
    config = options(steps=1, optimiser="sgd", clip=0.5, accumulate=1, **rates)
    train(learner, blocks(), config=config)
    moved = {name: float((weight - before[name]).norm()) for name, weight in learner.model.state_dict().items()}
    assert moved["embedding.weight"] == 0  # nobody's
    low = sum(moved[f"hidden.{name}"] ** 2 for name in ("weight", "bias")) ** 0.5
    assert low == pytest.approx(0.5, rel=1e-4)  # however large its gradient was
    assert 0 < sum(moved[f"output.{name}"] ** 2 for name in ("weight", "bias")) ** 0.5 < 1.0
    assert all(gradient is None for gradients in learner.heard.values() for gradient in gradients)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_model_learns_the_same_and_goes_on(tmp_path: Path) -> None:
    small = GPTConfig(vocab_size=12, context=8, layers=1, heads=2, width=16)
    config = options(compile=True, costs=True, steps=8)

    def learn(seed: int = 0, **more: Any) -> tuple[TrainingRecord, str]:
        learner = LanguageModelLearner(GPT(small, seed=seed))
        record = train(learner, blocks(), **{"config": config, "validation": blocks(), **more})
        return record, digest(learner.model)

    plain, _ = learn(config=options(steps=8))
    record, weights = learn()
    assert record.train_loss == pytest.approx(plain.train_loss, rel=1e-3)
    assert record.costs["flops"] > 0
    kept = Checkpoints(tmp_path, {})
    with pytest.raises(KilledError):
        learn(checkpoints=kept, watch=killed_at(5))
    assert learn(seed=7, checkpoints=kept) == (record, weights)
