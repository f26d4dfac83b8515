"""Every model of the catalogue, from a release or a file to a registered artefact that its family loads again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from training_lake import corpus_lake

from data.lake import Lake
from flows.training.order import Order
from flows.training.running import Result, run
from models import fitting
from models.catalogue import FAMILIES, family
from models.registry import Registry
from models.text_family import TextFamily

_STEPS = {"steps": 3, "batch_size": 2, "validate_every": 3, "validation_batches": 2, "costs": False}
_TRANSFORMER = {**_STEPS, "width": 16, "heads": 2, "context": 16}
TINY: dict[str, dict[str, Any]] = {
    "bow": {},
    "word2vec": {"dim": 8, "epochs": 1, "min_count": 1},
    "fasttext": {"dim": 8, "epochs": 1, "min_count": 1, "buckets": 100},
    "glove": {"dim": 8, "epochs": 1, "min_count": 1},
    "gpt": {**_TRANSFORMER, "layers": 1},
    "bert": {**_TRANSFORMER, "layers": 1},
    "bert-classifier": {**_TRANSFORMER, "layers": 1},
    "bert-tagger": {**_TRANSFORMER, "layers": 1},
    "bert-pair": {**_TRANSFORMER, "layers": 1},
    "rnn-seq2seq": {**_STEPS, "width": 8, "embedding_width": 8},
    "transformer-seq2seq": {**_STEPS, "width": 16, "heads": 2, "layers": 1},
    "text-vae": {**_STEPS, "context": 8, "width": 8, "encoder_width": 8, "embedding": 8, "latent": 2},
    "text-gan": {**_STEPS, "context": 8, "width": 8, "embedding": 8, "likelihood_steps": 1, "judge_steps": 1},
}


def trained(lake: Lake, model: str, options: dict[str, Any], data: str | None = None) -> Result:
    order = Order(lake=lake, model=model, options=options, data=data)
    return run(order, created="2026-01-01T00:00:00+00:00")


def labelled(folder: Path) -> str:
    spans = [[{"start": 5, "end": 10, "type": "PART"}], []]
    rows = {"text": ["good parts", "bad parts"] * 5, "label": ["good", "bad"] * 5, "spans": spans * 5}
    path = folder / "labelled.jsonl"
    pl.DataFrame({**rows, "split": ["train"] * 8 + ["validation"] * 2}).write_ndjson(path)
    return str(path)


def check(result: Result, model: str) -> None:
    for file in ("card.md", "report.html", "history.json", "scores.json"):
        assert (result.path / file).stat().st_size
    found = family(model)
    assert found.load(result.path) is not None
    if not isinstance(found, TextFamily):
        assert result.scores
        assert json.loads((result.path / "artefact.json").read_text("utf-8"))["family"] == model
        assert fitting.load(result.path) is not None
    assert not [path for path in result.path.rglob("*") if path.suffix in {".pkl", ".pt", ".bin"}]


def test_a_tiny_configuration_is_known_of_each() -> None:
    assert TINY.keys() == FAMILIES.keys()


@pytest.mark.parametrize("model", TINY)
def test_every_family_trains_from_a_release_or_a_file(tmp_path: Path, model: str) -> None:
    lake = corpus_lake(tmp_path)
    data = labelled(tmp_path) if family(model).needs in {("text", "label"), ("text", "spans")} else None
    result = trained(lake, model, TINY[model], data)
    check(result, model)
    assert Registry(lake.models).load(result.model, "candidate").version == "v000001"
    assert trained(lake, model, TINY[model], data).reused


@pytest.mark.parametrize("model", TINY)
def test_documentation_tells_of_every_family(model: str) -> None:
    assert f"`{model}`" in (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf-8")
