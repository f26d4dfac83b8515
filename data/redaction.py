"""Take documents out of a part: its rows go, and what is left still accounts for every record.

In `documents`, and in labelled sets, a forgotten document becomes a reject; what was made of these never read it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data import files
from data.contracts import CONTRACTS
from data.forgotten import REASON, forgotten
from data.hashing import fingerprint
from data.lake import MANIFEST, Lake
from data.parts import may_hold
from data.rows import key_column
from data.sealing import seal
from data.tables import arrow_batches
from data.tables import table as read_table
from data.versions import Build, Part, add_counts

FACT = "forgotten"
"""The fact of a part that tells which key it has without the forgetting, and which ids are out."""
FIRST = ("documents", "labelled_text", "labelled_spans")
"""Datasets that read sources: here a forgotten document is rejected."""
_LEFT = ("rejects", "duplicates", "metrics")
"""Datasets that hold ids and reasons at the most."""


def is_rewritten(dataset: str) -> bool:
    """Whether rows of a dataset hold a text, or something made of it."""
    return key_column(dataset) is not None and dataset not in _LEFT


def held(folder: Path, part: Part, dataset: str, ids: Collection[str]) -> list[str]:
    """Those of the ids that a part holds, or that it rejected for another reason, sorted."""
    found = _kept(folder, part, dataset, ids)
    if dataset == "documents" and part.rejects_file:
        table = read_table(folder / part.rejects_file, columns=["doc_id", "reason"])
        mine = table.filter(pc.is_in(table["doc_id"], pa.array(sorted(ids), pa.string())))
        found |= set(mine.filter(pc.not_equal(mine["reason"], REASON))["doc_id"].to_pylist())
    return sorted(found)


def taken_out(lake: Lake, manifest: dict[str, Any]) -> list[str]:
    """Ids that were forgotten since a version was made: it holds them, or held them before it was rewritten; sorted."""
    ids = set(forgotten(lake, manifest["pipeline"]))
    if not ids:
        return []
    folder = lake.version(manifest["pipeline"], manifest["dataset"], manifest["version"])
    found = {one for entry in manifest.get("rewritten", ()) for one in entry["ids"]}
    for part in manifest["parts"]:
        found |= _kept(folder, Part(**part), manifest["dataset"], ids)
    return sorted(found & ids)


def _kept(folder: Path, part: Part, dataset: str, ids: Collection[str]) -> set[str]:
    column = str(key_column(dataset))
    if not any(may_hold(vars(part), column, _native(dataset, one)) for one in ids):
        return set()
    names = [column, "source"] if column == "row_id" else [column]
    found = _ids(read_table(folder / part.file, columns=names), dataset)
    return set(pc.unique(found).to_pylist()) & set(ids)


def _native(dataset: str, one: str) -> str:
    """An id as it stands in the key column."""
    return one if key_column(dataset) == "doc_id" else one.partition(":")[2]


def _ids(table: pa.Table, dataset: str) -> pa.ChunkedArray:
    """Ids of the rows; a labelled row is `<source>:<row_id>`."""
    if key_column(dataset) == "doc_id":
        return table["doc_id"]
    return pc.binary_join_element_wise(table["source"], table["row_id"], ":")


def redacted(target: Build, folder: Path, part: Part, ids: Collection[str]) -> Part:
    """Draft of a part of `folder` without these ids, in the folder of the build, under a key that holds which.

    Facts tell the key it came from, so that the next version finds it; where there were ids out before, all of them.
    """
    dataset = target.contract.name
    before = part.facts.get(FACT, {"base": part.key, "ids": []})
    out = sorted({*before["ids"], *ids})
    rejects = read_table(folder / part.rejects_file) if part.rejects_file else None
    lost: list[pa.Table] = []
    with target.opened(part.index, key_without(before["base"], out)) as (new, finish):
        for table in arrow_batches(folder / part.file):
            mask = pc.is_in(_ids(table, dataset), pa.array(sorted(ids), pa.string()))
            new.add(table.filter(pc.invert(mask)))
            lost.append(table.filter(mask))
        gone = pa.concat_tables(lost)
        counts, refused = (
            _accounts(dataset, part, gone, rejects, ids) if dataset in FIRST else (_less(part, gone, dataset), rejects)
        )
        if refused is not None:
            new.reject(refused)
        made = finish(counts)
    facts = {**part.facts, FACT: {"base": before["base"], "ids": out}}
    return replace(made, facts=facts)


def key_without(base: str, ids: list[str]) -> str:
    """Key of a part without some ids."""
    return fingerprint([base, REASON, ids])


def _less(part: Part, lost: pa.Table, dataset: str) -> dict[str, Any]:
    """Counts of a part whose documents never came in."""
    documents = len(pc.unique(_ids(lost, dataset)))
    counts = {**part.counts, "in": part.counts["in"] - documents, "kept": part.counts["kept"] - documents}
    return {**counts, "rows": part.counts["rows"] - lost.num_rows} if "rows" in counts else counts


def _accounts(
    dataset: str, part: Part, lost: pa.Table, rejects: pa.Table | None, ids: Collection[str]
) -> tuple[dict[str, Any], pa.Table]:
    """Counts, and rejects with a row for each forgotten record in place of any that it had."""
    schema = CONTRACTS["rejects"].schema if rejects is None else rejects.schema
    refused = schema.empty_table() if rejects is None else rejects
    mine = pc.fill_null(pc.is_in(refused["doc_id"], pa.array(sorted(ids), pa.string())), False)
    counts = {**part.counts, "kept": part.counts["kept"] - lost.num_rows}
    counts |= {kind: dict(part.counts[kind]) for kind in ("filtered", "failed")}
    replaced = refused.filter(mine).to_pylist()
    for row in replaced:
        counts[row["kind"]][row["reason"]] -= 1
        if not counts[row["kind"]][row["reason"]]:
            del counts[row["kind"]][row["reason"]]
    rows = [_reject(row["doc_id"], row["source"], row["origin"]) for row in replaced]
    rows += [_reject(one, source, origin or _origin(part, one)) for one, source, origin in _named(lost, dataset)]
    counts["filtered"][REASON] = counts["filtered"].get(REASON, 0) + len(rows)
    added = pa.Table.from_pylist(rows, schema=schema)
    return counts, pa.concat_tables([refused.filter(pc.invert(mine)), added]).combine_chunks()


def _named(lost: pa.Table, dataset: str) -> list[tuple[str, str, str | None]]:
    """Id, source and, where the rows tell it, origin of each row."""
    origins = lost["origin"].to_pylist() if "origin" in lost.column_names else [None] * lost.num_rows
    return list(zip(_ids(lost, dataset).to_pylist(), lost["source"].to_pylist(), origins, strict=True))


def _origin(part: Part, doc_id: str) -> str:
    """Where the record stood: the file that the part tells, and its id there."""
    source, _, native = doc_id.partition(":")
    return f"{part.facts.get('file', source)}#page={native}"


def _reject(doc_id: str, source: str, origin: str) -> dict[str, Any]:
    return {
        "doc_id": doc_id,
        "source": source,
        "origin": origin,
        "stage": "extract",
        "kind": "filtered",
        "reason": REASON,
        "detail": None,
        "n_chars": None,
    }


def rewrite_version(lake: Lake, manifest: dict[str, Any], ids: Collection[str], entry: dict[str, Any]) -> int:
    """Take documents out of a published version, in place; returns the number of its parts that were rewritten.

    New parts come first, then one replacement of the manifest, whose `rewritten` gets the entry, then the old parts go.
    Killed anywhere, the version is whole, and the same call finishes the work.
    """
    dataset, version = manifest["dataset"], manifest["version"]
    folder = lake.version(manifest["pipeline"], dataset, version)
    target = Build(lake, manifest["pipeline"], CONTRACTS[dataset], version)
    parts = [Part(**one) for one in manifest["parts"]]
    new = {
        number: _moved(target, folder, part, mine)
        for number, part in enumerate(parts)
        if (mine := held(folder, part, dataset, ids))
    }
    if new:
        parts = [new.get(number, part) for number, part in enumerate(parts)]
        replace_manifest(lake, manifest, parts, entry)
    drop_strays(folder, parts)
    return len(new)


def _moved(target: Build, folder: Path, part: Part, ids: list[str]) -> Part:
    """The redacted part, its files in the folder of the version under names of their own."""
    made = redacted(target, folder, part, ids)
    for name in (made.file, made.rejects_file) if target.folder != folder else ():
        if name:
            files.link(target.folder / name, folder / name)
    return made


def replace_manifest(lake: Lake, manifest: dict[str, Any], parts: list[Part], entry: dict[str, Any]) -> None:
    """Put a manifest with other parts in the place of one, in one step."""
    folder = lake.version(manifest["pipeline"], manifest["dataset"], manifest["version"])
    changed = {
        "rows": sum(part.rows for part in parts),
        "bytes": sum(part.bytes for part in parts),
        "counts": add_counts([part.counts for part in parts]),
        "parts": [asdict(part) for part in parts],
        "rewritten": [*manifest.get("rewritten", []), entry],
    }
    files.write_json(folder / MANIFEST, seal({**manifest, **changed}))


def drop_strays(folder: Path, parts: list[Part]) -> None:
    """Remove the Parquet files that no part names: of a rewriting, the old ones."""
    wanted = {part.file for part in parts} | {part.rejects_file for part in parts}
    for path in [*folder.glob("*.parquet"), *folder.glob("*/*.parquet")]:
        name = path.name if path.parent == folder else f"{path.parent.name}/{path.name}"
        if name not in wanted:
            path.unlink(missing_ok=True)


def rewrite_rejects(lake: Lake, manifest: dict[str, Any], entry: dict[str, Any]) -> int:
    """Let a version of `rejects` link the reject files that its stages have now; returns the number of new ones."""
    folder = lake.version(manifest["pipeline"], "rejects", manifest["version"])
    target = Build(lake, manifest["pipeline"], CONTRACTS["rejects"], manifest["version"])
    known = {part["key"]: Part(**part) for part in manifest["parts"]}
    parts: list[Part] = []
    for source in manifest["inputs"]:
        stage = lake.manifest(manifest["pipeline"], source["dataset"], source["version"])
        if stage is None:
            return 0
        home = lake.version(manifest["pipeline"], source["dataset"], source["version"])
        for part in stage["parts"]:
            if part["rejects_file"]:
                key = fingerprint([source["dataset"], part["key"]])
                parts.append(
                    replace(known[key], index=len(parts))
                    if key in known
                    else _adopted(target, home, part, key=key, index=len(parts))
                )
    new = sum(part.key not in known for part in parts)
    if new:
        replace_manifest(lake, manifest, parts, entry)
    drop_strays(folder, parts if new else list(known.values()))
    return new


def _adopted(target: Build, home: Path, part: dict[str, Any], *, key: str, index: int) -> Part:
    rows = sum(sum(part["counts"][kind].values()) for kind in ("filtered", "failed"))
    made = target.adopt(index, key, home / part["rejects_file"], rows=rows, sha256=part["rejects_sha256"])
    folder = target.lake.version(target.pipeline, target.contract.name, target.version)
    if target.folder != folder:
        files.link(target.folder / made.file, folder / made.file)
    return made
