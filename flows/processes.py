"""Child processes that leave nothing behind: they end with their parent, and take their own children along."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PATIENCE_S = 20.0


def start(command: Sequence[str], environment: dict[str, str], folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches the parent alone; its output goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_prepare,  # noqa: PLW1509 - no threads here
        )


def stop(process: subprocess.Popen[bytes], patience: float = _PATIENCE_S) -> None:
    """End a child and all its descendants: politely at first, by force after `patience` seconds each.

    The descendants go first, so that the child can still tell what became of them.
    """
    _end(descendants(process.pid), patience)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        left = descendants(process.pid)
        process.kill()
        process.wait()
        _end(left, patience=0)


def descendants(pid: int) -> list[int]:
    """Process ids of the children of a process, their children, and so on."""
    found = children(pid)
    return [*found, *(below for child in found for below in descendants(child))]


def children(pid: int) -> list[int]:
    """Process ids of the children of a process; empty where it is gone."""
    if (threads := Path(f"/proc/{pid}/task")).is_dir():
        return sorted(int(word) for file in threads.glob("*/children") for word in _words(file))
    if shutil.which("pgrep") is None:
        return []
    done = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in done.stdout.split()]


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _end(pids: list[int], patience: float) -> None:
    """Ask processes to end, wait until they have, and kill what is left of them."""
    deadline = time.monotonic() + patience
    left = [pid for pid in pids if _send(pid, signal.SIGTERM)]
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = [pid for pid in left if _send(pid, 0)]
    for pid in left:
        _send(pid, signal.SIGKILL)


def _send(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _prepare() -> None:
    """In the child: Ctrl-C works even where a background shell had it ignored; on Linux, end with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
