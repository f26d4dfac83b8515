"""A pool of worker processes for the parts of a dataset: long-lived, started when needed, ended with this process."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.connection import Connection, Pipe
from typing import Any

from data.errors import ConfigError, TextmillError

_ONE_THREAD = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS", "ARROW_IO_THREADS")
_SYSTEM_POOL = {"ARROW_DEFAULT_MEMORY_POOL": "system"}
"""Arrow's own pool holds what the writing of a part took, 45 MB in two workers."""
_START = "import sys; from flows.worker import main; main(int(sys.argv[1]))"
_Call = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...]]


class WorkerError(TextmillError):
    """A worker process ended or met a bug, so that a part could not be made."""


class OutOfTimeError(WorkerError):
    """A worker used up the CPU time that one page may take, and could not be stopped but by ending it."""


def count_workers(wanted: int | None) -> int:
    """Number of workers: what is asked for, else the CPUs that this process may use. 0 works without any."""
    if wanted is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if wanted < 0:
        raise ConfigError(f"workers is {wanted}; it must be 0 (no worker processes) or more")
    return wanted


class Pool:
    """Calls functions in `size` processes at the most; a call starts one more when all that there are have work.

    A function has to be importable by its name; arguments and results travel by pickle between own processes.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        self._open: list[Future[Any]] = []
        self._light: set[Future[Any]] = set()

    @property
    def room(self) -> int:
        """How many calls may be on their way: enough to keep all workers busy, few enough to hold."""
        return 2 * self.size

    def submit(self, function: Callable[..., Any], *arguments: Any, light: bool = False) -> Future[Any]:
        """Have the function called by the next free worker; a `light` call is not worth the start of a second one."""
        future: Future[Any] = Future()
        self._calls.put((future, function, arguments))
        self._open = [each for each in (*self._open, future) if not each.done()]
        self._light = {each for each in (*self._light, *([future] if light else [])) if not each.done()}
        if len(self._workers) < min(self.size, max(1, len(self._open) - len(self._light))):
            self._workers.append(_Worker(self._calls))
        return future

    def rest(self) -> None:
        """End the workers where none has work: what they hold is free, and the next call starts others."""
        if not all(each.done() for each in self._open):
            return
        workers, self._workers = self._workers, []
        for _ in workers:
            self._calls.put(None)
        for worker in workers:  # all of them, before another worker could take what tells these to end
            worker.thread.join()
            worker.kill()

    def close(self) -> None:
        """End the workers, whatever they do."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.kill()
        for _ in workers:
            self._calls.put(None)


class _Worker:
    """One process and the thread that talks to it."""

    def __init__(self, calls: queue.SimpleQueue[_Call | None]) -> None:
        self._calls = calls
        self._closed = False
        self._start()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def kill(self) -> None:
        self._closed = True
        self._process.kill()
        self._process.wait()
        self._connection.close()
        if self._process.stdin:
            self._process.stdin.close()

    def _start(self) -> None:
        self._connection, theirs = Pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, str(theirs.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=_environment(),
        )
        theirs.close()

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            future, function, arguments = call
            try:
                future.set_result(_answer(self._connection, function, arguments))
            except (EOFError, OSError):
                future.set_exception(self._death())
                if self._closed:
                    return
                self._start()
            except BaseException as error:
                future.set_exception(error)

    def _death(self) -> WorkerError:
        if self._closed:
            return WorkerError("the run was stopped; run the same command again to go on")
        code = self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._connection.close()
        if code == -signal.SIGXCPU:
            return OutOfTimeError("a worker process spent its CPU time on one page")
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        hint = "; too little memory? --workers 1 needs less" if code == -signal.SIGKILL else ""
        return WorkerError(f"a worker process {how} while it made a part{hint}. Run the same command again to go on")


def _answer(connection: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    connection.send((function, arguments))
    outcome, *content = connection.recv()
    if outcome == "done":
        return content[0]
    if outcome == "refused":
        raise _rebuilt(*content)
    raise WorkerError(f"a worker process failed; please report this as a bug.\n{content[0]}")


def _rebuilt(kind: type[TextmillError], arguments: tuple[Any, ...], attributes: dict[str, Any]) -> TextmillError:
    """The error as it was raised in the worker, also where its class wants other arguments."""
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    vars(error).update(attributes)
    return error


def _environment() -> dict[str, str]:
    """This process's environment, its import path, and one thread per library: the workers share the CPUs."""
    own = dict.fromkeys(_ONE_THREAD, "1") | {"TOKENIZERS_PARALLELISM": "false"}
    return {**_SYSTEM_POOL, **os.environ, **own, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
