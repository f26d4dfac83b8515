"""Who hears the progress of a run: a bar on a terminal, plain lines elsewhere, the log of the run under a worker."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from data.progress import Listener, Progress, silent

if TYPE_CHECKING:
    from rich.console import Console

_current: ContextVar[Listener] = ContextVar("listener", default=silent)
_say: ContextVar[Callable[[str], None] | None] = ContextVar("say", default=None)
_SECONDS_BETWEEN_LINES = 10.0
_SIZES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0))


def listener() -> Listener:
    """The listener of the command that runs now."""
    return _current.get()


@contextmanager
def listening(quiet: bool = False) -> Iterator[None]:
    """Show progress, and what the pipelines warn of, for the length of a command."""
    from rich.console import Console

    console = Console(stderr=True)
    with _warnings(console):
        if quiet:
            yield
            return
        token = _say.set(lambda line: console.print(line, soft_wrap=True, highlight=False, markup=False))
        if console.is_terminal:
            from flows.bars import bars

            with bars(console) as heard:
                yield from _with(heard)
        else:
            yield from _with(lines(lambda line: console.print(line, soft_wrap=True, highlight=False)))
        _say.reset(token)


def said() -> Callable[[str], None] | None:
    """What prints a line of the command that runs now, above its bars; None where it is to be quiet."""
    return _say.get()


def log_listener() -> Listener:
    """Lines in the log `flows`, which a Prefect worker sends to the server."""
    logger = logging.getLogger("flows")
    logger.setLevel(logging.INFO)
    return lines(lambda line: logger.info("%s", line))


def lines(write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> Listener:
    """One line when a stage begins, every ten seconds, and when it is done."""

    def stage(name: str, /, *, unit: str = "") -> Progress:
        began: list[tuple[float, int]] = []
        said: list[float] = []

        def told(done: int, total: int) -> None:
            finished = bool(total) and done >= total
            now = clock()
            if not began:
                began.append((now, done))
            if said and not finished and now - said[-1] < _SECONDS_BETWEEN_LINES:
                return
            if not (said and said[-1] == float("inf")):
                said.append(float("inf") if finished else now)
                pace = _pace(done, total, done - began[0][1], now - began[0][0]) if unit == "B" else ""
                write(f"{name}: {amount(done, total, unit)}{pace}")

        return told

    return stage


def amount(done: int, total: int, unit: str) -> str:
    """How much of how much: things as counts, bytes in the unit of the larger number."""
    if unit != "B":
        return f"{done:,} of {total:,}" if total else f"{done:,}"
    name, size = next(((name, size) for name, size in _SIZES if max(done, total) >= size), _SIZES[-1])
    digits = 0 if size == 1 else 1
    return f"{done / size:,.{digits}f}" + (f" of {total / size:,.{digits}f} {name}" if total else f" {name}")


def _pace(done: int, total: int, brought: int, seconds: float) -> str:
    """Rate since the beginning, and the time left at that rate."""
    if brought <= 0 or seconds <= 0:
        return ""
    rate = brought / seconds
    return f", {amount(round(rate), 0, 'B')}/s" + (f", {span((total - done) / rate)} left" if done < total else "")


def span(seconds: float) -> str:
    """A length of time as people write it: 1:05, 2:00:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _with(heard: Listener) -> Iterator[None]:
    token = _current.set(heard)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def _warnings(console: Console) -> Iterator[None]:
    """Warnings of the lake and the pipelines as lines of this console, above its bars and in no other log."""

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            console.print(f"textmill: {record.getMessage()}", soft_wrap=True, markup=False, highlight=False)

    loggers = [logging.getLogger(name) for name in ("data", "pipelines", "flows.mirroring")]
    handler = Lines(logging.WARNING)
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagate
