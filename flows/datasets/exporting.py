"""`datasets export`."""

from __future__ import annotations

from pathlib import Path

from data import history
from data.export import Exported, export
from data.lake import Lake
from data.release import open_release
from flows import show
from flows.datasets.terminal import table
from flows.listen import amount


def export_release(
    root: Path, pipeline: str | None, folder: Path, datasets: list[str] | None, *, megabytes: int, json: bool
) -> None:
    """Write datasets of the published release, every one by default, as few large files."""
    lake = Lake(root)
    release = open_release(lake, history.only_pipeline(lake, pipeline))
    made = {name: export(release, name, folder, megabytes=megabytes) for name in datasets or sorted(release.versions)}
    if json:
        show.as_json([_row(name, one) for name, files in made.items() for one in files])
    else:
        _print(made, folder)


def _row(dataset: str, one: Exported) -> dict[str, object]:
    return {"dataset": dataset, "path": str(one.path), "rows": one.rows, "bytes": one.bytes, "written": one.written}


def _print(made: dict[str, list[Exported]], folder: Path) -> None:
    columns = {"dataset": "left", "files": "right", "written now": "right", "rows": "right", "size": "right"}
    lines = [
        [name, len(files), sum(one.written for one in files), sum(one.rows for one in files), _size(files)]
        for name, files in made.items()
    ]
    console = show.console()
    console.print(table(columns, lines))
    show.plain(console, f"in {folder}/<dataset>/*.parquet")


def _size(files: list[Exported]) -> str:
    return amount(sum(one.bytes for one in files), 0, "B")
