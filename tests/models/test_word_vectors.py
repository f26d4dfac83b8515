from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.embeddings.vectors import UnknownWordError, WordVectors, normalise, shared_direction, tokens, unit_rows


def table(common: tuple[float, float] = (0.0, 0.0)) -> WordVectors:
    return WordVectors(
        words=("the", "cat", "dog", "0000"),
        vectors=np.array([[1, 1], [1, 0], [0.9, 0.1], [0, 1]], dtype=np.float32),
        counts=np.array([900, 40, 40, 20], dtype=np.int64),
        common=np.array(common, dtype=np.float32),
    )


def test_normalise_lowers_and_folds_digits() -> None:
    assert normalise("B-52s") == "b-00s"


def test_tokens_of_a_text_are_normalised() -> None:
    assert tokens("The cat of 1984.") == ["the", "cat", "of", "0000"]


def test_most_similar_leaves_out_the_word_itself() -> None:
    assert [word for word, _ in table().most_similar("Cat", k=2)] == ["dog", "the"]


def test_most_similar_of_every_word_never_holds_the_word() -> None:
    assert len(table().most_similar("cat", k=99)) == 3


def test_unknown_word_is_named() -> None:
    with pytest.raises(UnknownWordError, match="zebra"):
        table().most_similar("zebra")


def test_rare_words_weigh_more_in_a_sentence() -> None:
    vectors = table()
    mixed = vectors.embed([["the", "cat"]])[0]
    assert mixed @ [1, 0] > mixed @ [0, 1] * 5


def test_sentence_of_unknown_words_is_all_zeros() -> None:
    assert table().embed_sentence("zebras gallop").tolist() == [0.0, 0.0]


def test_empty_sentence_between_others_changes_neither() -> None:
    vectors = table()
    assert vectors.embed([["cat"], [], ["0000"]]).tolist() == [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]


def test_no_sentences_give_no_rows() -> None:
    assert table().embed([]).shape == (0, 2)


def test_shared_direction_is_removed() -> None:
    assert table(common=(1.0, 0.0)).embed([["dog"]]).tolist() == [[0.0, 1.0]]


def test_shared_direction_is_the_one_most_rows_have() -> None:
    rows = np.array([[3, 0.1], [2, -0.1], [5, 0]], dtype=np.float32)
    assert abs(shared_direction(rows)[0]) == pytest.approx(1.0, abs=1e-2)


def test_saved_vectors_load_equal(tmp_path: Path) -> None:
    vectors = table(common=(0.0, 1.0))
    vectors.save(tmp_path)
    loaded = WordVectors.load(tmp_path)
    assert loaded.words == vectors.words
    assert all(np.array_equal(getattr(loaded, n), getattr(vectors, n)) for n in ("vectors", "counts", "common"))


def test_saved_files_are_safetensors_and_json(tmp_path: Path) -> None:
    table().save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vectors.safetensors", "vocabulary.json"]


@given(st.lists(st.lists(st.floats(-100, 100, width=32), min_size=3, max_size=3), min_size=1, max_size=5))
def test_unit_rows_have_length_one_or_zero(rows: list[list[float]]) -> None:
    lengths = np.linalg.norm(unit_rows(np.array(rows, dtype=np.float32)), axis=1)
    assert all(length == pytest.approx(1.0, abs=1e-4) or length == 0.0 for length in lengths)
