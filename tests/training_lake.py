"""A lake with a release of twenty small documents, their tokens and a tokenizer."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa

from data import files
from data.contracts import CONTRACTS
from data.lake import Lake
from data.versions import Build
from pipelines import tokenise

TITLES = {f"wiki:{number}": f"Subject {number}" for number in range(40)}


def text_of(title: str) -> str:
    return f"{title} is a thing.\nIt has parts of all sorts. Nobody knows how many there are."


def corpus_lake(folder: Path, *, labelled: bool = False) -> Lake:
    """The lake; its pipeline is `wiki`, all versions are `v1`. With `labelled` it has four labelled sentences."""
    lake = Lake(folder / "lake")
    texts = {doc_id: text_of(title) for doc_id, title in TITLES.items()}
    tokenizer = tokenise.train_tokenizer(texts.values(), config=tokenise.TokeniserConfig(vocab_size=300))
    name = tokenise.fingerprint(tokenizer)
    files.write_bytes(lake.tokenizers / "wiki" / name / "tokenizer.json", tokenizer.encode())
    loaded = tokenise.load(tokenizer)
    ids = [loaded.encode(text).ids for text in texts.values()]
    _put(lake, "corpus", {"doc_id": list(texts), "title": list(TITLES.values()), "text": list(texts.values())}, [])
    tokens = {"doc_id": list(texts), "input_ids": ids, "n_tokens": [len(row) for row in ids]}
    _put(lake, "tokens", tokens, [{"tokenizer": name}])
    datasets = ["corpus", "tokens"]
    if labelled:
        datasets.append("labelled_spans")
        _put(lake, "labelled_spans", _sentences(), [])
    lake.publish("wiki", {"datasets": dict.fromkeys(datasets, "v1"), "models": {}})
    return lake


def publish_without(lake: Lake, doc_id: str, version: str) -> None:
    """Release a version of corpus and tokens that never held a document."""
    for dataset in ("corpus", "tokens"):
        before = lake.manifest("wiki", dataset, "v1") or {}
        frame = pl.read_parquet(lake.version("wiki", dataset, "v1") / before["parts"][0]["file"])
        columns = frame.filter(pl.col("doc_id") != doc_id).to_dict(as_series=False)
        _put(lake, dataset, columns, before["inputs"], version)
    lake.publish("wiki", {"datasets": {"corpus": version, "tokens": version}, "models": {}})


def _sentences() -> dict[str, list[object]]:
    spans = [{"start": 5, "end": 10, "type": "PART"}]
    return {
        "row_id": ["a", "b", "c", "d"],
        "text": ["good parts", "no part", "poor parts", "many parts"],
        "spans": [spans, [], spans, spans],
        "split": ["train", "train", "train", "validation"],
        "source": ["made"] * 4,
    }


def _put(
    lake: Lake, dataset: str, columns: dict[str, list[object]], inputs: list[dict[str, str]], version: str = "v1"
) -> None:
    contract = CONTRACTS[dataset]
    schema = pa.schema([field for field in contract.schema if field.name in columns])
    table = pa.table(columns, schema=schema)
    target = Build(lake, "wiki", contract, version)
    counts = {"in": table.num_rows, "kept": table.num_rows, "filtered": {}, "failed": {}}
    empty = CONTRACTS["rejects"].schema.empty_table()
    part = target.write(0, dataset, table, counts=counts, rejects=empty)
    target.commit([part], {"inputs": inputs, "config": {}, "run": "r", "validation": []})
