"""`textmill models mirror`: bring the registry into MLflow, and say what that changed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from rich.table import Table

from data.errors import ConfigError
from data.lake import Lake
from data.storage import redacted
from flows import show
from flows.mirroring.mirror import Wanted, mirror
from flows.mirroring.store import check


def bring(root: Path, wanted: Wanted, address: str | None, *, json: bool) -> None:
    """Mirror what is wanted into the store of that address."""
    if not address:
        raise ConfigError("name the store: --mlflow http://HOST:5000 or sqlite:///FILE.db, or set TEXTMILL_MLFLOW")
    check(address)
    told = mirror(Lake(root), address, wanted)
    if json:
        show.as_json([dataclasses.asdict(one) for one in told])
        return
    table = Table("model", "versions", "new", "aliases moved", "gone")
    for one in told:
        moved = ", ".join(f"{alias} → {version}" for alias, version in one.moved.items())
        table.add_row(one.model, f"{one.versions:,}", ", ".join(one.added), moved, ", ".join(one.gone))
    console = show.console()
    console.print(table if told else f"no model is registered in {root}; there is nothing to mirror")
    if not any(one.added or one.moved or one.gone for one in told):
        console.print(f"{redacted(address)} has all of it already.", highlight=False, soft_wrap=True)
