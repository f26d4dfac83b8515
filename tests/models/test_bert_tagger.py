"""Tags of words: which pieces count, which mentions are right, and that a tagger learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_bert_families import OPTIONS, VOCABULARY

from data.token_store import TokenStore
from models.evaluation import held_out, spans
from models.families.bert_tagger import FAMILY, TaggerLearner, batches, gold, mentions
from models.family import DataConfig, Split, TrainingData
from models.fitting import checked, fit
from models.language.bert_heads import HeadConfig, Tagger
from models.layers.cross_entropy import IGNORED
from models.learner import Batch, Learner

LABELS = ("O", "B-SUN", "I-SUN")
TEXTS = ["sunny day", "warm days", "cold sunny sun", "rainy day", "sun", "cold rain"]
SUNNY = {VOCABULARY.encode("sun")[0]}


def split(texts: list[str]) -> Split:
    """Every word that begins with `sun` is a mention; the pieces that go on have no tag."""
    ids = [VOCABULARY.encode(text) for text in texts]
    starts = VOCABULARY.word_starts
    tags = [[int(starts[i]) * (2 if i in SUNNY else 1) for i in row] for row in ids]
    return Split({"text": TokenStore.of(ids), "tags": TokenStore.of(tags)})


DATA = TrainingData(VOCABULARY, split(TEXTS * 4), split(TEXTS * 2), LABELS)
CONFIG = HeadConfig(vocab_size=VOCABULARY.size, context=8, layers=1, heads=2, width=16, labels=LABELS)


def learner() -> TaggerLearner:
    return TaggerLearner(Tagger(CONFIG).eval(), VOCABULARY.mark("class"))


def batch(rows: int = 6, **options: Any) -> Batch:
    return batches(CONFIG, DataConfig(**options), DATA, DATA.train, 0).rows(np.arange(rows))


def test_only_first_pieces_are_learnt() -> None:
    found = gold(batch())
    assert found[0].tolist()[:3] == [1, IGNORED, 0]  # sun ##ny day
    assert found[1].tolist()[:3] == [0, 0, IGNORED]  # warm day ##s
    assert learner().weights(batch()).tolist() == [2, 2, 3, 2, 1, 2]


def test_the_loss_is_that_of_torch_over_first_pieces() -> None:
    model = learner()
    found, tags = model.loss(batch(), step=0), gold(batch())
    logits = model.logits(batch()).flatten(0, 1)
    expected = torch.nn.functional.cross_entropy(logits, tags.flatten(), ignore_index=IGNORED)
    assert found.mean.item() == pytest.approx(expected.item(), rel=1e-5)
    assert list(found.parts) == ["accuracy"]


def test_words_beyond_the_context_are_not_scored() -> None:
    config = HeadConfig(vocab_size=VOCABULARY.size, context=3, layers=1, heads=2, width=16, labels=LABELS)
    rows = batches(config, DataConfig(), DATA, DATA.train, 0)
    assert (gold(rows.rows(np.array([0]))) != IGNORED).sum() == 1
    assert rows.about["longer_than_context"] == 16


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ([1, 2, 0, 1, 1], [(0, 2, "SUN"), (3, 4, "SUN"), (4, 5, "SUN")]),
        ([2, 2, 0], [(0, 2, "SUN")]),
        ([0, 0], []),
        ([], []),
    ],
)
def test_mentions_of_tags(tags: list[int], found: list[tuple[int, int, str]]) -> None:
    assert mentions(tags, LABELS) == found


_TAGS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=6)


@given(st.lists(_TAGS, min_size=1, max_size=4))
def test_figures_are_those_of_whole_mentions(rows: list[list[tuple[int, int]]]) -> None:
    model, longest = learner(), max(map(len, rows))
    padded = torch.tensor([[*row, *[(IGNORED, 0)] * (longest - len(row))] for row in rows])
    true, told = padded[..., 0], padded[..., 1]
    counts = {name: float(value) for name, value in model.counted(true, told, true != IGNORED).items()}
    figures = model.figures({"loss": 0.0, **counts})
    sides = [
        [[{"start": a, "end": b, "type": kind} for a, b, kind in mentions([pair[side] for pair in row], LABELS)]
         for row in rows]
        for side in (0, 1)
    ]  # fmt: skip
    expected = spans.counts(*sides)
    assert figures["f1"] == pytest.approx(spans.f1(expected))
    assert figures["precision"] == pytest.approx(spans.precision(expected))
    assert figures["recall"] == pytest.approx(spans.recall(expected))


def test_a_tagger_learns_and_its_card_begins_with_f1(tmp_path: Path) -> None:
    options = {**OPTIONS, "steps": 40, "learning_rate": 5e-3, "keep_best": True, "validate_every": 20}
    record = fit(FAMILY, checked(FAMILY, options), DATA, tmp_path, seed=1)
    assert record.validation["f1"][-1] == pytest.approx(1.0)
    model = FAMILY.load(tmp_path)
    assert isinstance(model, Tagger)
    held = batches(model.config, DataConfig(), DATA, DATA.validation or DATA.train, 0)
    found: Learner = TaggerLearner(model, VOCABULARY.mark("class"))
    scores = held_out.scores(found, held)
    assert [score.metric for score in scores] == ["f1", "loss", "accuracy", "precision", "recall"]
    assert (scores[0].value, scores[0].n) == (1.0, 12)
