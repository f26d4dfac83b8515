"""A training in several processes, which `torchrun` starts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.errors import TextmillError


def fit(wanted: Mapping[str, Any], places: Mapping[str, Path], order: Path, *, processes: int) -> None:
    """Let `processes` processes do what `models.fitting` is told by the file `order`, which is written here.

    Raises TextmillError with what the first of them said that failed.
    """
    order.write_text(json.dumps({**wanted, **{name: str(path) for name, path in places.items()}}), "utf-8")
    command = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m", "models.fitting"]
    environment = {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // processes))}
    done = subprocess.run(
        [sys.executable, *command, str(order)],
        env={**environment, **os.environ},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise TextmillError(f"a process of the training failed: {_said(done.stderr)}")


def _said(text: str) -> str:
    """What the first error says that ended a process, without its traceback."""
    found = re.search(r"^(?:\[rank\d+\]: )?[\w.]*(?:Error|Exception): (.+)$", text, flags=re.MULTILINE)
    return found[1] if found else text.strip()[-300:]
