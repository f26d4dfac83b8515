"""Trainings for `torchrun`: `training_processes.py ORDERS.json` runs several in turn, so that imports are paid once.

An order has the folder for checkpoints, options of the training and of the learner, and where the result goes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tiny_training import Tiny, blocks, options
from torch import Tensor

from models.training import train
from models.training.checkpoints import Checkpoints
from models.training.parallel import joined


class StoppedError(Exception):
    """The training was to end here."""


class Ending:
    """The data of a training that is interrupted before step `at`, in all its processes."""

    def __init__(self, at: int | None) -> None:
        self.blocks, self.at = blocks(), at
        self.fingerprint = self.blocks.fingerprint

    def __len__(self) -> int:
        return len(self.blocks)

    def batch(self, step: int, *, batch_size: int) -> dict[str, Tensor]:
        """As of the blocks."""
        if step == self.at:
            raise StoppedError
        return self.blocks.batch(step, batch_size=batch_size)


def carry_out(order: dict[str, Any], folder: Path) -> None:
    """One training; the first process writes weights and record."""

    learner = Tiny(**order["learner"])
    kept = Checkpoints(folder / order["checkpoints"], {}) if order.get("checkpoints") else None
    config = options(**order["options"])
    data = Ending(order.get("stopped_at"))
    try:
        record = train(learner, data, config=config, validation=blocks(), checkpoints=kept)
    except StoppedError:
        return
    if int(os.environ.get("RANK", "0")) == 0:
        save_file(learner.model.state_dict(), folder / f"{order['name']}.safetensors")
        (folder / f"{order['name']}.json").write_text(json.dumps(record.as_json()))


def threads() -> list[str]:
    """The names of this process's threads, where the system tells them."""
    return [one.read_text().strip() for one in Path("/proc/self/task").glob("*/comm")]


def main() -> None:
    """Every order, in turn."""
    path = Path(sys.argv[1])
    with joined(torch.device("cpu")) as world:
        for order in json.loads(path.read_text()):
            carry_out(order, path.parent)
    (path.parent / f"threads-{world.rank}.json").write_text(json.dumps(threads()))


if __name__ == "__main__":
    main()
