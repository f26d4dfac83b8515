"""Small lakes for tests: dataset versions with a few documents, releases that name them, models made from them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from data import files
from data.contracts import CONTRACTS
from data.hashing import fingerprint
from data.lake import Lake
from data.sealing import seal
from data.versions import Build

PIPELINE = "wiki"
RAW = [{"raw": "wiki", "file": "wiki.xml.bz2", "sha256": "ab" * 32}]
Part = Mapping[str, str]
"""Texts by doc_id."""


def rows(dataset: str, part: Part) -> pa.Table:
    """The columns of a dataset that these tests look at."""
    ids, texts = list(part), list(part.values())
    if dataset == "entities":
        surfaces = [(doc_id, word) for doc_id, text in part.items() for word in text.split()]
        return pa.table({"doc_id": [one for one, _ in surfaces], "surface": [word for _, word in surfaces]})
    if dataset.startswith("labelled"):
        native = [one.partition(":")[2] for one in ids]
        return pa.table({"row_id": native, "text": texts, "source": [one.partition(":")[0] for one in ids]})
    if dataset == "summaries":
        return pa.table({"doc_id": ids, "summary": texts})
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    sources = [one.partition(":")[0] for one in ids]
    return pa.table(
        {
            "doc_id": ids,
            "source": sources,
            "url": [f"https://wiki.example/{one}" for one in ids],
            "text": texts,
            "text_sha256": hashes,
        },
        schema=pa.schema([(name, pa.string()) for name in ("doc_id", "source", "url", "text", "text_sha256")]),
    )


def rejected(found: Mapping[str, tuple[str, str]]) -> pa.Table:
    """Rejects of (stage, reason) by doc_id."""
    made = [
        {"doc_id": one, "source": one.partition(":")[0], "origin": f"wiki.xml.bz2#page={one.partition(':')[2]}"}
        | {"stage": stage, "kind": "filtered", "reason": reason, "detail": None, "n_chars": 7}
        for one, (stage, reason) in found.items()
    ]
    return pa.Table.from_pylist(made, schema=CONTRACTS["rejects"].schema)


def put(
    lake: Lake,
    dataset: str,
    version: str,
    parts: Sequence[Part],
    *,
    inputs: Sequence[Mapping[str, Any]] = (),
    rejects: Mapping[str, tuple[str, str]] | None = None,
    pipeline: str = PIPELINE,
    file: str = "wiki.xml.bz2",
) -> dict[str, Any]:
    """Publish a version; the rejects are those of its first part, `file` is what all tell. Returns the manifest."""
    target = Build(lake, pipeline, CONTRACTS[dataset], version)
    made = []
    for index, part in enumerate(parts):
        refused = rejected(rejects or {}) if not index else rejected({})
        reasons = [reason for _, reason in (rejects or {}).values()] if not index else []
        counts = {
            "in": len(part) + len(reasons),
            "kept": len(part),
            "filtered": {reason: reasons.count(reason) for reason in reasons},
            "failed": {},
        }
        table = rows(dataset, part)
        counts |= {"rows": table.num_rows} if table.num_rows != len(part) else {}
        key = fingerprint([dataset, dict(part), sorted(reasons)])
        drafted = target.find(index, key) or target.write(
            index, key, table, counts=counts, rejects=refused, facts={"file": file}
        )
        made.append(drafted)
    return target.commit(made, {"inputs": [dict(one) for one in inputs], "config": {}, "run": "r", "validation": []})


def ref(dataset: str, version: str) -> dict[str, Any]:
    """An input that names a version."""
    return {"dataset": dataset, "version": version, "rows": 0, "reused": False}


def chain(lake: Lake, version: str, parts: Sequence[Part], **options: Any) -> None:
    """Documents, candidates, duplicates, corpus and entities of the same texts, all called `version`."""
    put(lake, "documents", version, parts, inputs=RAW, **options)
    put(lake, "candidates", version, parts, inputs=[ref("documents", version)])
    put(lake, "duplicates", version, [{}], inputs=[ref("candidates", version)])
    put(lake, "corpus", version, parts, inputs=[ref("candidates", version), ref("duplicates", version)])
    put(
        lake,
        "entities",
        version,
        parts,
        inputs=[ref("corpus", version), {"model": "wiki-entities", "version": "v000001"}],
    )


def release(lake: Lake, version: str, *, when: str = "2026-01-01T00:00:00+00:00", **models: Any) -> None:
    """Publish the chain of a version."""
    names = ("documents", "duplicates", "corpus", "entities")
    content = {"datasets": dict.fromkeys(names, version), "models": models, "published": when, "seconds": 60}
    lake.publish(PIPELINE, content)


def card(lake: Lake, name: str, version: str, lineage: Mapping[str, Any], key: str = "k") -> dict[str, Any]:
    """Write the card of a model."""
    content = seal(
        {"name": name, "version": version, "kind": name.partition("-")[2], "lineage": dict(lineage)}
        | {"training_key": key, "files": {}, "config": {}, "created": "", "code": ""}
    )
    files.write_json(lake.models / name / version / "model.json", content)
    return content
