import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import ConfigError
from models.evaluation import classification

LABELS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=15)


def test_accuracy_and_macro_f1_of_a_worked_example() -> None:
    gold, predicted = ["a", "a", "b", "c"], ["a", "b", "b", "b"]
    assert classification.accuracy(gold, predicted) == 0.5
    # F1: a 2/3, b 2·1/(1+3) = 1/2, c 0
    assert classification.macro_f1(gold, predicted) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


@given(LABELS)
def test_right_answers_score_one_and_all_scores_lie_between_zero_and_one(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    assert classification.macro_f1(gold, gold) == classification.accuracy(gold, gold) == 1.0
    assert 0 <= classification.macro_f1(gold, predicted) <= 1


def test_scores_carry_intervals_and_rows() -> None:
    gold, predicted = list("aabbcc") * 5, list("aabbca") * 5
    scores = classification.scores(gold, predicted, seed=1)
    assert [(score.metric, score.n) for score in scores] == [("accuracy", 30), ("macro_f1", 30)]
    assert scores[0].value == classification.accuracy(gold, predicted)
    assert scores[1].value == classification.macro_f1(gold, predicted)
    assert all(score.ci_low < score.value < score.ci_high for score in scores)
    assert scores == classification.scores(gold, predicted, seed=1)


def test_the_majority_baseline_says_the_commonest_label() -> None:
    assert classification.majority_baseline(["b", "a", "b"], 2) == ["b", "b"]
    assert classification.majority_label(["b", "a"]) == "a"


def test_correct_rows() -> None:
    assert classification.correct(["a", "b"], ["a", "a"]).tolist() == [1.0, 0.0]


def test_unequal_and_missing_rows_are_refused() -> None:
    with pytest.raises(ConfigError, match="found 1 gold and 2 predicted"):
        classification.accuracy(["a"], ["a", "b"])
    with pytest.raises(ConfigError, match="found 0 gold"):
        classification.scores([], [])
    with pytest.raises(ConfigError, match="no labels"):
        classification.majority_label([])
