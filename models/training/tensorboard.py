"""The curves of a training for TensorBoard, by tensorboardX (`pip install textmill[tensorboard]`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from data.errors import ConfigError
from models.training.loop import Moment, Watcher
from models.training.watching import all_of


@contextmanager
def written(folder: Path | None, watch: Watcher) -> Iterator[Watcher]:
    """A watcher that tells `watch`, and writes curves into the folder if there is one."""
    if folder is None:
        yield watch
        return
    board = TensorBoard(folder)
    try:
        yield all_of([board, watch])
    finally:
        board.close()


def check_installed() -> None:
    """Raises ConfigError where tensorboardX is not installed."""
    if find_spec("tensorboardX") is None:
        raise ConfigError("TensorBoard needs tensorboardX; pip install 'textmill[tensorboard]'")


class TensorBoard:
    """A watcher that writes losses, rate, pace and validation scores into a folder.

    A training that goes on after an interruption writes a further file; what the one before had written of the steps
    that are done again is struck out. Close it at the end. Raises ConfigError where tensorboardX is not installed.
    """

    def __init__(self, folder: Path) -> None:
        check_installed()
        self._folder = folder
        self._writer: Any = None
        self._before: Moment | None = None

    def __call__(self, moment: Moment) -> None:
        """Write what happened in a step."""
        writer = self._writer = self._writer or self._opened(moment.step)
        scalars = {"train/loss": moment.loss, "train/rate": moment.rate, f"train/{moment.unit}": moment.units}
        scalars |= {f"train/{name}": value for name, value in moment.parts.items()}
        scalars |= {f"validation/{name}": value for name, value in moment.scores.items()}
        if self._before and moment.seconds > self._before.seconds:
            pace = (moment.units - self._before.units) / (moment.seconds - self._before.seconds)
            scalars[f"train/{moment.unit}_per_second"] = pace
        for name, value in scalars.items():
            writer.add_scalar(name, value, moment.step)
        if moment.scores:
            writer.flush()
        self._before = moment

    def close(self) -> None:
        """Write what is not written yet."""
        if self._writer:
            self._writer.close()

    def _opened(self, step: int) -> Any:
        from tensorboardX import SummaryWriter

        ending = f".{step}.{os.getpid()}"  # two files of one second are told apart
        return SummaryWriter(str(self._folder), purge_step=step, filename_suffix=ending)
