"""Keep one page from stalling a run: limits in CPU seconds, so that a busy machine rejects no other pages.

Within the limit plus some, `limited` raises between two steps of the interpreter. A call into C that never returns is
beyond that: in a process that may die, the kernel ends it a little later, and `survives` then finds the page.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

VERSION = 1
_GRACE = 2
"""How many times the limit the process may spend before the kernel ends it."""


class PageTimeoutError(BaseException):
    """The time of one page is up. No `Exception`, so that nothing on the way takes it for an ordinary fault."""


@contextmanager
def limited(seconds: float | None, *, deadly: bool = False) -> Iterator[None]:
    """Raise PageTimeoutError after so much CPU time of this process; nothing happens off the main thread.

    With `deadly`, the kernel ends the process (SIGXCPU) if that is of no use.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
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
