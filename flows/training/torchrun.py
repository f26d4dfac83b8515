"""A training in several processes, which `torchrun` starts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from data.errors import TextmillError
from models.fitting import REPORTED
from models.training import Moment, Watcher, unwatched


def fit(
    wanted: Mapping[str, Any], places: Mapping[str, Path], order: Path, *, processes: int, watch: Watcher = unwatched
) -> None:
    """Let `processes` processes do what `models.fitting` is told by the file `order`, which is written here.

    `watch` hears of every step of the first of them. Raises TextmillError with what the first said that failed.
    """
    order.write_text(json.dumps({**wanted, **{name: str(path) for name, path in places.items()}}), "utf-8")
    command = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m", "models.fitting"]
    environment = {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // processes))}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        with subprocess.Popen(
            [sys.executable, *command, str(order)],
            env={**environment, **os.environ},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as running:
            try:
                hear(running.stdout or (), watch)
            except BaseException:
                running.terminate()  # which ends the processes, too
                raise
        if running.returncode:
            errors.seek(0)
            raise TextmillError(f"a process of the training failed: {_said(errors.read())}")


def hear(lines: Iterable[str], watch: Watcher) -> None:
    """Tell `watch` of the steps that the first process writes (`models.fitting.reported`); any other line is let go."""
    for line in lines:
        if line.startswith(REPORTED):
            watch(Moment(**json.loads(line.removeprefix(REPORTED))))


def _said(text: str) -> str:
    """What the first error says that ended a process, without its traceback."""
    found = re.search(r"^(?:\[rank\d+\]: )?[\w.]*(?:Error|Exception): (.+)$", text, flags=re.MULTILINE)
    return found[1] if found else text.strip()[-300:]
