"""A training as a page: its scores and curves, what it cost, and what the trained model writes or knows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines import charts, pages


@dataclass(frozen=True, kw_only=True)
class TrainingPage:
    """What the page shows, as plain data.

    `scores` have metric, value, ci_low, ci_high, n and split; `record` is that of the training (`history.json`);
    `shown` is what the family shows of the model, by title: texts, tables (lists of rows), heat maps (`columns`,
    `rows`, `values`) and lines (rows by name in `series`, drawn by their values `x` and `y`); `limits` are sentences.
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
        "curves": charts.curves(panels(page.record), y=None),
        "parts": [(name, _end(values)) for name, values in _parts(page.record) if values],
        "timing": took(page.record["timing"]),
        "trade_off": charts.trade_off,
    }
    return pages.render_page("training.html.j2", values)


def tiles(page: TrainingPage) -> list[tuple[str, str]]:
    """The figures at the head."""
    record = page.record
    found = [(score["metric"].replace("_", " "), pages.number(score["value"])) for score in page.scores[:2]]
    if record["train_loss"]:
        found.append(("steps", pages.number(len(record["train_loss"]))))
    return [
        *found,
        (str(record["unit"]), pages.number(record["units"])),
        ("seconds", f"{record['timing']['seconds']:,.0f}"),
    ]


def took(timing: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What a training took, in units that people read; how a figure came about stands below it."""
    return [
        (name.replace("_", " "), _UNITS[name](value) if name in _UNITS and value is not None else value)
        for name, value in timing.items()
        if not name.startswith("counted_")
    ]


_UNITS: dict[str, Callable[[float], str]] = {
    "seconds": lambda value: f"{value:,.1f}",
    "cpu_seconds": lambda value: f"{value:,.1f}",
    "joules": lambda value: f"{value:,.0f}",
    "flops": lambda value: f"{value:.3g}",
    "flops_per_second": lambda value: f"{value / 1e9:,.1f} GFLOP/s",
    "matrix_peak": lambda value: f"{value / 1e9:,.1f} GFLOP/s",
    "share_of_matrix_peak": pages.percent,
    "peak_memory": pages.size,
    "peak_device_memory": pages.size,
    "co2_grams": lambda value: f"{value:,.3g}",
    "carbon_intensity": lambda value: f"{value:,.0f} g/kWh",
}


def panels(record: Mapping[str, Any]) -> list[tuple[str, str, list[tuple[float, float]]]]:
    """Loss of training and of validation, and a panel for each further mean that training told."""
    steps = len(record["train_loss"])
    held = list(zip(record["validation_steps"], record.get("validation_loss", []), strict=False))
    return [
        ("loss", "train", _points(record["train_loss"], steps)),
        ("loss", "validation", held),
        *((name, "train", _points(values, steps)) for name, values in _parts(record)),
    ]


def _parts(record: Mapping[str, Any]) -> list[tuple[str, Sequence[float]]]:
    return [(name.replace("_", " "), values) for name, values in record.get("train_parts", {}).items()]


def _points(values: Sequence[float], steps: int) -> list[tuple[float, float]]:
    """Values of the last steps, thinned to what can be seen: a GAN has rewards once it plays."""
    first, every = steps - len(values) + 1, max(1, len(values) // 400)
    return [(first + i, one) for i, one in enumerate(values) if i % every == 0 and math.isfinite(one)]


def _end(values: Sequence[float]) -> float:
    """The mean of the last tenth."""
    last = values[-max(1, len(values) // 10) :]
    return sum(last) / len(last)
