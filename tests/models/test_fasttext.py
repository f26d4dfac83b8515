from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.embeddings.fasttext import FastTextConfig, FastTextVectors, fit, ngrams, of_bytes
from models.embeddings.lines import TooFewWordsError, write
from models.embeddings.vectors import UnknownWordError, WordVectors
from models.embeddings.word2vec import Word2VecConfigError

TEXTS = pl.Series(30 * ["The cat sat on the mat. Кошка сидит.", "A cat met a dog in 1984. 猫と犬。"])
SMALL = FastTextConfig(dim=8, epochs=2, min_count=2, buckets=500, longest=5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> FastTextVectors:
    return fit([TEXTS], SMALL, seed=3, folder=tmp_path_factory.mktemp("scratch"))


def gensims(folder: Path) -> Any:
    from gensim.models import FastText

    lines = write([TEXTS], folder / "lines.txt")
    model = FastText(
        sg=1, vector_size=8, window=10, negative=5, epochs=2, min_count=2, alpha=0.05, min_alpha=1e-4, workers=1,
        seed=3, min_n=3, max_n=5, bucket=500, sorted_vocab=0,
    )  # fmt: skip
    model.build_vocab_from_freq(dict(lines.vocabulary(2).iter_rows()), corpus_count=lines.lines)
    model.train(corpus_file=str(lines.path), total_examples=lines.lines, total_words=lines.words, epochs=2)
    return model.wv


def test_vectors_of_all_words_are_those_of_gensim(trained: FastTextVectors, tmp_path: Path) -> None:
    theirs = gensims(tmp_path)
    for word in ("cat", "кошка", "猫", "catty", "кошки", "猫犬", "x", "naïve"):
        assert np.abs(trained.vector(word) - theirs[word]).max() <= 1e-6, word


@given(st.text(max_size=12))
def test_ngrams_and_hashes_are_those_of_gensim(word: str) -> None:
    from gensim.models.fasttext_inner import compute_ngrams_bytes, ft_hash_bytes

    word = "".join(code for code in word if not "\ud800" <= code <= "\udfff")
    for shortest, longest in ((1, 2), (3, 6)):
        found = list(ngrams(word, shortest, longest))
        assert found == compute_ngrams_bytes(word, shortest, longest)
        assert [of_bytes(ngram) for ngram in found] == [ft_hash_bytes(ngram) for ngram in found]


def test_unknown_words_with_shared_ngrams_are_similar(trained: FastTextVectors) -> None:
    assert "cats" not in trained.words
    assert trained.similarity("cats", "catsy") > 0.7 > 0.5 > trained.similarity("cats", "кошмар")


def test_most_similar_takes_any_word_and_leaves_it_out(trained: FastTextVectors) -> None:
    assert len(trained.most_similar("catlike", k=3)) == 3
    assert "cat" not in [word for word, _ in trained.most_similar("Cat", k=20)]


def test_word_without_ngrams_is_named() -> None:
    empty = WordVectors((), np.zeros((0, 2), np.float32), np.zeros(0, np.int64), np.zeros(2, np.float32))
    with pytest.raises(UnknownWordError, match="'a' is too short"):
        FastTextVectors(empty, np.zeros((4, 2), np.float32), 4, 6).vector("a")


def test_equal_seeds_give_equal_bytes(trained: FastTextVectors, tmp_path: Path) -> None:
    again = fit([TEXTS[:9], TEXTS[9:]], SMALL, seed=3, folder=tmp_path)
    other = fit([TEXTS], SMALL, seed=4, folder=tmp_path)
    assert again.ngrams.tobytes() == trained.ngrams.tobytes() != other.ngrams.tobytes()


def test_saved_model_loads_equal_without_pickles(trained: FastTextVectors, tmp_path: Path) -> None:
    trained.save(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["config.json", "ngrams.safetensors", "vectors.safetensors", "vocabulary.json"]
    loaded = FastTextVectors.load(tmp_path)
    assert all(np.array_equal(loaded.vector(word), trained.vector(word)) for word in ("cat", "catty", "猫"))


def test_too_little_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TooFewWordsError, match="lower min_count"):
        fit([], SMALL, folder=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"buckets": 0}, "buckets is 0"),
        ({"shortest": 4, "longest": 3}, "shortest is 4 and longest 3"),
        ({"objective": "nce"}, "objective is 'nce'"),
        ({"add_contexts": True}, "add_contexts is for word2vec"),
    ],
)
def test_bad_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Word2VecConfigError, match=message):
        FastTextConfig(**options)
