from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from models.embeddings.lines import TooFewWordsError
from models.embeddings.vectors import WordVectors
from models.embeddings.word2vec import Word2VecConfig, Word2VecConfigError, fit, lines_of, train, trained

TEXTS = 30 * ["The cat sat on the mat. The dog sat on the mat.", "A cat met a dog in 1984."]
ALIKE = 200 * ["red fruit ripe apple", "red fruit ripe pear", "slow road long car", "slow road long bus"]
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


@pytest.mark.parametrize("texts", [[], [""], ["word"], ["one two three"]])
def test_too_little_text_is_an_error(texts: list[str]) -> None:
    with pytest.raises(TooFewWordsError, match=r"no word occurs 2 times .* lower min_count"):
        train(texts, SMALL)


def test_one_word_is_enough() -> None:
    vectors = train(["word"], Word2VecConfig(dim=4, min_count=1, epochs=1))
    assert (vectors.words, vectors.vectors.shape) == (("word",), (1, 4))


def test_how_texts_are_batched_changes_nothing(tmp_path: Path) -> None:
    texts = pl.Series(TEXTS)
    found = fit([texts[:7], texts[7:7], texts[7:]], SMALL, seed=7, folder=tmp_path)
    assert hashlib.sha256(found.vectors.tobytes()).hexdigest() == digest_of(7)


@pytest.mark.parametrize("architecture", ["skip-gram", "cbow"])
@pytest.mark.parametrize("objective", ["negative-sampling", "hierarchical-softmax"])
def test_words_used_alike_end_up_alike(architecture: str, objective: str, tmp_path: Path) -> None:
    config = Word2VecConfig(architecture=architecture, objective=objective, dim=8, window=3, epochs=40, sample=1.0)
    vectors = fit([pl.Series(ALIKE)], config, seed=1, folder=tmp_path)
    assert vectors.similarity("apple", "pear") > vectors.similarity("apple", "bus") + 0.2


def test_every_choice_trains_something_else(tmp_path: Path) -> None:
    choices = [(a, o) for a in ("skip-gram", "cbow") for o in ("negative-sampling", "hierarchical-softmax")]
    found = [
        fit([pl.Series(TEXTS)], Word2VecConfig(dim=8, epochs=1, architecture=a, objective=o), folder=tmp_path)
        for a, o in choices
    ]
    assert len({vectors.vectors.tobytes() for vectors in found}) == 4


def test_two_workers_learn_too(tmp_path: Path) -> None:
    config = Word2VecConfig(dim=8, window=3, epochs=40, sample=1.0, workers=2)
    vectors = fit([pl.Series(ALIKE)], config, folder=tmp_path)
    assert vectors.similarity("apple", "pear") > vectors.similarity("apple", "bus") + 0.2


def test_phrases_get_a_vector(tmp_path: Path) -> None:
    texts = pl.Series(20 * ["He saw New York and the sea.", "The sea he and the boat saw."])
    config = Word2VecConfig(dim=8, epochs=1, phrases=1, phrase_threshold=2.0)
    vectors = fit([texts], config, folder=tmp_path)
    assert "new_york" in vectors and "new" not in vectors


def test_vectors_are_those_of_gensim(tmp_path: Path) -> None:
    from gensim.models import Word2Vec

    vectors = fit([pl.Series(TEXTS)], SMALL, seed=7, folder=tmp_path)
    theirs = Word2Vec(
        sg=1, vector_size=8, window=10, negative=5, min_count=2, alpha=0.05, min_alpha=1e-4, workers=1, seed=7,
        sorted_vocab=0,
    )  # fmt: skip
    counts = dict(zip(vectors.words, vectors.counts.tolist(), strict=True))
    theirs.build_vocab_from_freq(counts, corpus_count=90)
    theirs.train(corpus_file=str(tmp_path / "lines.txt"), total_examples=90, total_words=sum(counts.values()), epochs=2)
    assert theirs.wv.vectors.tobytes() == vectors.vectors.tobytes()


def test_contexts_are_added(tmp_path: Path) -> None:
    config = Word2VecConfig(dim=8, epochs=2, min_count=2, add_contexts=True)
    vectors = fit([pl.Series(TEXTS)], config, seed=7, folder=tmp_path)
    model = trained(lines_of([pl.Series(TEXTS)], SMALL, tmp_path), SMALL, seed=7)
    assert vectors.vectors.tobytes() == (model.wv.vectors + model.syn1neg).tobytes()


def test_saved_vectors_load_equal(tmp_path: Path) -> None:
    vectors = train(TEXTS, SMALL)
    vectors.save(tmp_path)
    assert np.array_equal(WordVectors.load(tmp_path).vectors, vectors.vectors)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"dim": 0}, "dim is 0"),
        ({"sample": 0.0}, "sample is 0.0"),
        ({"final_learning_rate": 1.0}, "final_learning_rate is 1.0"),
        ({"architecture": "skipgram"}, "architecture is 'skipgram'; it must be one of skip-gram, cbow"),
        ({"objective": "softmax"}, "objective is 'softmax'; it must be one of negative-sampling, hierarchical-softmax"),
        ({"context": "page"}, "context is 'page'; it must be one of sentence, paragraph"),
        ({"phrases": 9}, "phrases is 9"),
        ({"add_contexts": True, "objective": "hierarchical-softmax"}, "add_contexts needs objective negative-sampling"),
        ({"phrase_threshold": 0.0}, "phrase_threshold is 0"),
    ],
)
def test_bad_option_is_named(options: dict[str, Any], name: str) -> None:
    with pytest.raises(Word2VecConfigError, match=name):
        Word2VecConfig(**options)
