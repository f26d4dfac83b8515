import pytest

from data.errors import ConfigError
from models.evaluation import spans


def span(start: int, end: int, kind: str = "PER") -> dict[str, object]:
    return {"start": start, "end": end, "type": kind}


GOLD = [[span(0, 3), span(5, 9, "ORG")], [span(2, 4)], []]
FOUND = [[span(0, 3), span(5, 9, "LOC"), span(10, 12)], [span(2, 4)], []]


def test_counts_are_per_sentence_and_exact() -> None:
    assert spans.counts(GOLD, FOUND).tolist() == [[1, 3, 2], [1, 1, 1], [0, 0, 0]]


def test_micro_precision_recall_and_f1() -> None:
    found = spans.counts(GOLD, FOUND)
    assert spans.precision(found) == 2 / 4
    assert spans.recall(found) == 2 / 3
    assert spans.f1(found) == pytest.approx(4 / 7)


def test_scores_are_bootstrapped_over_sentences() -> None:
    scores = spans.scores(GOLD * 5, FOUND * 5, seed=3)
    assert [(score.metric, score.n) for score in scores] == [("precision", 15), ("recall", 15), ("f1", 15)]
    assert scores[2].value == pytest.approx(4 / 7)
    assert all(score.ci_low <= score.value <= score.ci_high for score in scores)


def test_nothing_to_find_and_nothing_found() -> None:
    nothing = spans.counts([[]], [[]])
    assert (spans.precision(nothing), spans.recall(nothing), spans.f1(nothing)) == (0.0, 0.0, 1.0)


def test_a_different_number_of_rows_is_refused() -> None:
    with pytest.raises(ConfigError, match="found 1 gold and 2 predicted rows"):
        spans.counts([[]], [[], []])
