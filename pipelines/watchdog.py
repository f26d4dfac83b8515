"""Keep one page from stalling a run: limits in CPU seconds, so that a busy machine rejects no other pages.

Within the limit plus some, `limited` raises between two steps of the interpreter. A call into C that never returns is
beyond that: in a process that may die, the kernel ends it a little later, and `survives` then finds the page.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

VERSION = 1
_GRACE = 2
"""How many times the limit the process may spend before the kernel ends it."""
_SOON = 0.01
"""Seconds between two looks at the clock of a thread, at the least."""


class PageTimeoutError(BaseException):
    """The time of one page is up. No `Exception`, so that nothing on the way takes it for an ordinary fault."""


@contextmanager
def limited(seconds: float | None, *, deadly: bool = False) -> Iterator[None]:
    """Raise PageTimeoutError after so much CPU time of this process, off the main thread of this thread.

    With `deadly`, the kernel ends the process (SIGXCPU) if that is of no use; but not off the main thread.
    """
    if seconds is None:
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        with _Watcher(seconds):
            yield
        return
    previous = signal.signal(signal.SIGPROF, _raise)
    if deadly:
        _set_cpu_limit(seconds * _GRACE)
    signal.setitimer(signal.ITIMER_PROF, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
        if deadly:
            _set_cpu_limit(None)


class _Watcher:
    """Watches the CPU time of the thread that enters it from another thread, as signals reach the main one alone."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._done = threading.Event()

    def __enter__(self) -> None:
        self._watched = ctypes.c_ulong(threading.get_ident())
        self._clock = _thread_clock()
        threading.Thread(target=self._watch, args=(self._clock() + self._seconds,), daemon=True).start()

    def __exit__(self, *_: object) -> None:
        """Call the watcher off; what it sent may arrive as late as here."""
        late = False
        while not self._done.is_set():
            try:
                with self._lock:
                    self._done.set()
                    _raise_in(self._watched, None)
            except PageTimeoutError:
                late = True
        if late:
            raise PageTimeoutError

    def _watch(self, end: float) -> None:
        while not self._done.wait(max(end - self._clock(), _SOON)):
            with self._lock:
                if not self._done.is_set() and self._clock() >= end:
                    _raise_in(self._watched, PageTimeoutError)
                    end += 1.0  # once more, should it be swallowed


def _thread_clock() -> Callable[[], float]:
    """CPU seconds of this thread for any thread to read; those of the process where the system has none of threads."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time
    return partial(time.clock_gettime, time.pthread_getcpuclockid(threading.get_ident()))


def _raise_in(thread: ctypes.c_ulong, error: type[BaseException] | None) -> None:
    """Have a thread raise an error before its next step in Python; with None, take back what has not arrived."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None if error is None else ctypes.py_object(error))


def survives(work: Callable[[], object], seconds: float) -> bool:
    """Whether the work ends within its time, tried in a process of its own."""
    child = os.fork()
    if not child:
        try:
            _set_cpu_limit(seconds * _GRACE)
            work()
        finally:
            os._exit(0)  # its faults are told where the work is done in earnest
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status)


def _raise(*_: object) -> None:
    raise PageTimeoutError


def _set_cpu_limit(seconds: float | None) -> None:
    """Limit the CPU time from now on, in whole seconds; None lifts the limit."""
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if seconds is None:
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
