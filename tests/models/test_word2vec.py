from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.embeddings.word2vec import TooFewWordsError, Word2VecConfig, Word2VecConfigError, sentences, train

TEXTS = 30 * ["The cat sat on the mat. The dog sat on the mat.", "A cat met a dog in 1984."]
SMALL = Word2VecConfig(dim=8, epochs=2, min_count=2)


def digest_of(seed: int) -> str:
    return hashlib.sha256(train(TEXTS, SMALL, seed=seed).vectors.tobytes()).hexdigest()


def test_equal_seeds_give_equal_bytes() -> None:
    assert digest_of(7) == digest_of(7)


def test_other_seed_gives_other_vectors() -> None:
    assert digest_of(7) != digest_of(8)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_hash_seed_of_python_does_not_matter(hash_seed: str) -> None:
    code = (
        "import hashlib\n"
        "from models.embeddings.word2vec import train, Word2VecConfig\n"
        f"vectors = train(30 * {TEXTS[:2]!r}, {SMALL!r}, seed=7).vectors\n"
        "print(hashlib.sha256(vectors.tobytes()).hexdigest())\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONWARNINGS": "ignore"}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest_of(7)


def test_words_come_most_frequent_first_with_their_counts() -> None:
    vectors = train(TEXTS, SMALL)
    assert vectors.words[0] == "the"
    assert int(vectors.counts[0]) == 120


def test_rare_words_get_no_vector() -> None:
    assert "zebra" not in train([*TEXTS, "One zebra."], SMALL)


def test_vectors_have_the_size_asked_for() -> None:
    assert train(TEXTS, SMALL).vectors.shape[1] == 8


def test_progress_counts_epochs() -> None:
    seen: list[tuple[int, int]] = []
    train(TEXTS, SMALL, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_a_generator_of_texts_is_enough() -> None:
    assert train((text for text in TEXTS), SMALL).words == train(TEXTS, SMALL).words


def test_sentences_are_normalised_and_kept_apart() -> None:
    assert list(sentences("Born in 1984. Died late.")) == [["born", "in", "0000"], ["died", "late"]]


def test_too_little_text_is_an_error() -> None:
    with pytest.raises(TooFewWordsError, match="min_count"):
        train(["one two three"], SMALL)


@pytest.mark.parametrize(
    ("options", "name"), [({"dim": 0}, "dim"), ({"sample": 0.0}, "sample"), ({"final_learning_rate": 1.0}, "final_")]
)
def test_bad_option_is_named(options: dict[str, float], name: str) -> None:
    with pytest.raises(Word2VecConfigError, match=name):
        Word2VecConfig(**options)
