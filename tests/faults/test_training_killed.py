"""A training that is killed, or whose disk is full, goes on: loss curve and weights are those of an undisturbed one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from aftermath import content, differences
from faulty import WRITING, Driver, Fault, Outcome, compiler

OPTIMISERS = ("adamw", "muon")


class Trainings:
    """Trainings in folders, and what undisturbed ones left, by optimiser."""

    def __init__(self, driver: Driver, folder: Path) -> None:
        self.driver, self.folder = driver, folder
        self.whole = {name: driver.run("training", self._made(name), optimiser=name) for name in OPTIMISERS}

    def disturbed(self, optimiser: str, fault: Fault | None = None, *, kill_at: int = 0) -> tuple[list[str], Outcome]:
        """What is other after a disturbed training and a second one; and how the second went."""
        with TemporaryDirectory(dir=self.folder) as name:
            folder = Path(name)
            struck = self.driver.run("training", folder, fault, optimiser=optimiser, kill_at=kill_at)
            wrong = self._ended(fault, struck)
            again = self.driver.run("training", folder, optimiser=optimiser)
            wrong += [] if again.status == 0 else [f"the next one ended with {again.status}: {again.output}"]
            return wrong + differences(content(folder), content(self.folder / optimiser)), again

    def _ended(self, fault: Fault | None, struck: Outcome) -> list[str]:
        if fault is None or fault.how in {"kill", "torn"}:
            return [] if struck.status == -signal.SIGKILL else [f"it was not killed: {struck.status} {struck.output}"]
        told = struck.output.splitlines()[1:]
        clear = len(told) == 1 and told[0].startswith("textmill: ") and "Free some space" in told[0]
        clear &= "there is none before it" not in told[0] or fault.at <= self.first_save
        return [] if struck.status == 1 and clear else [f"no clear error: {struck.status} {struck.output}"]

    def _made(self, name: str) -> Path:
        (self.folder / name).mkdir()
        return self.folder / name

    @property
    def first_save(self) -> int:
        """The number of the writing call after which there is a checkpoint."""
        return counted(self.whole["adamw"].calls[: self.saves("adamw")[0]])

    def saves(self, optimiser: str) -> list[int]:
        """The calls with which checkpoints take their places."""
        calls = enumerate(self.whole[optimiser].calls, start=1)
        return [at for at, (op, path) in calls if op == "rename" and path == "checkpoints/last"]


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainings]:
    if compiler() is None:
        pytest.skip("no C compiler (cc, gcc or clang) to build the shim that makes a disk fail")
    driver = Driver(tmp_path_factory.mktemp("trainer"), "training_scenarios")
    yield Trainings(driver, tmp_path_factory.mktemp("trainings"))
    driver.close()


def test_undisturbed_trainings_end_well(trainings: Trainings) -> None:
    assert {name: outcome.status for name, outcome in trainings.whole.items()} == dict.fromkeys(OPTIMISERS, 0)
    assert len(trainings.saves("adamw")) == 4


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_training_killed_in_the_middle_of_an_epoch_ends_as_an_undisturbed_one(
    trainings: Trainings, optimiser: str
) -> None:
    wrong, again = trainings.disturbed(optimiser, kill_at=8)
    assert (wrong, again.output) == ([], "began after 6\n")


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("before", [0, 1, 4, 9])
def test_training_killed_while_it_writes_a_checkpoint(trainings: Trainings, optimiser: str, before: int) -> None:
    at = trainings.saves(optimiser)[1] - before
    assert trainings.disturbed(optimiser, Fault(at=at, how="torn"))[0] == []


def test_training_killed_between_the_two_renames_of_a_checkpoint(trainings: Trainings) -> None:
    wrong, again = trainings.disturbed("adamw", Fault(at=trainings.saves("adamw")[1]))
    assert (wrong, again.output) == ([], "began after 3\n")


@pytest.mark.parametrize("before", [0, 1, 4, 9])
def test_full_disk_leaves_the_checkpoint_before(trainings: Trainings, before: int) -> None:
    at = trainings.saves("adamw")[1] - before
    number = counted(trainings.whole["adamw"].calls[:at])
    wrong, again = trainings.disturbed("adamw", Fault.error("ENOSPC", number, WRITING))
    assert (wrong, again.output) == ([], "began after 3\n")


@pytest.mark.long
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_training_killed_at_every_call(trainings: Trainings, optimiser: str) -> None:
    calls = range(1, len(trainings.whole[optimiser].calls) + 1)
    found = {at: trainings.disturbed(optimiser, Fault(at=at, how="torn"))[0] for at in calls}
    print(f"\n{len(found)} kills, {sum(map(bool, found.values()))} of them with something lost")
    assert {at: wrong for at, wrong in found.items() if wrong} == {}


@pytest.mark.long
def test_disk_that_is_full_from_any_call_on(trainings: Trainings) -> None:
    last = counted(trainings.whole["adamw"].calls[: trainings.saves("adamw")[-1]])
    found = {at: trainings.disturbed("adamw", Fault.error("ENOSPC", at))[0] for at in range(1, last + 1)}
    assert {at: wrong for at, wrong in found.items() if wrong} == {}


def counted(calls: list[tuple[str, str]]) -> int:
    """How many of the calls write."""
    return sum(op in WRITING.split(",") for op, _ in calls)
