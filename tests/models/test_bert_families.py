from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.token_store import TokenStore
from models.families import bert, bert_classifier
from models.family import Family, Split, TrainingData
from models.fitting import checked, fit
from models.language.masking import IGNORED
from models.vocabulary import Vocabulary

PIECES = ["<|endoftext|>", "[UNK]", "sun", "##ny", "##s", "rain", "##y", "day", "cold", "warm"]
TOKENIZER = json.dumps(
    {
        "version": "1.0",
        "added_tokens": [
            {
                "id": 0,
                "content": PIECES[0],
                "special": True,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
            }
        ],
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {
            "type": "WordPiece",
            "unk_token": PIECES[1],
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {piece: number for number, piece in enumerate(PIECES)},
        },
    }
)
VOCABULARY = Vocabulary(TOKENIZER, bert.MARKS)
WARM, COLD = (
    ["sunny day", "warm days", "sunny warm days", "sun"],
    ["rainy day", "cold rain", "rainy cold days", "rains"],
)
OPTIONS = {"context": 16, "layers": 1, "heads": 2, "width": 16, "batch_size": 4, "costs": False, "validate_every": 50}


def split(texts: list[str], labels: list[int]) -> Split:
    stores = {"text": TokenStore.of([VOCABULARY.encode(text) for text in texts])}
    return Split(stores, {"label": np.array(labels, dtype=np.int64)})


DATA = TrainingData(
    VOCABULARY,
    split((WARM + COLD) * 3, [0] * 4 + [1] * 4 + [0] * 4 + [1] * 4 + [0] * 4 + [1] * 4),
    split(WARM * 2 + COLD * 2, [0] * 8 + [1] * 8),
    labels=("warm", "cold"),
)


def trained(family: Family, folder: Path, **options: Any) -> list[float]:
    """The losses of the steps."""
    folder.mkdir()
    return list(fit(family, checked(family, {**OPTIONS, **options}), DATA, folder, seed=1).train_loss)


def masked(**options: Any) -> bert.MaskedBlocks:
    config = bert.BERTConfig(vocab_size=VOCABULARY.size, context=16, heads=2, width=16)
    return bert.batches(config, bert.MaskingOptions(**options), DATA, DATA.train, 5)


def test_a_block_fills_the_context_and_begins_with_the_mark() -> None:
    batch = masked().batch(0, batch_size=2)
    assert batch["tokens"].shape == batch["targets"].shape == batch["documents"].shape == (2, 16)
    assert (batch["tokens"][:, 0] == VOCABULARY.mark("class")).all()
    assert torch.equal(batch["documents"][:, 0], batch["documents"][:, 1])


def test_hidden_words_are_whole_and_never_ends_of_documents() -> None:
    batches = [masked(rate=0.4).batch(step, batch_size=4) for step in range(8)]
    targets = torch.cat([batch["targets"] for batch in batches])
    restored = torch.where(targets == IGNORED, torch.cat([batch["tokens"] for batch in batches]), targets)
    for row, hidden in zip(restored.tolist(), (targets != IGNORED).tolist(), strict=True):
        assert not any(guess and token == VOCABULARY.end for token, guess in zip(row, hidden, strict=True))
        for place in range(2, 16):
            if PIECES[row[place]].startswith("##") and row[place - 1] != VOCABULARY.end:
                assert hidden[place] == hidden[place - 1]


def test_what_is_hidden_follows_seed_and_step() -> None:
    one, again, other = (masked().batch(step, batch_size=4) for step in (3, 3, 4))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["targets"], other["targets"])


def test_how_words_are_hidden_is_part_of_the_fingerprint() -> None:
    assert (
        len({masked(rate=rate, whole_words=whole).fingerprint for rate in (0.1, 0.2) for whole in (True, False)}) == 4
    )


def test_a_masked_model_is_trained_and_shown(tmp_path: Path) -> None:
    losses = trained(bert.FAMILY, tmp_path / "bert", steps=30, learning_rate=5e-3)
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    model = bert.FAMILY.load(tmp_path / "bert")
    shown = bert.show(model, DATA, 0)["Hidden words"]  # type: ignore[arg-type]
    assert all("<mask>" in row["text"] or row["hidden"] for row in shown)


def test_a_classifier_learns_on_the_encoder_of_the_masked_model(tmp_path: Path) -> None:
    trained(bert.FAMILY, tmp_path / "bert", steps=2)
    trained(bert_classifier.FAMILY, tmp_path / "classifier", steps=40, learning_rate=3e-3)
    model = bert_classifier.FAMILY.load(tmp_path / "classifier")
    batches = bert_classifier.batches(model.config, bert_classifier.DataConfig(), DATA, DATA.validation, 0)  # type: ignore[arg-type]
    learner = bert_classifier.ClassifierLearner(model, VOCABULARY.mark("class"))  # type: ignore[arg-type]
    with torch.no_grad():
        found = learner.measure([batches.batch(0, batch_size=16)])
    assert found["accuracy"] == pytest.approx(1.0)
    assert model.config.labels == ("warm", "cold")
    model.load_encoder(tmp_path / "bert")
