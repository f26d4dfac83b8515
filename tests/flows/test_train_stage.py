"""Trainings of a pipeline: what they refuse before they start."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from data.errors import TextmillError
from flows.job import Ref
from flows.stages import training

_HELD_OUT = "test:0"
_TRAIN = "test:1"


@pytest.fixture
def corpus(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the documents of a corpus that a test fills, one a part."""
    ids: list[str] = []

    def read_batches(_job: Any, _ref: Ref, part: str, columns: list[str]) -> list[pl.DataFrame]:
        return [pl.DataFrame({name: [part] for name in columns})]

    def split(doc_id: str) -> str:
        return "test" if doc_id == _HELD_OUT else "train"

    monkeypatch.setattr(training, "read_batches", read_batches)
    monkeypatch.setattr(training, "split_of", split)
    return ids


def split_ids(ids: list[str], split: str) -> list[str]:
    job: Any = SimpleNamespace(manifest=lambda _ref: {"parts": ids})
    found = training.in_split(job, Ref("corpus", "v", len(ids), reused=True), ["text"], split)
    return found["doc_id"].to_list()


def test_a_corpus_with_nothing_to_train_on_is_one_clear_error(corpus: list[str]) -> None:
    corpus.append(_HELD_OUT)
    with pytest.raises(TextmillError, match=r"1 documents leave none to train on; read more pages"):
        split_ids(corpus, "train")


def test_a_split_holds_its_own_documents(corpus: list[str]) -> None:
    corpus += [_HELD_OUT, _TRAIN]
    assert split_ids(corpus, "train") == [_TRAIN]
    assert split_ids(corpus, "test") == [_HELD_OUT]
