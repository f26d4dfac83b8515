import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models import features


def pieces(text: str, n: int) -> list[str]:
    padded = f" {text} "
    found = [padded[i : i + n] for i in range(len(padded) - n + 1)]
    return [piece for piece in found if " " not in (piece if n == 1 else piece[1:-1]) and piece.strip()]


@given(st.lists(st.lists(st.text("aé漢", min_size=1, max_size=6), max_size=3), min_size=1, max_size=3))
def test_char_ngrams_are_those_inside_words(words: list[list[str]]) -> None:
    texts = [" ".join(row) for row in words]
    rows, hashes = features.char_ngrams(texts, shortest=1, longest=4)
    for row, text in enumerate(texts):
        expected = [(n, piece) for n in (1, 2, 3, 4) for piece in pieces(text, n)]
        found = hashes[rows == row].tolist()
        assert len(found) == len(expected)
        assert len(set(found)) == len(set(expected))


def test_equal_pieces_have_equal_hashes_in_every_text() -> None:
    rows, hashes = features.char_ngrams(["abc", "x abc"], shortest=3, longest=3)
    assert set(hashes[rows == 0].tolist()) <= set(hashes[rows == 1].tolist())


def test_hashes_do_not_change() -> None:
    assert features.of_strings(["", "word"]).tolist() == [0, 2560258072975866182]


def test_counts_of_one_bucket_are_summed() -> None:
    hashes = np.array([5, 5, 9, 5], dtype=np.uint64)
    matrix = features.counted(np.array([0, 0, 2, 2]), hashes, np.array([1.0, 2.0, 3.0, 4.0]), n_rows=3, buckets=8)
    assert matrix.starts.tolist() == [0, 1, 1, 3]
    assert matrix.columns.tolist() == [5, 1, 5]
    assert matrix.values.tolist() == [3.0, 3.0, 4.0]
    assert matrix.rows.tolist() == [0, 2, 2]
