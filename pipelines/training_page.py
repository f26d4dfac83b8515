"""A training as a page: its scores and curves, what it cost, and what the trained model writes or knows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines import charts, pages


@dataclass(frozen=True, kw_only=True)
class TrainingPage:
    """What the page shows, as plain data.

    `scores` have metric, value, ci_low, ci_high, n and split; `record` is that of the training (`history.json`);
    `shown` is what the family shows of the model, by title; `limits` are sentences.
    """

    name: str
    about: str
    created: str
    lineage: Mapping[str, Any]
    config: Mapping[str, Any]
    scores: Sequence[Mapping[str, Any]]
    record: Mapping[str, Any]
    shown: Mapping[str, Any]
    limits: Sequence[str]


def render(page: TrainingPage) -> str:
    """The page as self-contained HTML."""
    values = {
        "page": page,
        "tiles": tiles(page),
        "curves": charts.curves(_curves(page.record)),
        "parts": [(name, _end(values)) for name, values in page.record.get("train_parts", {}).items() if values],
        "timing": [(name.replace("_", " "), value) for name, value in page.record["timing"].items()],
    }
    return pages.render_page("training.html.j2", values)


def tiles(page: TrainingPage) -> list[tuple[str, str]]:
    """The figures at the head."""
    record = page.record
    found = [(score["metric"].replace("_", " "), pages.number(score["value"])) for score in page.scores[:2]]
    if record["train_loss"]:
        found.append(("steps", pages.number(len(record["train_loss"]))))
    return [*found, (str(record["unit"]), pages.number(record["units"])), ("seconds", pages.number(_seconds(record)))]


def _curves(record: Mapping[str, Any]) -> list[tuple[str, str, list[tuple[float, float]]]]:
    """Loss of training, thinned to what can be seen, and of validation."""
    losses, every = record["train_loss"], max(1, len(record["train_loss"]) // 400)
    train = [(step + 1, loss) for step, loss in enumerate(losses) if step % every == 0 and math.isfinite(loss)]
    held = list(zip(record["validation_steps"], record.get("validation_loss", []), strict=False))
    return [("loss", "train", train), ("loss", "validation", held)]


def _end(values: Sequence[float]) -> float:
    """The mean of the last tenth."""
    last = values[-max(1, len(values) // 10) :]
    return sum(last) / len(last)


def _seconds(record: Mapping[str, Any]) -> float:
    return float(record["timing"]["seconds"])
