"""kill -9 during the real command on the real sample, at moments spread over the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from aftermath import published

SECONDS = (6, 12, 20, 45)


def textmill(lake: Path, seconds: float | None) -> int:
    words = [sys.executable, "-m", "flows.cli", "run", "--lake", str(lake)]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    log = (lake.parent / f"{lake.name}.log").open("ab")
    with log, subprocess.Popen(words, stdout=log, stderr=log, env=own, start_new_session=True) as process:
        try:
            return process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait()


@pytest.mark.long
def test_make_run_killed_at_several_moments(tmp_path: Path) -> None:
    assert textmill(tmp_path / "whole", None) == 0
    for seconds in SECONDS:
        textmill(tmp_path / "killed", seconds)
    assert textmill(tmp_path / "killed", None) == 0
    found, wanted = (published(tmp_path / lake, "wikipedia-sample") for lake in ("killed", "whole"))
    assert found == wanted
