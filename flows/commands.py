"""What the small commands do: look at datasets, models and sources."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from data.errors import TextmillError
from data.hashing import sha256_file
from data.lake import Lake
from flows import show
from models.registry import Registry


def list_datasets(root: Path, *, json: bool) -> None:
    """Published datasets of every pipeline."""
    lake = Lake(root)
    rows = [{"pipeline": name, **row} for name in lake.pipelines() for row in show.summary(lake, name)["datasets"]]
    _print(rows, json=json, empty=f"nothing is published in {root}; `textmill run` publishes the sample")


def show_dataset(root: Path, pipeline: str | None, dataset: str, *, json: bool) -> None:
    """Manifest of the published version of a dataset, and its first rows."""
    lake = Lake(root)
    name = only_pipeline(lake, pipeline)
    versions = (lake.release(name) or {"datasets": {}})["datasets"]
    if dataset not in versions:
        raise TextmillError(f"{name} publishes no '{dataset}'; it publishes {', '.join(versions) or 'nothing'}")
    manifest = lake.manifest(name, dataset, versions[dataset]) or {}
    if json:
        show.as_json(manifest)
        return
    import polars as pl

    console = show.console()
    for key in ("pipeline", "dataset", "version", "rows", "bytes", "counts", "inputs", "run"):
        console.print(f"{key:<9} {manifest[key]}")
    console.print(str(pl.scan_parquet(lake.parts(name, dataset, versions[dataset])).head(5).collect()))


def get_rows(root: Path, pipeline: str | None, dataset: str, doc_id: str) -> None:
    """Rows of one document of the published release. Raises NotFoundError naming the reason if it was rejected."""
    from data.release import open_release

    lake = Lake(root)
    for row in open_release(lake, only_pipeline(lake, pipeline)).get(doc_id, dataset):
        show.as_json_line(row)


def verify(root: Path, pipeline: str | None) -> None:
    """Check every published file against its hash. Raises TextmillError naming the first bad one."""
    lake = Lake(root)
    checked = 0
    for name in [pipeline] if pipeline else lake.pipelines():
        for dataset, version in (lake.release(name) or {"datasets": {}})["datasets"].items():
            for part in (lake.manifest(name, dataset, version) or {"parts": []})["parts"]:
                path = lake.version(name, dataset, version) / part["file"]
                if not path.is_file() or sha256_file(path) != part["sha256"]:
                    raise TextmillError(f"{path} is missing or damaged; remove its folder and run `textmill run` again")
                checked += 1
    show.console().print(f"{checked} files are as published.")


def list_models(root: Path, *, json: bool) -> None:
    """Registered models, their versions and champions."""
    registry = Registry(root / "models")
    rows = [
        {"model": name, "champion": registry.alias(name) or "none", "versions": ", ".join(registry.versions(name))}
        for name in registry.names()
    ]
    _print(rows, json=json, empty=f"no model is registered in {root}; `textmill run` trains some")


def show_model(root: Path, name: str, which: str) -> None:
    """Card of a model version."""
    show.as_json(dict(Registry(root / "models").load(name, which).card))


def rollback(root: Path, name: str) -> None:
    """Point the champion alias back."""
    version = Registry(root / "models").rollback(name, "champion", datetime.now(UTC).isoformat(timespec="seconds"))
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
    source = find(name, raw=lake.raw)
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


def only_pipeline(lake: Lake, name: str | None) -> str:
    """The pipeline asked for, or the only one there is."""
    names = lake.pipelines()
    if name is None and len(names) == 1:
        return names[0]
    if name not in names:
        listed = ", ".join(names) or "none; `textmill run` makes one"
        raise TextmillError(f"name one with --pipeline; published in {lake.root}: {listed}")
    return name


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
