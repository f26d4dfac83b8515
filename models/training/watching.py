"""What is seen of a training under way: one line of text, and several watchers in one."""

from __future__ import annotations

from collections.abc import Sequence

from models.training.loop import Moment, Watcher

WINDOW = 10.0
"""Seconds over which the pace is taken: steps differ."""


def all_of(watchers: Sequence[Watcher]) -> Watcher:
    """A watcher that tells each of some, in their order."""

    def watch(moment: Moment) -> None:
        for watcher in watchers:
            watcher(moment)

    return watch


def recent(before: Sequence[Moment], moment: Moment, *, window: float = WINDOW) -> tuple[Moment, ...]:
    """The moments of the last `window` seconds, and one before them to count from; `line` takes them."""
    heard = (*before, moment)
    old = sum(one.seconds < moment.seconds - window for one in heard)
    return heard[max(0, old - 1) :]


def line(moments: Sequence[Moment], *, max_minutes: float = 0.0) -> str:
    """The last of some moments in words: step, loss, pace and the time left, the earlier of both ends.

    `step 120/400  loss 2.314  validation 2.402  8,410 tokens/s  1:05 left`; the pace is that between the first of the
    moments and the last, and unknown while there is only one.
    """
    last = moments[-1]
    found = [f"step {last.step}/{last.steps}", f"loss {last.loss:.4g}"]
    if scores := _last_scores(moments):
        found.append(f"validation {scores:.4g}")
    steps, units, seconds = (
        last.step - moments[0].step,
        last.units - moments[0].units,
        last.seconds - moments[0].seconds,
    )
    if steps and seconds > 0:
        found.append(f"{_count(units / seconds)} {last.unit}/s")
        left = seconds / steps * (last.steps - last.step)
        left = min(left, 60 * max_minutes - last.seconds) if max_minutes else left
        found.append(f"{_clock(max(0.0, left))} left")
    return "  ".join(found)


def _last_scores(moments: Sequence[Moment]) -> float | None:
    return next((moment.scores["loss"] for moment in reversed(moments) if moment.scores), None)


def _count(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds: 1:05, 2:00:31."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
