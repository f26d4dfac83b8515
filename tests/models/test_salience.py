from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.tasks.salience import centrality, choose, lexical_rows, scaled

ONES = np.ones(3, dtype=np.int64)


def test_sentences_with_the_same_words_have_cosine_one() -> None:
    rows = lexical_rows([["a", "b"], ["b", "a"], ["c", "d"]])
    assert (rows @ rows.T)[0].tolist() == pytest.approx([1.0, 1.0, 0.0])


def test_word_of_every_sentence_hardly_counts() -> None:
    rows = lexical_rows([["the", "cat"], ["the", "dog"], ["the", "cow"]])
    assert (rows @ rows.T)[0, 1] < 0.01


def test_sentence_that_all_others_resemble_is_the_most_central() -> None:
    similarity = np.array([[1, 0.8, 0.8], [0.8, 1, 0], [0.8, 0, 1]], dtype=np.float32)
    weights = centrality(similarity, damping=0.85, threshold=0.1)
    assert weights.argmax() == 0
    assert weights[1] == pytest.approx(weights[2])


def test_links_below_the_threshold_do_not_count() -> None:
    similarity = np.array([[1, 0.05, 0], [0.05, 1, 0], [0, 0, 1]], dtype=np.float32)
    assert centrality(similarity, damping=0.85, threshold=0.1).tolist() == pytest.approx([1.0, 1.0, 1.0])


def test_single_sentence_is_central() -> None:
    assert centrality(np.ones((1, 1), dtype=np.float32), damping=0.85, threshold=0.1).tolist() == [1.0]


def test_repeat_of_a_chosen_sentence_is_passed_over() -> None:
    similarity = np.array([[1, 0.99, 0], [0.99, 1, 0], [0, 0, 1]], dtype=np.float32)
    chosen = choose(np.array([1.0, 0.9, 0.5], np.float32), similarity, ONES, k=2, novelty=0.5, budget=None)
    assert chosen == [0, 2]


def test_without_novelty_salience_alone_decides() -> None:
    similarity = np.array([[1, 0.99, 0], [0.99, 1, 0], [0, 0, 1]], dtype=np.float32)
    assert choose(np.array([1.0, 0.9, 0.5], np.float32), similarity, ONES, k=2, novelty=0.0, budget=None) == [0, 1]


def test_sentence_beyond_the_budget_makes_room_for_a_shorter_one() -> None:
    salience = np.array([1.0, 0.9, 0.5], dtype=np.float32)
    lengths = np.array([50, 60, 40])
    assert choose(salience, np.eye(3, dtype=np.float32), lengths, k=3, novelty=0.5, budget=100) == [0, 2]


def test_first_choice_stands_even_beyond_the_budget() -> None:
    salience = np.array([1.0, 0.5, 0.2], dtype=np.float32)
    assert choose(salience, np.eye(3, dtype=np.float32), 9 * ONES, k=3, novelty=0.5, budget=5) == [0]


@given(st.lists(st.floats(-10, 10), max_size=6))
def test_scaled_values_lie_between_zero_and_one(values: list[float]) -> None:
    found = scaled(np.array(values))
    assert ((found >= 0) & (found <= 1)).all()
