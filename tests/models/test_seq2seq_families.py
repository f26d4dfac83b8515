from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from data.token_store import TokenStore
from models.catalogue import neural as of_catalogue
from models.decoding.beam import Search, decode
from models.family import Split, TrainingData, vocabulary_of
from models.fitting import checked, fit, load
from models.training.loop import Moment
from models.vocabulary import Vocabulary

NAMES = ("rnn-seq2seq", "transformer-seq2seq")
WORDS = ["<|endoftext|>", *"abcdefghij"]
TOKENIZER = json.dumps(
    {
        "version": "1.0",
        "added_tokens": [
            {
                "id": 0,
                "content": WORDS[0],
                "special": True,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
            }
        ],
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": {word: i for i, word in enumerate(WORDS)}, "unk_token": WORDS[0]},
    }
)
TINY = {"steps": 6, "batch_size": 4, "width": 16, "validate_every": 3, "validation_batches": 2, "costs": False}
SIZES: dict[str, dict[str, Any]] = {
    "rnn-seq2seq": {"embedding_width": 8, "copying": True, "coverage": True},
    "transformer-seq2seq": {"heads": 2, "layers": 1},
}


def split(*pairs: tuple[str, str]) -> Split:
    vocabulary = Vocabulary(TOKENIZER)
    columns = zip(*([vocabulary.encode(" ".join(text)) for text in pair] for pair in pairs), strict=True)
    return Split(dict(zip(("source", "target"), map(TokenStore.of, columns), strict=True)))


def data(name: str) -> TrainingData:
    words = ["abc", "bcad", "fgh", "ji", "hijab", "dec", "fad", "gab"]
    held = [("abcd", "dcba"), ("fig", "gif")]
    train = split(*((word, word[::-1]) for word in words))
    return TrainingData(Vocabulary(TOKENIZER, of_catalogue(name).marks), train, split(*held))


def trained(name: str, folder: Path, **options: Any) -> list[Moment]:
    folder.mkdir()
    family, seen = of_catalogue(name), list[Moment]()
    checkpoints = folder.parent / f"{folder.name}-checkpoints"
    chosen = checked(family, {**TINY, **SIZES[name], **options})
    fit(family, chosen, data(name), folder, seed=3, checkpoints=checkpoints, watch=seen.append)
    return seen


@pytest.mark.parametrize("name", NAMES)
def test_a_trained_model_can_be_loaded_and_writes(name: str, tmp_path: Path) -> None:
    trained(name, tmp_path / "artefact")
    model, vocabulary = load(tmp_path / "artefact"), vocabulary_of(tmp_path / "artefact")
    (found,) = decode(model, [vocabulary.encode("a b c")], Search(beam=2, max_length=4))
    assert 1 <= len(found) <= 2
    assert set(found[0].tokens) <= set(range(1, len(WORDS)))


@pytest.mark.parametrize("name", NAMES)
def test_validation_is_in_nats_of_true_labels(name: str, tmp_path: Path) -> None:
    options = {"validation_batches": 1, "precision": "float32"}
    (last,) = (moment.scores["loss"] for moment in trained(name, tmp_path / "artefact", **options)[-1:])
    model, batch = load(tmp_path / "artefact"), held_out(name)
    found = model.losses(batch["source"], batch["source_lengths"], batch["target"], batch["target_lengths"])
    assert last == pytest.approx(float(found["loss"].detach()), abs=1e-5)


def held_out(name: str) -> dict[str, torch.Tensor]:
    family, found = of_catalogue(name), data(name)
    options = checked(family, {**TINY, **SIZES[name]})
    assert found.validation
    made = family.batches(family.configured(options.model, found), options.data, found, found.validation, 3)
    return dict(made.batch(0, batch_size=4))


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_the_target_tokens_with_their_ends(name: str) -> None:
    family, found = of_catalogue(name), data(name)
    learner = family.learner(family.configured(SIZES[name] | {"width": 16}, found), found, 0)
    batch = held_out(name)
    assert learner.weights(batch).tolist() == [len(row[row < len(WORDS)]) + 1 for row in batch["target"]]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_shows_outputs_and_where_the_model_looked(name: str, tmp_path: Path) -> None:
    trained(name, tmp_path / "artefact")
    shown = json.loads((tmp_path / "artefact" / "shown.json").read_text("utf-8"))
    assert [pair["source"] for pair in shown["Outputs"]] == ["a b c d", "f i g"]
    assert [pair["target"] for pair in shown["Outputs"]] == ["d c b a", "g i f"]
    map_ = shown["Attention"]
    assert map_["columns"] == ["a", "b", "c", "d"]
    assert len(map_["values"]) == len(map_["rows"]) == len(shown["Outputs"][0]["output"].split()) + 1
    for row in map_["values"]:
        assert sum(row) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_training_that_was_ended_goes_on_as_if_it_was_not(name: str, tmp_path: Path) -> None:
    trained(name, tmp_path / "whole", checkpoint_every=4)
    (tmp_path / "parts").mkdir()
    family = of_catalogue(name)
    options = checked(family, {**TINY, **SIZES[name], "checkpoint_every": 4})

    def killed(moment: Moment) -> None:
        if moment.step == 5:
            raise KeyboardInterrupt

    arguments = (family, options, data(name), tmp_path / "parts")
    with pytest.raises(KeyboardInterrupt):
        fit(*arguments, seed=3, checkpoints=tmp_path / "kept", watch=killed)
    fit(*arguments, seed=3, checkpoints=tmp_path / "kept")
    whole, parts = (load(tmp_path / folder).state_dict() for folder in ("whole", "parts"))
    assert all(torch.equal(weight, parts[key]) for key, weight in whole.items())


def test_long_pairs_are_counted(tmp_path: Path) -> None:
    trained("transformer-seq2seq", tmp_path / "artefact", context=4)
    found = json.loads((tmp_path / "artefact" / "scores.json").read_text("utf-8"))["rows"]
    held_out = {"rows": 2, "longer_than_context": 0, "policy": "truncate"}
    assert found == {"rows": 8, "longer_than_context": 1, "policy": "truncate", "held_out": held_out}
