"""`textmill models families` and `options`: what can be trained, and what can be set."""

from __future__ import annotations

import dataclasses
from typing import Any

from rich.table import Table
from rich.text import Text

from flows import show
from models.adapting import AdaptConfig
from models.catalogue import FAMILIES, family
from models.family import Family
from models.training import TrainingConfig


def families(*, json: bool) -> None:
    """Every family: its name, what it is, and the columns it learns from."""
    rows = [
        {"model": name, "what": (found := family(name)).about, "reads": ", ".join(found.needs)} for name in FAMILIES
    ]
    _table(rows, json=json)


def options(name: str, *, json: bool) -> None:
    """Every option of a family with its default, those of the model first."""
    _table(options_of(name), json=json)


def options_of(name: str) -> list[dict[str, Any]]:
    """The options of a family: name, default (null for what the data decide, `none` where nothing is the default) and
    the part they belong to."""
    found = family(name)
    kinds: list[tuple[str, Any]] = [("model", found.config)]
    if isinstance(found, Family):
        kinds += [("data", found.data), ("training", found.training), ("adapt", AdaptConfig)]
    return [
        {"option": field.name, "default": _default(kind, field), "part": part}
        for part, kind in kinds
        for field in dataclasses.fields(kind)
    ]


def _default(kind: Any, field: dataclasses.Field[Any]) -> Any:
    if isinstance(kind, TrainingConfig):
        return getattr(kind, field.name)
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    if field.default is dataclasses.MISSING:
        return None
    return "none" if field.default is None else field.default


def _table(rows: list[dict[str, Any]], *, json: bool) -> None:
    if json:
        show.as_json(rows)
        return
    table = Table()
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(
            *(Text("from the data" if value is None else str(value), overflow="fold") for value in row.values())
        )
    show.console().print(table)
