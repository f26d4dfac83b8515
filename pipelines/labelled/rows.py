"""Examples to the rows of a labelled dataset: split by their text, each text once, and a reason for the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from data.splits import row_id_of, split_of
from pipelines.extract import REJECT_SCHEMA
from pipelines.labelled.records import Example
from pipelines.sources.records import Reject

STAGE = "labels"


@dataclass(frozen=True)
class Found:
    """The rows, sorted by `row_id`, and the rejects, as in the contract `rejects`."""

    frame: pl.DataFrame
    rejects: pl.DataFrame


def rows(examples: Iterable[Example], *, column: str, source: str, schema: pl.Schema) -> Found:
    """Rows with `column` as the examples have it. A text that comes again is rejected, whatever its label."""
    made: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    seen: dict[str, str] = {}
    for example in examples:
        reject = _reject(example, seen)
        if reject:
            rejected.append(_reject_row(example, reject, source))
            continue
        seen[row_id_of(example.text)] = example.origin
        made.append(
            {
                "row_id": row_id_of(example.text),
                "text": example.text,
                column: example.value,
                "split": split_of(example.text),
                "source": source,
            }
        )
    return Found(pl.DataFrame(made, schema=schema).sort("row_id"), pl.DataFrame(rejected, schema=REJECT_SCHEMA))


def _reject(example: Example, seen: dict[str, str]) -> Reject | None:
    if example.reject:
        return Reject(STAGE, example.reject.kind, example.reject.reason, example.reject.detail)
    if not example.text.strip():
        return Reject(STAGE, "filtered", "empty_text")
    first = seen.get(row_id_of(example.text))
    return Reject(STAGE, "filtered", "duplicate_text", f"the text of {first}") if first else None


def _reject_row(example: Example, reject: Reject, source: str) -> dict[str, Any]:
    told = {"stage": reject.stage, "kind": reject.kind, "reason": reject.reason, "detail": reject.detail}
    return {"doc_id": None, "source": source, "origin": example.origin, **told, "n_chars": len(example.text)}
