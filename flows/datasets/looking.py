"""`datasets list`, `show`, `get` and `verify`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from data import history
from data.forgotten import FORGOTTEN
from data.history import Version
from data.lake import Lake, LakeError
from data.pins import RELEASE, pins
from data.verification import Checked, verify_pipeline, verify_raw
from flows import show
from flows.datasets.terminal import age, table
from flows.listen import amount

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

_SHOWN = 20  # problems in a terminal
_ROWS = 5
_DULL = {"text_sha256", "source", "url"}  # say little in a table of a few rows


def list_datasets(root: Path, pipeline: str | None, *, every: bool, json: bool) -> None:
    """Datasets of every pipeline, or of one; with `every` also versions of no release."""
    lake, now = Lake(root), datetime.now(UTC)
    names = [history.only_pipeline(lake, pipeline)] if pipeline else history.folders(lake)
    rows = [_row(lake, one, now) for name in names for one in history.versions(lake, name) if every or one.current]
    if json:
        show.as_json(rows)
    elif not rows:
        show.console().print(f"nothing is published in {root}; `textmill run` publishes the sample")
    else:
        _print_versions(rows)


def _row(lake: Lake, one: Version, now: datetime) -> dict[str, Any]:
    found = [pin for pin in pins(lake, one.pipeline) if _pins(pin.dataset, pin.version, one)]
    return {
        **{name: getattr(one, name) for name in ("pipeline", "dataset", "version", "rows", "bytes", "parts")},
        "current": one.current,
        "releases": [f"r{number}" for number in one.releases],
        "pinned": [pin.note for pin in found],
        "made": one.made.isoformat(timespec="seconds"),
        "age": age(one.made, now),
        "path": str(lake.version(*one.key)),
    }


def _pins(dataset: str, version: str, one: Version) -> bool:
    released = dataset == RELEASE and any(version == f"r{number}" for number in one.releases)
    return released or (dataset, version) == (one.dataset, one.version)


def _print_versions(rows: list[dict[str, Any]]) -> None:
    console = show.console()
    columns = {
        "dataset": "left",
        "version": "left",
        "rows": "right",
        "size": "right",
        "age": "right",
        "releases": "left",
    }
    for pipeline in dict.fromkeys(row["pipeline"] for row in rows):
        mine = [row for row in rows if row["pipeline"] == pipeline]
        lines = [
            [one["dataset"], one["version"], one["rows"], amount(one["bytes"], 0, "B"), one["age"], _marks(one)]
            for one in mine
        ]
        console.print(f"\n[bold]{pipeline}[/]")
        console.print(table(columns, lines))


def _marks(row: dict[str, Any]) -> str:
    """The newest and oldest release of a version, and its pin."""
    numbers = row["releases"]
    named = "" if not numbers else numbers[0] if len(numbers) == 1 else f"{numbers[-1]} – {numbers[0]}"
    pinned = "".join(f", pinned: {note}" if note else ", pinned" for note in row["pinned"])
    return (named + pinned).removeprefix(", ")


def show_dataset(root: Path, pipeline: str | None, dataset: str, version: str | None, *, json: bool) -> None:
    """The versions of a dataset, and what one of them holds and was made of."""
    lake, now = Lake(root), datetime.now(UTC)
    name = history.only_pipeline(lake, pipeline)
    found = history.find_version(lake, name, version, dataset)[1]
    manifest = history.manifest_of(lake, name, dataset, found)
    known = [_row(lake, one, now) for one in history.versions(lake, name, dataset)]
    if json:
        show.as_json({**manifest, "versions": known})
        return
    from data.tables import read

    console = show.console()
    console.print(
        f"\n[bold]{name}/{dataset}[/], {len(known)} versions" if len(known) > 1 else f"\n[bold]{name}/{dataset}[/]"
    )
    columns = {"version": "left", "rows": "right", "size": "right", "age": "right", "releases": "left"}
    lines = [[one["version"], one["rows"], amount(one["bytes"], 0, "B"), one["age"], _marks(one)] for one in known]
    console.print(table(columns, lines))
    show.plain(console, f"\n{found}  {lake.version(name, dataset, found)}")
    for label, text in _facts(manifest):
        show.plain(console, f"  {label:<9} {text}")
    first = next((part for part in manifest["parts"] if part["rows"]), None)
    if first:
        _print_rows(console, read(lake.version(name, dataset, found) / first["file"]).head(_ROWS))


def _print_rows(console: Console, rows: pl.DataFrame) -> None:
    """The first rows, a line each: columns that are no lists, as many as fit; texts cut off."""
    import polars as pl

    plain = rows.select(name for name, kind in rows.schema.items() if not kind.is_nested() and name not in _DULL)
    shown = plain.select(name for name in plain.columns if plain[name].null_count() < plain.height)
    texts = shown.with_columns(pl.col(pl.String).str.replace_all(r"\s+", " "))
    columns = min(texts.width, max(3, console.width // 18))
    with pl.Config(
        tbl_cols=columns,
        tbl_width_chars=console.width,
        fmt_str_lengths=max(8, console.width // (columns + 1) - 3),
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_formatting="NOTHING",
    ):
        show.plain(console, f"\n{texts}")


def _facts(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    counts = manifest["counts"]
    lost = [f"{n:,} {reason}" for kind in ("filtered", "failed") for reason, n in counts[kind].items()]
    inputs = [
        " ".join(
            str(value)[:16]
            for key, value in one.items()
            if key in {"raw", "dataset", "version", "file", "sha256", "model", "tokenizer"}
        )
        for one in manifest.get("inputs", [])
    ]
    facts = [
        ("records", f"{counts['in']:,} in, {counts['kept']:,} kept" + (f"; {', '.join(lost)}" if lost else "")),
        ("made from", "; ".join(inputs[:6]) + (f"; and {len(inputs) - 6:,} more" if len(inputs) > 6 else "")),
        ("by run", str(manifest.get("run"))),
        ("with", ", ".join(f"{name} {version}" for name, version in manifest.get("made_with", {}).items())),
        ("contract", manifest["contract"]["version"]),
        *(
            ("rewritten", f"{one['when']}: {len(one['ids'])} forgotten, {one['reason']}")
            for one in manifest.get("rewritten", [])
        ),
    ]
    return [(label, text) for label, text in facts if text]


def verify(root: Path, pipeline: str | None, *, json: bool) -> None:
    """Hash everything again; the status is 1 where a file is not as it was published."""
    lake = Lake(root)
    names = [history.only_pipeline(lake, pipeline)] if pipeline else history.folders(lake)
    if not names and not lake.raw.is_dir():  # a mistyped --lake must not pass for a whole one
        raise LakeError(f"there is nothing to verify in {root}; give the lake with --lake DIR")
    checked = Checked()
    sources: set[str] = set()
    for name in names:
        for manifest in verify_pipeline(lake, name, checked):
            sources |= {one["raw"] for one in manifest.get("inputs", []) if "raw" in one}
        _verify_tokenizers(lake, name, checked)
    _verify_models(lake, pipeline, checked)
    if (lake.root / FORGOTTEN).is_file():
        checked.json(lake.root / FORGOTTEN, {"of": "tombstones", "name": FORGOTTEN})
    verify_raw(lake, checked, sources if pipeline else None)
    if json:
        problems = [asdict(problem) for problem in checked.problems]
        show.as_json({"files": checked.files, "bytes": checked.bytes, "problems": problems})
    else:
        _print_checked(checked)
    if checked.problems:
        raise typer.Exit(1)


def _print_checked(checked: Checked) -> None:
    console = show.console(stderr=bool(checked.problems))
    for problem in checked.problems[:_SHOWN]:
        show.plain(console, str(problem))
    if checked.problems:
        more = f" ({len(checked.problems) - _SHOWN:,} are not shown)" if len(checked.problems) > _SHOWN else ""
        console.print(
            f"{len(checked.problems):,} of {checked.files:,} files are not as published{more}. "
            "Restore them from a copy, or remove their version's folder and run `textmill run` again.",
            soft_wrap=True,
        )
    else:
        console.print(f"{checked.files:,} files are as published; {amount(checked.bytes, 0, 'B')} hashed.")


def _verify_tokenizers(lake: Lake, pipeline: str, checked: Checked) -> None:
    """A tokenizer's folder is named by its content."""
    from data.hashing import sha256_file
    from pipelines import tokenise

    home = lake.tokenizers / pipeline
    for path in sorted(home.glob("*/tokenizer.json")) if home.is_dir() else ():
        about = {"of": "tokenizer", "name": "tokenizer", "version": path.parent.name, "pipeline": pipeline}
        text = path.read_bytes().decode("utf-8", "replace")
        whole = tokenise.fingerprint(text) == path.parent.name
        checked.file(path, sha256_file(path) if whole else "", about)


def _verify_models(lake: Lake, pipeline: str | None, checked: Checked) -> None:
    from models.registry import CARD, Registry

    registry = Registry(lake.models)
    for name in registry.names():
        if pipeline is not None and not name.startswith(f"{pipeline}-"):
            continue
        for version in registry.versions(name):
            about = {"of": "model", "name": name, "version": version}
            card = checked.json(lake.models / name / version / CARD, about)
            for file, promised in card["files"].items() if card else ():
                checked.file(lake.models / name / version / file, promised["sha256"], about)


def get_rows(root: Path, pipeline: str | None, dataset: str, doc_id: str) -> None:
    """Rows of one document of the published release. Raises NotFoundError naming the reason if it was rejected."""
    from data.release import open_release

    lake = Lake(root)
    for row in open_release(lake, history.only_pipeline(lake, pipeline)).get(doc_id, dataset):
        show.as_json_line(row)
