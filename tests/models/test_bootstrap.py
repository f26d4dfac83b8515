import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import ConfigError
from models.evaluation import bootstrap
from models.evaluation.score import Score

VALUES = st.lists(st.floats(-10, 10), min_size=1, max_size=20)


@given(VALUES, st.integers(0, 5))
def test_the_interval_holds_the_value(values: list[float], seed: int) -> None:
    rows = np.array(values)
    low, high = bootstrap.interval(lambda drawn: float(rows[drawn].mean()), len(rows), resamples=20, seed=seed)
    assert low <= rows[np.arange(len(rows))].mean() <= high


def test_the_interval_of_a_constant_is_the_constant() -> None:
    assert bootstrap.interval(lambda drawn: 2.0, 5, resamples=10) == (2.0, 2.0)


def test_equal_seeds_give_equal_intervals_and_others_do_not() -> None:
    rows = np.arange(30.0)
    ends = [bootstrap.interval(lambda drawn: float(rows[drawn].mean()), 30, seed=seed) for seed in (1, 1, 2)]
    assert ends[0] == ends[1] != ends[2]


def test_the_interval_of_a_mean_is_near_the_normal_one() -> None:
    rows = np.random.default_rng(0).normal(size=400)
    score = bootstrap.mean_score("m", rows)
    half = 1.96 * rows.std() / 20
    assert score.ci_low == pytest.approx(rows.mean() - half, abs=0.02)
    assert score.ci_high == pytest.approx(rows.mean() + half, abs=0.02)


def test_an_interval_is_widened_to_the_value() -> None:
    # The share of distinct rows is 1 on all rows and below it in every resample.
    low, high = bootstrap.interval(lambda drawn: len(set(drawn.tolist())) / 50, 50)
    assert low < high == 1.0


def test_a_score_names_its_metric_and_rows() -> None:
    assert bootstrap.mean_score("accuracy", np.ones(3)) == Score("accuracy", 1.0, 1.0, 1.0, 3)


def test_a_pair_is_compared_row_by_row() -> None:
    reference = np.arange(20.0)
    assert bootstrap.paired(reference + 1, reference) == (1.0, 1.0, 1.0)


def test_no_rows_and_unequal_rows_are_refused() -> None:
    with pytest.raises(ConfigError, match="found 0 rows"):
        bootstrap.interval(lambda drawn: 0.0, 0)
    with pytest.raises(ConfigError, match="found 2 and 3 rows"):
        bootstrap.paired(np.ones(2), np.ones(3))
