from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.embeddings.vectors import WordVectors
from models.evaluation.vectors import WordPairsError, read_pairs, rows_of, similarities, spearman, wordsim353

VECTORS = WordVectors(
    words=("cat", "dog", "car"),
    vectors=np.array([[1, 0], [1, 0.1], [0, 1]], dtype=np.float32),
    counts=np.ones(3, dtype=np.int64),
    common=np.zeros(2, dtype=np.float32),
)


def test_wordsim_has_353_pairs() -> None:
    assert len(wordsim353()) == 353


def test_pairs_with_unknown_words_are_counted_and_left_out() -> None:
    found = similarities(VECTORS, [("cat", "dog", 9.0), ("cat", "zebra", 5.0), ("Cat", "car", 1.0)])
    assert (found.human.tolist(), found.pairs) == ([9.0, 1.0], 3)
    assert found.coverage == pytest.approx(2 / 3)


def test_model_similarity_is_the_cosine() -> None:
    assert similarities(VECTORS, [("cat", "car", 1.0)]).model.tolist() == [0.0]


def test_rank_correlation_of_any_rising_values_is_one() -> None:
    assert spearman(np.array([1.0, 2, 3, 4]), np.array([1.0, 10, 11, 99])) == pytest.approx(1.0)


def test_ties_share_their_mean_rank() -> None:
    assert spearman(np.array([1.0, 1, 2]), np.array([1.0, 2, 3])) == pytest.approx(0.8660254)


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0]])
def test_no_variation_is_no_correlation(values: list[float]) -> None:
    assert spearman(np.array(values), np.arange(len(values), dtype=np.float64)) == 0.0


def test_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("# comment\ncat\tdog\t9\ncat dog 9\n", "utf-8")
    with pytest.raises(WordPairsError, match=r"pairs.tsv, line 3: found 'cat dog 9'"):
        read_pairs(path)


def test_models_with_other_vocabularies_are_compared_on_the_same_pairs() -> None:
    pairs = [("cat", "dog", 5.0), ("cat", "tree", 7.0), ("car", "cat", 1.0)]
    found = rows_of(VECTORS, pairs)
    assert found[:, 0].tolist() == [5.0, 7.0, 1.0]
    assert found[:, 1].tolist() == pytest.approx([0.995, 0.0, 0.0], abs=1e-3)
    assert rows_of(VECTORS, []).shape == (0, 2)
