"""Where a document stands in a version: by the ranges of the parts, then by the id columns, never by the texts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from data.contracts import CONTRACTS
from data.lake import Lake
from data.parts import may_hold
from data.tables import column_names, read


def key_column(dataset: str) -> str | None:
    """The column whose values name the documents or labelled rows of a dataset; None where none does."""
    contract = CONTRACTS.get(dataset)
    if contract is None:
        return None
    names = {column.name for column in contract.columns}
    return next((name for name in ("doc_id", "row_id") if name in names), None)


def holding(
    lake: Lake, manifest: Mapping[str, Any], ids: Collection[str], *, rejects: bool = False
) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """The parts of a version that hold some of the ids, each with those; with `rejects` those that rejected them."""
    import polars as pl

    column = "doc_id" if rejects else key_column(manifest["dataset"])
    folder = lake.version(manifest["pipeline"], manifest["dataset"], manifest["version"])
    for part in manifest["parts"] if column else ():
        name = part["rejects_file"] if rejects else part["file"]
        wanted = sorted(one for one in ids if rejects or may_hold(part, str(column), one))
        if not name or not wanted:
            continue
        found = read(folder / name, [str(column)])[str(column)]
        if held := sorted(found.filter(found.is_in(pl.Series(wanted, dtype=pl.String).implode())).unique().to_list()):
            yield part, held


def holding_named(
    lake: Lake, manifest: Mapping[str, Any], ids: Collection[str], *, rejects: bool = False
) -> list[tuple[dict[str, Any], list[str]]]:
    """The same by the names that people use: a row of a labelled set is called `<source>:<row_id>`."""
    if key_column(manifest["dataset"]) == "doc_id" or rejects:
        return list(holding(lake, manifest, ids, rejects=rejects))
    sources = {one["raw"] for one in manifest["inputs"] if "raw" in one}
    native = {one.partition(":")[2]: one for one in ids if one.partition(":")[0] in sources}
    return [(part, [native[one] for one in mine]) for part, mine in holding(lake, manifest, native)]


def origins(lake: Lake, manifest: Mapping[str, Any], doc_id: str) -> list[str]:
    """Files and places in them that a document of `documents` came from, also where it was rejected on reading.

    Versions of before contract 1.1 do not tell of documents that they keep.
    """
    import polars as pl

    folder = lake.version(manifest["pipeline"], manifest["dataset"], manifest["version"])
    found: dict[str, None] = {}
    for refused in (False, True):
        for part, _ in holding(lake, manifest, {doc_id}, rejects=refused):
            path = folder / part["rejects_file" if refused else "file"]
            if "origin" in column_names(path):
                frame = read(path, ["doc_id", "origin"]).filter(pl.col("doc_id") == doc_id)
                found.update(dict.fromkeys(frame["origin"].drop_nulls()))
    return list(found)


def rejected(lake: Lake, manifest: Mapping[str, Any], ids: Collection[str]) -> dict[str, tuple[str, str, str | None]]:
    """Stage, reason and detail for those of the ids that a version rejected."""
    import polars as pl

    folder = lake.version(manifest["pipeline"], manifest["dataset"], manifest["version"])
    wanted = pl.Series(list(ids), dtype=pl.String).implode()
    found: dict[str, tuple[str, str, str | None]] = {}
    for part in manifest["parts"]:
        if not part["rejects_file"]:
            continue
        frame = read(folder / part["rejects_file"], ["doc_id", "stage", "reason", "detail"])
        for doc_id, stage, reason, detail in frame.filter(pl.col("doc_id").is_in(wanted)).iter_rows():
            found.setdefault(doc_id, (stage, reason, detail))
    return found


def ancestors(lake: Lake, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Manifests of all versions that one was made from, itself first, without those that are gone."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    waiting = [dict(manifest)]
    while waiting:
        one = waiting.pop(0)
        if (one["dataset"], one["version"]) in found:
            continue
        found[one["dataset"], one["version"]] = one
        named = [source for source in one.get("inputs", ()) if "dataset" in source]
        parents = (lake.manifest(one["pipeline"], source["dataset"], source["version"]) for source in named)
        waiting += [parent for parent in parents if parent]
    return list(found.values())
