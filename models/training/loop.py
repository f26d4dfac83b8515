"""The training loop of all families: steps of learning, validation, checkpoints, and an end.

It knows no architecture (see `models.learner`). Equal seeds give equal weights on one type of machine, and a training
that was killed and goes on from its checkpoint gives the weights of one that was not: a batch follows from the number
of its step, and random numbers from (seed, step, turn, micro-batch), whatever happened before and however many
processes share the work.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from data.errors import TextmillError
from data.hashing import fingerprint
from models.learner import Batch, Batches, Learner, on
from models.training import memory
from models.training.averaging import Average
from models.training.checkpoints import BEST, LAST, Checkpoints
from models.training.compiling import compiled
from models.training.config import TrainingConfig, TrainingConfigError
from models.training.costs import Costs
from models.training.devices import autocast, device_of
from models.training.optimisers import learning_rate, optimisers, set_rate
from models.training.parallel import World, joined
from models.training.record import TrainingRecord
from models.training.tracing import traced

VERSION = 4


class DivergedError(TextmillError, RuntimeError):
    """The loss or its gradient is not a number any more."""


@dataclass(frozen=True)
class Moment:
    """How far a training is. `loss` and `parts` are of this step, `scores` of a validation just done."""

    step: int
    steps: int
    loss: float
    rate: float
    units: int
    seconds: float
    parts: Mapping[str, float]
    scores: Mapping[str, float]
    unit: str = "tokens"


Watcher = Callable[[Moment], None]


def unwatched(moment: Moment) -> None:
    """Watch nothing: the default."""


def train(
    learner: Learner,
    training: Batches,
    *,
    config: TrainingConfig,
    validation: Batches | None = None,
    seed: int = 0,
    checkpoints: Checkpoints | None = None,
    watch: Watcher = unwatched,
    traces: Path | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> TrainingRecord:
    """Train the model of `learner` in place and leave it on the processor, ready for inference.

    Goes on from the last of `checkpoints` where there is one. Validation scores are over the first batches of
    `validation`, the same each time, after every `validate_every` steps and after the last. Raises DivergedError as
    soon as a loss is not finite, OutOfMemoryError, and CheckpointError; the last good checkpoint is kept then. Where
    the option `profile` asks for them, steps are traced into the folder `traces`.
    """
    device = device_of(config.device)
    own_random = torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
    with joined(device) as world, own_random, memory.kept():
        with memory.told("before the first step", memory.SMALLER):
            run = Run(learner, config, seed=seed, world=world, device=device, checkpoints=checkpoints, clock=clock)
            run.resume()
        trace = traced(config.profile, traces, device, rank=world.rank)
        with compiled(learner, config.compile), trace as tick:
            while not run.ended():
                run.step(training)
                due = validation is not None and run.is_time(config.validate_every)
                scores = run.validate(validation) if due and validation is not None else {}
                if world.first:
                    watch(run.moment(scores))  # before the checkpoint: a step that is not told is done again
                if run.is_time(config.checkpoint_every):
                    run.save(LAST)
                tick()
        return run.finished()


class Run:
    """A training under way: what its loop keeps from step to step."""

    def __init__(
        self,
        learner: Learner,
        config: TrainingConfig,
        *,
        seed: int,
        world: World,
        device: torch.device,
        checkpoints: Checkpoints | None,
        clock: Callable[[], float],
    ) -> None:
        if config.batch_size % (parts := config.accumulate * world.size):
            raise TrainingConfigError(
                f"batch_size is {config.batch_size}; it must be a multiple of accumulate x processes ({parts})"
            )
        self.learner, self.config, self.seed, self.world, self.device = learner, config, seed, world, device
        self.model = learner.model.to(device)
        self.checkpoints, self.clock = checkpoints, clock
        self.optimisers = {name: optimisers(player, config) for name, player in learner.players().items()}
        self.average = Average(self.model, config.ema) if config.ema else None
        self.record = TrainingRecord(unit=learner.unit)
        self.best: dict[str, Tensor] | None = None
        self.costs: Costs | None = None
        self.started = clock()

    @property
    def done(self) -> int:
        """Steps done."""
        return len(self.record.train_loss)

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one."""
        self.model.train()
        if self.checkpoints and (state := self.checkpoints.load(LAST, self.model, self.optimisers, self.average)):
            self.record = TrainingRecord(**state)
            self.started = self.clock() - self.record.seconds
        if self.config.costs:
            self.costs = Costs(
                self.learner, self.config, device=self.device, world=self.world, before=self.record.costs
            )

    def step(self, training: Batches) -> None:
        """Every turn of a step."""
        with self._within_memory():
            batch = training.batch(self.done, batch_size=self.config.batch_size)
            units = self.learner.weights(batch)
            loss, parts = math.nan, {}
            for turn, player in enumerate(self.learner.turns(self.done)):
                loss, found = self.turn(batch, units, turn, player)
                parts.update(found)
        if self.average:
            self.average.follow(self.done)
        if self.costs:
            self.costs.stepped(batch, self.done)
        self.record.learned(loss, parts, rows=self.config.batch_size, units=int(units.sum()))

    def turn(self, batch: Batch, units: Tensor, turn: int, player: str) -> tuple[float, dict[str, float]]:
        """One player learns from a batch; returns the loss before it, and its parts."""
        weights = [weight for weight in self.learner.players()[player].parameters() if weight.requires_grad]
        sums = self._gradients(batch, units, turn, player)
        self.world.sum(weights)
        norm = _clipped(weights, self.config.clip)
        loss = sums.pop("loss")
        if not math.isfinite(loss) or not math.isfinite(norm):
            self._diverged(loss, norm)
        rate = learning_rate(self.done, self.config) * self.learner.rate(self.done, player)
        set_rate(self.optimisers[player], rate)
        for optimiser in self.optimisers[player]:
            optimiser.step()
        self.model.zero_grad(set_to_none=True)
        return loss, sums

    def _gradients(self, batch: Batch, units: Tensor, turn: int, player: str) -> dict[str, float]:
        """Gradients of the rows of this process, and the loss and its parts over all rows."""
        total, sums = float(units.sum()), {"loss": 0.0}
        each = self.config.batch_size // (self.config.accumulate * self.world.size)
        for micro in range(self.config.accumulate):
            number = self.world.rank * self.config.accumulate + micro
            rows = slice(number * each, (number + 1) * each)
            if not (share := float(units[rows].sum()) / total if total else 0.0):
                continue
            torch.manual_seed(_seed(self.seed, self.done, turn, number))
            part = on(self.device, {name: tensor[rows] for name, tensor in batch.items()})
            with autocast(self.device, self.config.precision):
                loss = self.learner.loss(part, step=self.done, player=player)
            (loss.mean * share).backward()  # type: ignore[no-untyped-call]
            for name, value in {"loss": loss.mean, **loss.parts}.items():
                sums[name] = sums.get(name, 0.0) + share * float(value.detach())
        return self.world.totals(sums)

    def _diverged(self, loss: float, norm: float) -> None:
        kept = " The last good checkpoint is kept." if self.checkpoints and self.checkpoints.peek(LAST) else ""
        what = f"the loss is {loss}" if not math.isfinite(loss) else f"the norm of the gradient is {norm}"
        raise DivergedError(
            f"{what} at step {self.done + 1} (batch {self.done}, rows {self.record.samples} to "
            f"{self.record.samples + self.config.batch_size - 1} of the data order); lower learning_rate "
            f"(now {self.config.learning_rate}) or clip (now {self.config.clip}).{kept}"
        )

    def _within_memory(self) -> AbstractContextManager[None]:
        """Say what to do about a batch that does not fit into the memory."""
        return memory.told(
            f"in step {self.done + 1}",
            f"raise accumulate (now {self.config.accumulate}; it learns the same), or lower batch_size "
            f"(now {self.config.batch_size}), the context or the width of the model",
        )

    def is_time(self, every: int) -> bool:
        """Whether a thing done after every so many steps, and after the last, is due."""
        return self.done % every == 0 or self.done == self.config.steps

    def validate(self, validation: Batches) -> dict[str, float]:
        """Scores on held-out data, the same in every process; the weights are kept where they are the best.

        The weights are their average here, where one is taken.
        """
        with self.average.in_place() if self.average else nullcontext():
            scores = self.scores(validation)
            if self.record.validated(self.done, scores) and self.config.keep_best:
                self.keep_best()
        return scores

    def scores(self, validation: Batches) -> dict[str, float]:
        """Scores of the weights as they are; no random number and no mode is changed."""
        batches = (
            on(self.device, validation.batch(i, batch_size=self.config.batch_size))
            for i in range(min(self.config.validation_batches, math.ceil(len(validation) / self.config.batch_size)))
        )
        torch.manual_seed(_seed(self.seed, -1, 0, 0))
        self.model.eval()
        with self._within_memory(), torch.no_grad(), autocast(self.device, self.config.precision):
            found = self.learner.measure(batches)
        self.model.train()
        return found

    def keep_best(self) -> None:
        """Put the weights aside: on disk where there are checkpoints, otherwise in memory."""
        if self.checkpoints:
            self.save(BEST)
        else:
            self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}

    def save(self, name: str) -> None:
        """Write a checkpoint; the first process does, the others wait."""
        if not self.checkpoints:
            return
        self.record.seconds = self.clock() - self.started
        if self.costs:
            self.record.costs = self.costs.so_far(self.record.units, self.record.seconds)
        if self.world.first:
            average = self.average if name == LAST else None  # the best weights are an average themselves
            self.checkpoints.save(name, self.model, self.optimisers, self.record.as_state(), average)
        self.world.wait()

    def ended(self) -> bool:
        """Whether the training is over, and why."""
        patience, minutes = self.config.patience, self.config.max_minutes
        if self.done >= self.config.steps:
            return True
        if patience and self.world.agree(self.record.since_best >= patience):
            self.record.ended = "patience"
            return True
        if minutes and self.world.agree(self.clock() - self.started >= 60 * minutes):
            self.record.ended = "max_minutes"
            return True
        return False

    def moment(self, scores: Mapping[str, float]) -> Moment:
        """How far the training is."""
        return Moment(
            step=self.done,
            steps=self.config.steps,
            loss=self.record.train_loss[-1],
            rate=learning_rate(self.done - 1, self.config),
            units=self.record.units,
            seconds=self.clock() - self.started,
            parts={name: values[-1] for name, values in self.record.train_parts.items()},
            scores=scores,
            unit=self.record.unit,
        )

    def finished(self) -> TrainingRecord:
        """The record, with the wanted weights in the model, which is back on the processor."""
        self.record.kept_step = self.done
        if self.average:
            self.average.take_place()
        if self.config.keep_best and self.record.validation_steps:
            self.record.kept_step = self.record.best_step
            if self.best is not None:
                self.model.load_state_dict(self.best)
            elif self.checkpoints:
                self.checkpoints.load(BEST, self.model)
        self.record.seconds = self.clock() - self.started
        if self.costs:
            self.record.costs = self.costs.ended(self.record.units, self.record.seconds)
        self.model.to("cpu").eval()
        return self.record


def _clipped(weights: Sequence[Tensor], clip: float) -> float:
    """The norm of all gradients together, which are scaled to `clip` where it is larger."""
    norm = nn.utils.get_total_norm([weight.grad for weight in weights if weight.grad is not None])
    if not (found := float(norm)) + 1e-6 <= clip:  # as torch counts
        nn.utils.clip_grads_with_norm_(weights, clip, norm)
    return found


def _seed(*numbers: int) -> int:
    return int(fingerprint(list(numbers)), 16) % (1 << 63)
