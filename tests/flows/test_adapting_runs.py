"""Trainings that begin with the weights of another: continued, fine-tuned, with frozen bodies or adapters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from training_lake import corpus_lake

from data.errors import ConfigError
from data.lake import Lake
from flows.training.order import Order
from flows.training.running import Result, run
from models.registry import RegistryError
from models.weights import WeightsError

SIZES = {"width": 16, "layers": 1, "heads": 2, "context": 8}
STEPS = {"steps": 3, "batch_size": 2, "validate_every": 3}


def done(lake: Lake, model: str, **given: Any) -> Result:
    options = {**STEPS, **given.pop("options", {})}
    return run(Order(lake=lake, model=model, options=options, **given), created="2026-01-01T00:00:00+00:00")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return corpus_lake(tmp_path)


@pytest.fixture
def gpt(lake: Lake) -> Result:
    return done(lake, "gpt", options=SIZES)


def tensors(result: Result) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(result.path / "model.safetensors")
    return found


def changed(before: Result, after: Result) -> set[str]:
    first, second = tensors(before), tensors(after)
    assert first.keys() == second.keys()
    return {name for name in first if not torch.equal(first[name], second[name])}


def texts(folder: Path, **columns: list[Any]) -> str:
    path = folder / "rows.parquet"
    pl.DataFrame({**columns, "split": ["train"] * 6 + ["validation"] * 2}).write_parquet(path)
    return str(path)


def test_training_goes_on_with_other_data_and_the_same_tokenizer(lake: Lake, gpt: Result, tmp_path: Path) -> None:
    data = texts(tmp_path, text=[f"It has parts and {n} more" for n in range(8)])
    after = done(lake, "gpt", start="wiki-gpt", data=data)
    assert (after.path / "tokenizer.json").read_bytes() == (gpt.path / "tokenizer.json").read_bytes()
    assert changed(gpt, after) == set(tensors(gpt))
    assert after.model == "rows-gpt"


def test_a_frozen_body_stays_as_it_was(lake: Lake, gpt: Result) -> None:
    after = done(lake, "gpt", start="wiki-gpt", options={"adapt": "frozen", "learn": ["norm.*"]})
    assert changed(gpt, after) == {"norm.weight"}


def test_adapters_are_kept_apart_and_merged(lake: Lake, gpt: Result) -> None:
    options = {"adapt": "lora", "lora_rank": 2, "lora_targets": ["*.attention.*"], "learning_rate": 0.1}
    after = done(lake, "gpt", start="wiki-gpt:v000001", options=options)
    assert changed(gpt, after) == {name for name in tensors(gpt) if ".attention." in name and name.endswith("weight")}
    assert (after.path / "adapters.safetensors").is_file()


def test_a_classifier_begins_with_the_encoder_of_bert(lake: Lake, tmp_path: Path) -> None:
    bert = done(lake, "bert", options=SIZES)
    data = texts(tmp_path, text=["good parts", "bad parts"] * 4, label=["good", "bad"] * 4)
    after = done(lake, "bert-classifier", start="wiki-bert@candidate", data=data, options={"learning_rate": 1e-9})
    first, second = tensors(bert), tensors(after)
    shared = [name for name in first if name.startswith("encoder.")]
    assert shared
    assert all(torch.allclose(first[name], second[name], atol=1e-6) for name in shared)


HEADS: dict[str, dict[str, list[Any]]] = {
    "bert-classifier": {"text": ["good parts", "bad parts"] * 4, "label": ["good", "bad"] * 4},
    "bert-tagger": {"tokens": [["good", "parts"]] * 8, "tags": [["O", "B-PART"]] * 8},
    "bert-pair": {"first": ["good", "bad"] * 4, "second": ["parts"] * 8, "label": ["good", "bad"] * 4},
}


@pytest.mark.parametrize(
    ("model", "adapt"),
    [
        ("bert-tagger", "full"),
        ("bert-tagger", "frozen"),
        ("bert-tagger", "lora"),
        ("bert-pair", "frozen"),
        ("bert-classifier", "lora"),
    ],
)
def test_a_new_head_learns_whatever_becomes_of_the_encoder(lake: Lake, tmp_path: Path, model: str, adapt: str) -> None:
    done(lake, "bert", options=SIZES)
    data, options = texts(tmp_path, **HEADS[model]), {"adapt": adapt, "lora_rank": 2}
    still, learnt = (
        done(lake, model, start="wiki-bert", data=data, options={**options, "learning_rate": rate})
        for rate in (1e-30, 0.01)
    )
    moved = changed(still, learnt)
    assert moved >= {"labels.weight", "labels.bias"}
    body = {name for name in moved if name.startswith("encoder.")}
    assert (
        body
        == {
            "full": {name for name in tensors(still) if name.startswith("encoder.")},
            "frozen": set(),
            "lora": {name for name in tensors(still) if ".attention." in name and name.endswith("weight")},
        }[adapt]
    )


def test_another_start_is_another_training(lake: Lake, gpt: Result) -> None:
    assert not done(lake, "gpt", start="wiki-gpt:v000001", options=SIZES).reused


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"options": {"adapt": "frozen"}}, ConfigError, "which needs a trained model; name one with --start"),
        ({"start": "other"}, RegistryError, "no model 'other'"),
        ({"start": "wiki-gpt", "options": {"width": 32}}, WeightsError, "of another architecture"),
        ({"start": "wiki-gpt", "options": {"tokeniser.kind": "words"}}, ConfigError, "keeps its tokenizer"),
        (
            {"start": "wiki-gpt", "options": {"adapt": "frozen", "learn": ["x.*"]}},
            ConfigError,
            "they name no weight of the model",
        ),
        ({"start": "wiki-gpt", "options": {"adapt": "lora", "lora_targets": ["x"]}}, ConfigError, "x"),
        ({"start": "wiki-gpt", "options": {"adapt": "some"}}, ConfigError, "full, frozen, lora"),
    ],
)
@pytest.mark.usefixtures("gpt")
def test_what_cannot_begin_so_is_told(lake: Lake, given: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        done(lake, "gpt", **given)
