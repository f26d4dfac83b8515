"""What people see of a training: its progress, and its record at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from data.progress import Progress
from flows.training.running import REPORT, Result
from models.training import Moment, Watcher
from models.training.watching import line, recent

_SECONDS = 10.0


def watcher(progress: Progress, tell: Callable[[str], None] | None = None, *, max_minutes: float = 0.0) -> Watcher:
    """What hears of each step of a training: how many are done, and now and then loss, pace and time left in a line.

    The time left is that to the last step, or to the end of `max_minutes` where that comes first.
    """
    heard: list[tuple[Moment, ...]] = [()]
    told = [float("-inf")]

    def watch(moment: Moment) -> None:
        progress(moment.step, moment.steps)
        heard[0] = recent(heard[0], moment)
        if tell and (moment.seconds - told[0] >= _SECONDS or moment.scores or moment.step == moment.steps):
            told[0] = moment.seconds
            tell(line(heard[0], max_minutes=max_minutes))

    return watch


def page(result: Result) -> str:
    """The record of a training as Markdown."""
    rows = [f"| {name} | {value} |" for name, value in lines(result).items()]
    return "\n".join([f"# {result.model} {result.version}", "", "| | |", "|---|---|", *rows])


def lines(result: Result) -> dict[str, str]:
    """What is worth knowing of a training, by name."""
    record, timing = result.record, result.record["timing"]
    steps = {"steps": f"{len(record['train_loss']):,} (ended by {record['ended']})"} if record["train_loss"] else {}
    return {
        "version": f"{result.version}{' (this training was done before)' if result.reused else ''}",
        **steps,
        record["unit"]: f"{record['units']:,}",
        **({"training loss": f"{record['train_loss'][-1]:.4f}"} if record["train_loss"] else {}),
        **{score["metric"]: score_line(score) for score in result.scores},
        "seconds": f"{timing['seconds']:.1f}",
        **({"report": str(result.path / REPORT)} if (result.path / REPORT).is_file() else {}),
    }


def score_line(score: Mapping[str, Any]) -> str:
    """A score with its interval."""
    return (
        f"{score['value']:.4f} ({score['ci_low']:.4f} to {score['ci_high']:.4f}, {score['n']:,} {score['split']} rows)"
    )


def as_json(result: Result) -> dict[str, Any]:
    """A result for machines."""
    return {
        "model": result.model,
        "version": result.version,
        "reused": result.reused,
        "path": str(result.path),
        "scores": [dict(score) for score in result.scores],
        "steps": len(result.record["train_loss"]),
        "timing": result.record["timing"],
    }
