"""Children that leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows import processes

# A parent that ignores Ctrl-C where asked to, with a child of its own session; it tells the child's id and waits.
PARENT = """
import signal, subprocess, sys
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
print(child.pid, flush=True)
child.wait()
signal.pause()
"""


def started(tmp_path: Path, how: str) -> tuple[subprocess.Popen[bytes], int]:
    log = tmp_path / "logs" / "parent.log"
    parent = processes.start([sys.executable, "-c", PARENT, how], dict(os.environ), tmp_path, log)
    while parent.poll() is None and not log.read_text().endswith("\n"):
        pass
    return parent, int(log.read_text())


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("how", ["polite", "deaf"])
def test_stop_leaves_neither_child_nor_grandchild(tmp_path: Path, how: str) -> None:
    parent, child = started(tmp_path, how)
    assert processes.descendants(parent.pid) == [child]
    processes.stop(parent, patience=0.5)
    assert parent.returncode is not None
    assert not is_alive(child)


def test_stop_of_what_has_ended_is_fine(tmp_path: Path) -> None:
    process = processes.start([sys.executable, "-c", ""], dict(os.environ), tmp_path, tmp_path / "log")
    process.wait()
    processes.stop(process)
    assert processes.descendants(process.pid) == []


def test_the_log_holds_the_output_of_the_last_start(tmp_path: Path) -> None:
    for word in ("first", "second"):
        command = [sys.executable, "-c", f"import sys; print('{word}'); print('error', file=sys.stderr)"]
        processes.start(command, {"PYTHONUNBUFFERED": "1"}, tmp_path, tmp_path / "log").wait()
    assert (tmp_path / "log").read_text() == "second\nerror\n"
