"""The same rows as JSON Lines, CSV and Parquet are the same records."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources import read

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ROW = st.fixed_dictionaries(
    {"text": TEXT | st.sampled_from(["same", "a\nb", '"', ",", "\r"])},
    optional={"id": st.none() | TEXT | st.sampled_from(["1", "x"]), "title": TEXT, "url": TEXT, "extra": TEXT},
)
COLUMNS = ("text", "id", "title", "url", "extra")


def write_all(folder: Path, rows: list[dict[str, Any]]) -> list[Path]:
    paths = [folder / f"a.{ending}" for ending in ("jsonl", "csv", "parquet")]
    paths[0].write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with paths[1].open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), paths[2])
    return paths


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=6))
def test_same_rows_are_same_records(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    found = []
    for path in write_all(tmp_path_factory.mktemp("rows"), rows):
        records = list(read(path, source="s"))
        found.append([(r.doc_id, r.text, r.title, r.url, r.reject and r.reject.reason, r.n_chars) for r in records])
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == len(rows)
