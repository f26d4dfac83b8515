"""Run a command and tell its time, its CPU time and its memory, those of its children with it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Run:
    """Seconds, seconds of CPU of all processes, and megabytes of memory."""

    wall: float
    cpu: float
    memory: float


def measured(command: list[str], patience: float | None = None) -> Run | None:
    """Run a command to its end; None where it is ended after `patience` seconds, with all that it started."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
        start_new_session=True,
    )
    peak = [0]
    threading.Thread(target=_watch, args=(process.pid, peak), daemon=True).start()
    ended: list[bool] = []
    alarm = threading.Timer(patience or threading.TIMEOUT_MAX, _end, (process.pid, ended))
    alarm.daemon = True
    alarm.start()
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    alarm.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if ended:
        return None
    if process.returncode:
        raise SystemExit(f"{command[:3]} failed:\n{said.decode()[-2000:]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, peak[0] / 1e6)


def _end(pid: int, ended: list[bool]) -> None:
    """End a process and those of its session."""
    ended.append(True)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _watch(pid: int, peak: list[int]) -> None:
    """Keep the largest sum of the resident sets of a process and its descendants, until it is gone."""
    from flows.processes import descendants

    while Path(f"/proc/{pid}/statm").exists():
        peak[0] = max(peak[0], sum(map(_resident, [pid, *descendants(pid)])))
        time.sleep(0.05)


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0
