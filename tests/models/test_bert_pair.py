"""Pairs of texts in one row: marks, segments, what is cut, and that a classifier of them learns."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_bert_families import OPTIONS, VOCABULARY

from data.errors import ConfigError
from data.token_store import TokenStore
from models.batching.rows import NoRowsError, TooLongError
from models.families.bert_pair import FAMILY, PairLearner, Pairs, batches
from models.family import DataConfig, Split, TrainingData
from models.fitting import checked, fit
from models.language.bert_heads import HeadConfig, PairClassifier

BEGIN, SEPARATOR, PAD = (VOCABULARY.mark(name) for name in ("class", "separator", "pad"))
ENDS = [("sunny day", "warm", 0), ("sunny day", "cold", 1), ("rainy day", "cold", 0), ("rainy day", "warm", 1)]


def split(rows: list[tuple[str, str, int]]) -> Split:
    stores = {name: TokenStore.of([VOCABULARY.encode(str(row[side])) for row in rows]) for side, name in SIDES}
    return Split(stores, {"label": np.array([row[2] for row in rows])})


SIDES = list(enumerate(("first", "second")))
DATA = TrainingData(VOCABULARY, split(ENDS * 6), split(ENDS * 4), ("fits", "does not"))
CONFIG = HeadConfig(vocab_size=VOCABULARY.size, context=16, layers=1, heads=2, width=16, labels=DATA.labels)


def pairs(first: list[int], second: list[int], longest: int, **options: Any) -> Pairs:
    columns = {"first": TokenStore.of([first]), "second": TokenStore.of([second])}
    return Pairs(columns=columns, pad=PAD, longest=longest, begin=BEGIN, separator=SEPARATOR, **options)


def test_a_pair_is_one_row_with_marks_and_segments() -> None:
    batch = batches(CONFIG, DataConfig(), DATA, DATA.train, 0).rows(np.array([1, 2]))
    cold, day = VOCABULARY.encode("cold"), VOCABULARY.encode("day")
    sunny = VOCABULARY.encode("sunny")
    assert batch["text"][0].tolist() == [BEGIN, *sunny, *day, SEPARATOR, *cold, SEPARATOR]
    assert batch["segments"][0].tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert batch["text_lengths"].tolist() == [7, 7]
    assert batch["label"].tolist() == [1, 0]


def test_the_texts_of_a_pair_are_told_apart() -> None:
    learner = FAMILY.learner(CONFIG, DATA, 1)
    assert isinstance(learner, PairLearner)
    learner.model.eval()
    batch = batches(CONFIG, DataConfig(), DATA, DATA.train, 0).rows(np.array([1]))
    turned = {**batch, "segments": 1 - batch["segments"]}
    assert not torch.allclose(learner.logits(batch), learner.logits(turned))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(2, 12))
def test_of_a_long_pair_the_longer_text_is_cut_first(first: int, second: int, longest: int) -> None:
    row = pairs([1] * first, [2] * second, longest).rows(np.array([0]))["text"][0].tolist()
    kept = row.count(1), row.count(2)
    assert sum(kept) == min(first + second, longest)
    assert min(kept) >= min(first, second, longest // 2)


def test_pairs_are_counted_by_both_lengths() -> None:
    assert pairs([1] * 4, [2] * 4, 7).about["longer_than_context"] == 1
    assert pairs([1] * 4, [2] * 4, 8).about["longer_than_context"] == 0
    with pytest.raises(TooLongError, match="more than 7 tokens"):
        pairs([1] * 4, [2] * 4, 7, too_long="fail")
    with pytest.raises(NoRowsError):
        pairs([1] * 4, [2] * 4, 7, too_long="drop")


@pytest.mark.parametrize(("change", "said"), [({"context": 4}, "context is 4"), ({"segments": 1}, "segments is 1")])
def test_sizes_that_hold_no_pair_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        batches(dataclasses.replace(CONFIG, **change), DataConfig(), DATA, DATA.train, 0)


def test_what_a_pair_says_together_is_learnt(tmp_path: Path) -> None:
    undisturbed = {"dropout": 0.0, "head_dropout": 0.0, "residual": "pre", "weight_decay": 0.0}
    options = {**OPTIONS, **undisturbed, "steps": 80, "learning_rate": 0.01, "batch_size": 8, "validate_every": 20}
    options["precision"] = "float32"  # the same on every processor
    record = fit(FAMILY, checked(FAMILY, options), DATA, tmp_path, seed=1)
    assert record.validation["accuracy"][-1] == pytest.approx(1.0), record.validation
    assert isinstance(FAMILY.load(tmp_path), PairClassifier)
