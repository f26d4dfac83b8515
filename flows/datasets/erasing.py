"""Take documents out of what the lake keeps: versions, raw files, reports; killed anywhere, the same call goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from data import files
from data.catalogue import Source, catalogue
from data.hashing import sha256_file
from data.history import datasets
from data.lake import Lake
from data.redaction import is_rewritten, rewrite_rejects, rewrite_version
from data.retention import remains, remove
from data.rows import holding
from data.splits import row_id_of
from data.tables import read
from flows.recipe import Recipe
from flows.stages.forgotten import dump_name
from pipelines import sources
from pipelines.sources import erasure
from pipelines.sources.config import SourceConfig
from pipelines.sources.folders import Entry

Row = dict[str, Any]
_LABELLED = ("labelled_text", "labelled_spans")
_NOTICE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Report removed</title>
<p>This report showed a document that was taken out of the lake on {when}. The next run writes a new one.</p></html>
"""


def erase_versions(lake: Lake, pipeline: str, ids: Collection[str], entry: Row) -> list[Row]:
    """Rewrite every version of a pipeline that holds one of the ids; the rejects follow their stages."""
    done = [
        {"pipeline": pipeline, "dataset": dataset, "version": manifest["version"], "parts": parts}
        for dataset in filter(is_rewritten, datasets(lake, pipeline))
        for manifest in lake.manifests(pipeline, dataset)
        if (parts := rewrite_version(lake, manifest, ids, entry))
    ]
    for manifest in lake.manifests(pipeline, "rejects"):
        rewrite_rejects(lake, manifest, entry)
    lake.sweep(pipeline)
    for folder in () if lake.is_remote else remains(lake, pipeline):  # in a store another machine may be building
        remove(folder)
    return done


def shown_texts(lake: Lake, pipeline: str, ids: Collection[str]) -> set[str]:
    """What a report shows of documents: their addresses and their summaries in every version."""
    found: set[str] = set()
    for dataset, column in (("documents", "url"), ("summaries", "summary")):
        for manifest in lake.manifests(pipeline, dataset):
            folder = lake.version(pipeline, dataset, manifest["version"])
            for part, mine in holding(lake, manifest, ids):
                frame = read(folder / part["file"], ["doc_id", column])
                found |= {text for doc_id, text in frame.iter_rows() if doc_id in mine and text}
    return found


def reports_showing(lake: Lake, texts: Collection[str]) -> list[Path]:
    """Pages of reports in which one of the texts stands."""
    from markupsafe import escape

    wanted = {text for each in texts for text in (each, str(escape(each)))}
    pages = sorted(lake.reports.glob("*/*.html")) if lake.reports.is_dir() else []
    return [path for path in pages if _shows(path, wanted)]


def _shows(path: Path, wanted: set[str]) -> bool:
    content = path.read_text("utf-8", errors="replace")
    return any(text in content for text in wanted)


def erase_reports(pages: Collection[Path], when: str) -> None:
    """Put a notice in the place of pages."""
    for path in pages:
        files.write_bytes(path, _NOTICE.format(when=when).encode("utf-8"))


def raw_inputs(lake: Lake, pipeline: str) -> dict[tuple[str, bool], list[str]]:
    """Raw files of a pipeline, by their source and whether it is a labelled set."""
    found: dict[tuple[str, bool], dict[str, None]] = {}
    for dataset in ("documents", *_LABELLED):
        for manifest in lake.manifests(pipeline, dataset):
            for one in manifest["inputs"]:
                found.setdefault((one["raw"], dataset in _LABELLED), {})[one["file"]] = None
    return {key: list(names) for key, names in found.items()}


def erase_raw(
    lake: Lake, name: str, names: list[str], ids: Collection[str], *, labelled: bool, recipe: Recipe, when: str
) -> Iterator[Row]:
    """Rewrite the raw files of a source that hold one of the ids, with their sidecars; says what became of each."""
    home = lake.raw / name
    entries = [Entry(one, files.local(home / one)) for one in names if (home / one).is_file()]
    for entry in entries:
        _recover(home, entry)
    plan = _labelled(name, entries, ids) if labelled else _plan(name, entries, ids, recipe)
    for entry, write in plan:
        if row := _swap(home, entry, write, when):
            yield {"source": name, **row}


Writer = Callable[[Path], int]


def _labelled(name: str, entries: list[Entry], ids: Collection[str]) -> Iterator[tuple[Entry, Writer]]:
    """Labelled sets of JSON Lines; a row of another format is left to a person."""
    for entry in entries:
        if not entry.name.endswith((".jsonl", ".ndjson")):
            continue
        lines = enumerate(entry.path.read_text("utf-8").split("\n"), 1)
        if gone := [number for number, line in lines if f"{name}:{_row_id(line)}" in ids]:
            yield entry, partial(_without_lines, entry.path, gone)


def _row_id(line: str) -> str:
    """Id of a labelled row, empty for a line that is none."""
    try:
        return row_id_of(json.loads(line)["text"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _without_lines(path: Path, gone: list[int], target: Path) -> int:
    return erasure.erase_lines(path, target, gone)


def _plan(name: str, entries: list[Entry], ids: Collection[str], recipe: Recipe) -> Iterator[tuple[Entry, Writer]]:
    """How each file is to be rewritten."""
    source = catalogue().get(name, Source(name=name, location=""))
    config = recipe.sources.get(name, SourceConfig())
    reader = config.reader or source.reader or (sources.reader_for(entries) if entries else None)
    if reader == "wikipedia":
        yield from _dumps(name, entries, ids, recipe)
        return
    mine = {one for one in ids if one.partition(":")[0] == name}
    if not mine or not entries:
        return
    reading = {"reader": reader, "options": config.options(source.fields)}
    found = erasure.locate(entries, mine, source=name, reading=reading, max_chars=recipe.page_chars)
    for entry in entries:
        if ranges := found.get(entry.name):
            yield entry, partial(_without_ranges, entry.path, ranges)


def _without_ranges(path: Path, ranges: list[erasure.Range], target: Path) -> int:
    return erasure.erase(path, target, ranges)


def _without_pages(path: Path, pages: set[str], target: Path) -> int:
    return erasure.erase_pages(path, target, pages)


def _dumps(name: str, entries: list[Entry], ids: Collection[str], recipe: Recipe) -> Iterator[tuple[Entry, Writer]]:
    for entry in entries:
        wiki = dump_name(entry.path, name, recipe.page_chars)
        pages = {native for one in ids for source, _, native in [one.partition(":")] if source == wiki}
        if pages:
            yield entry, partial(_without_pages, entry.path, pages)


def _swap(folder: Path, entry: Entry, write: Writer, when: str) -> Row | None:
    """Put a rewritten file in the place of a raw one, and its hash into the sidecars; None where nothing was found."""
    target = folder / entry.name
    before, staged = sha256_file(target), files.temporary(target)
    try:
        found = write(staged)
        facts = {"sha256": sha256_file(staged), "bytes": staged.stat().st_size, "rewritten": when}
        if not found or facts["sha256"] == before:
            return None
        files.write_json(_journal(target), facts)
        files.publish(staged, target)
        _recover(folder, entry)
    finally:
        staged.unlink(missing_ok=True)
    return {"file": entry.name, "records": found, "before": before, "after": facts["sha256"]}


def _journal(target: Path) -> Path:
    return target.with_name(f".{target.name}.erasing.json")


def _recover(folder: Path, entry: Entry) -> None:
    """Bring the sidecars up to a file that was put in place; a kill may have come between."""
    target = folder / entry.name
    if (facts := files.read_json(_journal(target))) is None:
        return
    if sha256_file(target) == facts["sha256"]:
        for path in _sidecars(folder, entry):
            _amend(path, entry.name, facts)
    _journal(target).unlink()


def _sidecars(folder: Path, entry: Entry) -> Iterator[Path]:
    target = folder / entry.name
    beside = (target.with_name(f"{target.name}.json"), target.with_name(f".{target.name}.json"))
    yield from (path for path in chain(beside, sorted(folder.glob("_listing-*.json"))) if path.is_file())


def _amend(path: Path, name: str, facts: Row) -> None:
    content = files.read_json(path)
    listed = content.get("files", [content]) if isinstance(content, dict) else []
    mine = [one for one in listed if isinstance(one, dict) and one.get("path") == name and "sha256" in one]
    for one in mine:
        one.update(facts)
    if mine:
        files.write_json(path, content)
