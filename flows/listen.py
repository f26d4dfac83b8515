"""Who hears the progress of a run: a bar on a terminal, plain lines elsewhere, the log of the run under a worker."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from data.progress import Progress
from flows.job import silent

Listener = Callable[[str], Progress]
_current: ContextVar[Listener] = ContextVar("listener", default=silent)
_SECONDS_BETWEEN_LINES = 10.0


def listener() -> Listener:
    """The listener of the command that runs now."""
    return _current.get()


@contextmanager
def listening(quiet: bool = False) -> Iterator[None]:
    """Show progress for the length of a command."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet:
        yield
    elif console.is_terminal:
        with _bars(console) as heard:
            yield from _with(heard)
    else:
        yield from _with(lines(console.print))


def log_listener() -> Listener:
    """Lines in the log `flows`, which a Prefect worker sends to the server."""
    logger = logging.getLogger("flows")
    logger.setLevel(logging.INFO)
    return lines(lambda line: logger.info("%s", line))


def lines(write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> Listener:
    """One line when a stage begins, every ten seconds, and when it is done."""

    def stage(name: str) -> Progress:
        said: list[float] = []

        def told(done: int, total: int) -> None:
            finished = bool(total) and done >= total
            if said and not finished and clock() - said[-1] < _SECONDS_BETWEEN_LINES:
                return
            if not (said and said[-1] == float("inf")):
                said.append(float("inf") if finished else clock())
                write(f"{name}: {done:,} of {total:,}" if total else f"{name}: {done:,}")

        return told

    return stage


def _with(heard: Listener) -> Iterator[None]:
    token = _current.set(heard)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def _bars(console: object) -> Iterator[Listener]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Board

    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Board(*columns, console=console) as board:  # type: ignore[arg-type]
        tasks: dict[str, int] = {}

        def stage(name: str) -> Progress:
            def told(done: int, total: int) -> None:
                if name not in tasks:
                    tasks[name] = board.add_task(name, total=None)
                board.update(tasks[name], completed=done, total=total or None)  # type: ignore[arg-type]

            return told

        yield stage
