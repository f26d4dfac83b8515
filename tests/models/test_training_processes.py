"""Several processes with the same global batch learn what one learns, and go on from each other's checkpoints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from training_processes import carry_out

from models.training.parallel import World

HERE = Path(__file__).parent
ONE, TWO = {"accumulate": 2}, {"accumulate": 1}
"""The same two micro-batches: in one process after each other, in two at once."""

CASES: dict[str, dict[str, Any]] = {
    "plain": {"learner": {"dropout": 0.0}, "options": {}},
    "dropout": {"learner": {"dropout": 0.3}, "options": {}},
    "muon": {"learner": {"dropout": 0.3}, "options": {"optimiser": "muon"}},
    "averaged": {"learner": {"dropout": 0.3}, "options": {"ema": 0.9}},
    "uneven": {"learner": {"dropout": 0.3, "uneven": True}, "options": {}},
    "costs": {"learner": {"dropout": 0.3}, "options": {"costs": True, "keep_best": True}},
}


def order(name: str, case: str, processes: dict[str, int], **more: Any) -> dict[str, Any]:
    """A training of a case, as one of some processes does its share."""
    chosen = CASES[case]
    return {
        "name": name,
        "learner": chosen["learner"],
        "options": {**chosen["options"], **processes},
        **more,
    }


def together(folder: Path, orders: list[dict[str, Any]]) -> None:
    """Carry out orders in two processes."""
    (folder / "orders.json").write_text(json.dumps(orders))
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    paths = os.pathsep.join([str(HERE.parent.parent), str(HERE.parent), str(HERE)])
    done = subprocess.run(
        [sys.executable, *command, str(HERE / "training_processes.py"), str(folder / "orders.json")],
        env={**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes and what one made of every case, and of checkpoints of each other.

    All that two processes do, they do in one start.
    """
    made = tmp_path_factory.mktemp("processes")
    carry_out(order("first-of-one", "dropout", ONE, checkpoints="begun-by-one", stopped_at=7), made)
    together(
        made,
        [
            *(order(f"{case}-two", case, TWO) for case in CASES),
            order("begun-by-two", "dropout", TWO, checkpoints="begun-by-two", stopped_at=7),
            order("ended-by-two", "dropout", TWO, checkpoints="begun-by-one"),
        ],
    )
    for case in CASES:
        carry_out(order(f"{case}-one", case, ONE), made)
    carry_out(order("ended-by-one", "dropout", ONE, checkpoints="begun-by-two"), made)
    return made


def losses(folder: Path, name: str) -> dict[str, list[float]]:
    """All curves of a training by name."""
    record = json.loads((folder / f"{name}.json").read_text())
    return {"train": record["train_loss"], **record["train_parts"], **record["validation"]}


def same(folder: Path, name: str, other: str) -> None:
    """Two trainings have the same curves and weights, to a hundred-thousandth."""
    ours, theirs = losses(folder, name), losses(folder, other)
    assert ours == {curve: pytest.approx(values, rel=1e-5) for curve, values in theirs.items()}
    ours_, theirs_ = (load_file(folder / f"{one}.safetensors") for one in (name, other))
    for weight, value in ours_.items():
        torch.testing.assert_close(value, theirs_[weight], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_two_processes_learn_what_one_learns(folder: Path, case: str) -> None:
    same(folder, f"{case}-two", f"{case}-one")


def test_one_goes_on_from_the_checkpoint_of_two(folder: Path) -> None:
    same(folder, "ended-by-one", "dropout-one")


def test_two_go_on_from_the_checkpoint_of_one(folder: Path) -> None:
    same(folder, "ended-by-two", "dropout-one")


def test_costs_are_those_of_both(folder: Path) -> None:
    costs = [json.loads((folder / f"costs-{name}.json").read_text())["timing"] for name in ("one", "two")]
    assert costs[0]["flops"] == pytest.approx(costs[1]["flops"])
    assert costs[1]["counted_units"] == 2 * costs[0]["counted_units"]


def test_no_thread_of_the_group_outlives_it(folder: Path) -> None:
    """One that drops a tensor while Python ends aborts its process, and `torchrun` then ends all others."""
    for rank in (0, 1):
        assert [name for name in json.loads((folder / f"threads-{rank}.json").read_text()) if "gloo" in name] == []


def test_names_that_one_process_alone_has_are_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    def gather(found: list[Any], own: dict[str, float]) -> None:
        found[:] = [own, {"loss": 2.0, "squares": 3.0}]

    monkeypatch.setattr("torch.distributed.all_gather_object", gather)
    assert World(0, 2).totals({"loss": 1.0}) == {"loss": 3.0, "squares": 3.0}


def test_weight_that_nobody_learned_from_has_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.distributed.all_reduce", lambda flat: flat.mul_(2))
    monkeypatch.setattr("torch.distributed.get_backend", lambda: "gloo")
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    used.sum().backward()
    World(0, 2).sum([used, unused])
    assert used.grad is not None
    assert (used.grad.tolist(), unused.grad) == ([2.0, 2.0], None)
