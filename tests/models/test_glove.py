from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from models.embeddings.cooccurrence import Cooccurrences
from models.embeddings.glove import Glove, GloveConfig, GloveConfigError, batch_of, fit
from models.embeddings.lines import TooFewWordsError
from models.embeddings.vectors import WordVectors

TEXTS = pl.Series(40 * ["red fruit ripe apple", "red fruit ripe pear", "slow road long car", "slow road long bus"])
SMALL = GloveConfig(dim=6, window=3, epochs=20, min_count=1)
X = {(0, 0): 2.0, (0, 1): 0.5, (0, 3): 40.0, (1, 2): 9.0, (2, 2): 3.0, (2, 3): 1.0}
PAIRS = Cooccurrences(np.array([i * 4 + j for i, j in X]), np.array(list(X.values())), 4)
STARTS = np.array([0, len(X)])


def loss(w: torch.Tensor, c: torch.Tensor, config: GloveConfig) -> torch.Tensor:
    """Equations 8 and 9, one pair after another; biases are the last columns but one and the last."""
    both = X | {(j, i): x for (i, j), x in X.items()}
    total = torch.zeros(())
    for (i, j), x in both.items():
        f = (x / config.x_max) ** config.alpha if x < config.x_max else 1.0
        prediction = w[i, : config.dim] @ c[j, : config.dim] + w[i, config.dim] + c[j, config.dim + 1]
        total = total + f * (prediction - math.log(x)) ** 2
    return total


def test_step_follows_the_gradient_of_the_paper() -> None:
    model = Glove(4, SMALL, seed=1)
    w, c = (table.clone().requires_grad_() for table in model.tables)
    expected = loss(w, c, SMALL)
    expected.backward()  # type: ignore[no-untyped-call]
    found = model.step(batch_of(PAIRS, STARTS, 0, SMALL))
    assert found == pytest.approx(expected.item(), rel=1e-5)
    for squares, table in zip(model.squares, (w, c), strict=True):
        assert table.grad is not None
        assert torch.allclose(squares.sqrt(), table.grad.abs() / 2, atol=1e-5)


def test_a_pair_that_never_occurs_is_only_ever_held_down() -> None:
    config = replace(SMALL, absent_weight=0.3)
    pairs = Cooccurrences(np.array([1, 2, 5]), np.array([0.0, 9.0, 0.0]), 4)  # (0, 1) and (1, 1) never, (0, 2) often
    model = Glove(4, config, seed=1)
    for table in model.tables:
        table[0, config.dim :] = 2.0
    model.tables[0][1, config.dim] = -8.0  # (1, 0) is thought to be rare, and (1, 1)
    model.tables[1][1, config.dim + 1] = 4.0  # (0, 1) is thought to be frequent
    model.tables[0][:, config.dim + 1] = model.tables[1][:, config.dim] = 1.0
    w, c = (table.clone().requires_grad_() for table in model.tables)
    expected = torch.zeros(())
    for i, j, x, f in ((0, 1, 0, 0.3), (1, 0, 0, 0.3), (1, 1, 0, 0.3), (0, 2, 9, 0.9**0.75), (2, 0, 9, 0.9**0.75)):
        difference = w[i] @ c[j] - math.log(x or 1 / config.window)
        expected = expected + f * (difference if x else difference.clamp_min(0)) ** 2
    expected.backward()  # type: ignore[no-untyped-call]
    found = model.step(batch_of(pairs, np.array([0, 3]), 0, config))
    assert found == pytest.approx(expected.item(), rel=1e-5)
    for squares, table, constant in zip(model.squares, (w, c), (config.dim + 1, config.dim), strict=True):
        assert table.grad is not None
        wanted = table.grad.abs() / 2
        wanted[:, constant] = 0.0
        assert torch.allclose(squares.sqrt(), wanted, atol=1e-5)


def test_first_step_of_adagrad_is_the_learning_rate() -> None:
    model = Glove(4, SMALL, seed=1)
    before = [table.clone() for table in model.tables]
    model.step(batch_of(PAIRS, STARTS, 0, SMALL))
    moved = model.tables[0] - before[0]
    assert torch.allclose(moved[:, : SMALL.dim + 1].abs(), torch.tensor(SMALL.learning_rate), rtol=1e-2)
    assert torch.equal(model.tables[0][:, SMALL.dim + 1], torch.ones(4))


def test_loss_falls_to_almost_nothing_where_it_can(tmp_path: Path) -> None:
    config = replace(SMALL, epochs=400, learning_rate=0.1)
    losses = list(Glove(4, config, seed=1).minimise(PAIRS, tmp_path, seed=1))
    assert losses[-1] < 1e-3 < losses[0]


def test_words_used_alike_end_up_alike(tmp_path: Path) -> None:
    vectors = fit([TEXTS], SMALL, seed=1, folder=tmp_path)
    assert vectors.similarity("apple", "pear") > 0.9 > 0.5 > vectors.similarity("apple", "bus")
    assert vectors.similarity("car", "bus") > 0.9 > 0.5 > vectors.similarity("car", "pear")


def test_equal_seeds_give_equal_bytes_on_any_number_of_threads(tmp_path: Path) -> None:
    threads, found = torch.get_num_threads(), []
    try:
        for number, seed in ((1, 1), (3, 1), (1, 2)):
            torch.set_num_threads(number)
            found.append(fit([TEXTS], SMALL, seed=seed, folder=tmp_path).vectors.tobytes())
    finally:
        torch.set_num_threads(threads)
    assert found[0] == found[1] != found[2]


def test_how_little_is_kept_in_memory_changes_almost_nothing(tmp_path: Path) -> None:
    whole = fit([TEXTS], SMALL, seed=1, folder=tmp_path)
    parts = fit([TEXTS[:9], TEXTS[9:]], replace(SMALL, pairs_in_memory=4), seed=1, folder=tmp_path)
    assert np.abs(whole.vectors - parts.vectors).max() < 1e-4


def test_result_is_the_sum_of_both_tables() -> None:
    model = Glove(4, SMALL, seed=1)
    both = (model.tables[0] + model.tables[1])[:, :6]
    assert model.vectors().tolist() == both.tolist()


def test_progress_counts_epochs(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    fit([TEXTS], replace(SMALL, epochs=2), folder=tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_saved_vectors_load_equal(tmp_path: Path) -> None:
    vectors = fit([TEXTS], SMALL, folder=tmp_path)
    vectors.save(tmp_path)
    assert np.array_equal(WordVectors.load(tmp_path).vectors, vectors.vectors)


@pytest.mark.parametrize(
    ("texts", "message"),
    [([], "no word occurs 1 times"), (["", "..."], "no word occurs"), (["word"], "no two of the 1 words stand within")],
)
def test_too_little_text_is_an_error(texts: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(TooFewWordsError, match=message):
        fit([pl.Series(texts, dtype=pl.String)], SMALL, folder=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 0}, "dim is 0"),
        ({"x_max": 0.0}, r"x_max is 0\.0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"absent": -1.0}, r"absent is -1\.0"),
        ({"context": "page"}, "context is 'page'; it must be one of sentence, paragraph"),
    ],
)
def test_bad_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(GloveConfigError, match=message):
        GloveConfig(**options)
