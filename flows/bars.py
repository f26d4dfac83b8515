"""Bars of the stages that run, on a terminal: how much of how much, and how fast where bytes are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn
from rich.progress import Progress as Board
from rich.text import Text

from data.progress import Listener, Progress
from flows.listen import amount, span

_LONGEST = 36


class Words(ProgressColumn):
    """A column of what a function says of a row."""

    def __init__(self, say: Callable[[Task], str]) -> None:
        super().__init__()
        self._say = say

    def render(self, task: Task) -> Text:
        """The words for a row."""
        return Text(self._say(task), no_wrap=True, justify="right")


def amount_of(task: Task) -> str:
    """How much of how much."""
    return amount(int(task.completed), int(task.total or 0), task.fields["unit"])


def pace_of(task: Task) -> str:
    """Rate and time left where bytes are counted, how long it has taken otherwise and at the end."""
    if task.fields["unit"] == "B" and task.speed and not task.finished:
        left = f" {span(task.time_remaining)} left" if task.time_remaining is not None else ""
        return f"{amount(round(task.speed), 0, 'B')}/s{left}"
    return span((task.finished_time if task.finished else task.elapsed) or 0.0)


def short(name: str) -> str:
    """A name that leaves room for the rate and the time left: a long one without its middle."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2]}…{name[1 - _LONGEST // 2 :]}"


@contextmanager
def bars(console: Console, get_time: Callable[[], float] | None = None) -> Iterator[Listener]:
    """A listener that draws a bar for every stage."""
    columns = (TextColumn("{task.description:<20}"), BarColumn(bar_width=None), Words(amount_of), Words(pace_of))
    with Board(*columns, console=console, expand=True, get_time=get_time) as board:
        tasks: dict[str, TaskID] = {}

        def stage(name: str, /, *, unit: str = "") -> Progress:
            def told(done: int, total: int) -> None:
                if name not in tasks:  # what an earlier run brought is there, but tells nothing of the rate
                    tasks[name] = board.add_task(short(name), total=None, completed=done, unit=unit)
                board.update(tasks[name], completed=done, total=total or None)

            return told

        yield stage
