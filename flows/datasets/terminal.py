"""How these commands print: tables for people, amounts, ages, and the cards of all models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from data.errors import ConfigError
from data.lake import Lake
from data.retention import Model

_SPAN = re.compile(r"(\d+(?:\.\d+)?) ?(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def table(columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table; `columns` says of each whether it is `left`, `right` or may `fold`. Cells are no markup."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name, kind in columns.items():
        fold = kind == "fold"
        made.add_column(
            name,
            justify="right" if kind == "right" else "left",
            no_wrap=not fold,
            overflow="fold" if fold else "ellipsis",
        )
    for row in rows:
        made.add_row(*map(_cell, row))
    return made


def _cell(value: Any) -> Text:
    return value if isinstance(value, Text) else Text(f"{value:,}" if isinstance(value, int) else str(value))


def age(when: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max((now - when).total_seconds(), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def span(text: str) -> timedelta:
    """A span of time such as 90m, 24h or 7d. Raises ConfigError for anything else."""
    if (found := _SPAN.fullmatch(text.strip())) is None:
        raise ConfigError(f"--grace is '{text}'; give a number with s, m, h, d or w, as 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


def champions(lake: Lake, names: Iterable[str]) -> list[Model]:
    """The versions of these models that predict, of those that have one."""
    from models.registry import Registry

    registry = Registry(lake.models)
    found = ((name, registry.alias(name)) for name in sorted(names))
    return [(name, version) for name, version in found if version]


def cards(lake: Lake) -> dict[Model, Mapping[str, Any]]:
    """The cards of all registered models."""
    from data import files
    from models.registry import CARD, Registry

    registry = Registry(lake.models)
    return {
        (name, version): files.read_json(lake.models / name / version / CARD)
        for name in registry.names()
        for version in registry.versions(name)
    }
