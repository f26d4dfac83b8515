"""What the small commands do: look at datasets, models and sources."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from data.errors import TextmillError
from data.forgotten import learnt
from data.history import only_pipeline
from data.lake import Lake
from flows import show
from flows.addresses import expanded
from flows.listen import listening
from flows.mirroring.choosing import chosen
from flows.mirroring.following import follow
from models.registry import CANDIDATE, CHAMPION, Registry


def list_models(root: Path, *, json: bool) -> None:
    """Registered models with their versions, and where champion and candidate point."""
    lake = Lake(root)
    registry = Registry(lake.models)
    rows = [
        {
            "model": name,
            **{alias: registry.alias(name, alias) or "none" for alias in (CHAMPION, CANDIDATE)},
            "versions": ", ".join(registry.versions(name)),
        }
        for name in registry.names()
    ]
    if json:
        show.as_json([{**row, "forgotten": _learnt(lake, row["model"])} for row in rows])
        return
    _print(rows, json=False, empty=f"no model is registered in {root}; `textmill run` trains some")
    for line in show.learnt_what_was_forgotten(lake, [(row["model"], row["champion"]) for row in rows]):
        show.plain(show.console(), line)


def _learnt(lake: Lake, name: str) -> dict[str, list[str]]:
    """Ids of forgotten documents that versions of a model were trained on."""
    return {version: ids for (model, version), ids in learnt(lake).items() if model == name}


def show_model(root: Path, name: str, which: str) -> None:
    """Card of a model version."""
    show.as_json(dict(Registry(Lake(root).models).load(name, which).card))


def rollback(root: Path, name: str) -> None:
    """Point the champion alias back."""
    lake = Lake(root)
    version = Registry(lake.models).rollback(name, "champion", datetime.now(UTC).isoformat(timespec="seconds"))
    with listening(quiet=True):
        follow(lake, [name], chosen())
    show.console().print(f"{name}: the champion is {version} again. `textmill run` makes its predictions.")


def list_sources(*, json: bool) -> None:
    """The catalogue."""
    from data.catalogue import catalogue

    sources = list(catalogue().values())
    if json:
        show.as_json([show.source(source) for source in sources])
    else:
        show.sources(show.console(), sources)


def get_source(root: Path, name: str, path: Path | None, *, refresh: bool, json: bool) -> None:
    """Fetch a source into the lake, or take over the file or folder that the user has of it."""
    from data.catalogue import find
    from flows.listen import listener, listening
    from flows.settings import Settings
    from pipelines.download import download

    lake = Lake(root)
    source = find(expanded(name), raw=lake.raw)
    lake.check_writable()
    with listening(quiet=json):
        listen = listener()(f"Download {source.name}", unit="B")
        raw = download(
            source,
            lake.raw / source.name,
            network=Settings().network(),
            progress=listen,
            refresh=refresh,
            by_hand=path,
        )
    if json:
        show.as_json([{**file.sidecar, "path": str(file.path)} for file in raw])
    else:
        show.fetched(show.console(), source, raw)


def report_path(root: Path, pipeline: str | None) -> None:
    """Path of the report of the published release."""
    lake = Lake(root)
    found = show.summary(lake, only_pipeline(lake, pipeline))["report"]
    if found is None:
        raise TextmillError("there is no report yet; `textmill run` writes one")
    show.console().print(found, soft_wrap=True)


def _print(rows: list[dict[str, Any]], *, json: bool, empty: str) -> None:
    if json:
        show.as_json(rows)
        return
    if not rows:
        show.console().print(empty)
        return
    table = Table()
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row.values()))
    show.console().print(table)
