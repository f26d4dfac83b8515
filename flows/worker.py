"""A worker process: calls the functions that its parent names, and ends when the parent does.

Run by `flows.workers`. It imports what a call needs and nothing before, so it starts in a fraction of a second.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any

from data import memory
from data.disk import told


def main(descriptor: int) -> None:
    """Answer the calls that come through the socket until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    end_with_parent(sys.stdin.fileno())
    connection = Connection(descriptor)
    while True:
        try:
            function, arguments = connection.recv()
        except EOFError:
            return
        except Exception:  # arguments that cannot be rebuilt here are an answer, too
            connection.send(("crashed", traceback.format_exc()))
            continue
        connection.send(answer(function, arguments))
        del function, arguments
        memory.release()  # the next part may need another kind


def answer(function: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a call returns, or how it ended."""
    try:
        return "done", function(*arguments)
    except BaseException as error:
        if (known := told(error)) is not None:
            return "refused", type(known), known.args, vars(known)
        return "crashed", traceback.format_exc()  # a bug, told to the parent with its traceback


def end_with_parent(life: int) -> None:
    """Have the kernel end this process when the parent's end of the pipe closes, even amid a call into C.

    A parent-death signal (prctl) would do so when the thread ends that started the process, which is too early.
    The default action of SIGIO is to terminate; nothing is ever written to the pipe.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([life], [], [], 0)[0]:  # closed before we asked to be told
        sys.exit(1)
