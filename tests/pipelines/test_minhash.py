from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import ConfigError
from pipelines import shingles
from pipelines.minhash import NO_WORDS, MinHashConfig, fingerprints, jaccard, shingle_sets, signatures
from pipelines.shingles import batches, read_words, runs

WORDS = [f"word{i}" for i in range(200)]
BASE = " ".join(WORDS)
OTHER = " ".join(f"other{i}" for i in range(200))
RIVER = "The river carries water past the castle."
GOLDEN = [2088511284, 2503614813, 1336527168, 772687862]
GOLDEN_LINES = [11540150684789890855]
GOLDEN_HASH = 11540150684789890936


def hashes(text: str) -> list[int]:
    words = read_words([text])
    assert words.bounds.tolist() == [0, len(words.hashes)]
    return words.hashes.tolist()


def normalised_hash(text: str) -> int:
    return int(fingerprints([text])["normalised_hash"].item())


def slow_shingles(words: list[str], ngram: int) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + ngram]) for i in range(max(1, len(words) - ngram + 1))}


def test_signature_is_the_same_on_every_machine() -> None:
    assert signatures([RIVER])[0, :4].tolist() == GOLDEN
    assert normalised_hash(RIVER) == GOLDEN_HASH
    assert fingerprints([RIVER])["line_hashes"].to_list() == [GOLDEN_LINES]


@pytest.mark.parametrize(
    "variant",
    [
        "THE RIVER carries water past the castle",
        "the river -- carries “water”, past\nthe castle!",
        "\u3000the\u00a0river\tcarries water past the castle…",
        "ｔｈｅ ｒｉｖｅｒ carries water past the ｃａｓｔｌｅ",
    ],
)
def test_case_blanks_signs_and_width_do_not_count(variant: str) -> None:
    assert normalised_hash(variant) == normalised_hash(RIVER)
    assert np.array_equal(signatures([variant]), signatures([RIVER]))


@pytest.mark.parametrize("pair", [("ﬁne", "fine"), ("½ a", "1/2 a"), ("Ⅷ", "viii"), ("ΟΔΟΣ", "οδος"), ("２²", "22")])
def test_compatibility_forms_are_written_out(pair: tuple[str, str]) -> None:
    assert hashes(pair[0]) == hashes(pair[1])


@pytest.mark.parametrize("pair", [("cafe", "café"), ("a b", "ab"), ("ab", "ba"), ("1 2", "12"), ("ss", "ß")])
def test_words_that_differ_have_different_hashes(pair: tuple[str, str]) -> None:
    assert hashes(pair[0]) != hashes(pair[1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don't stop", 3),
        ("हिन्दी भाषा", 2),
        ("日本語の本", 5),
        ("カタカナ", 4),
        ("แม่น้ำ", 6),
        ("한국어 위키백과", 2),
        ("می\u200cخواهم", 1),
        ("… — ! ™", 0),
        ("", 0),
    ],
)
def test_words_of_every_script(text: str, words: int) -> None:
    assert len(hashes(text)) == words


def test_one_more_character_is_another_text() -> None:
    assert normalised_hash(BASE + " x") != normalised_hash(BASE)


def test_texts_of_signs_alone_are_told_apart_and_like_nothing() -> None:
    made = fingerprints(["!!!", "???", "!!!"])
    first, second, third = made["normalised_hash"].to_list()
    assert first == third != second
    assert (signatures(["!!!"]) == NO_WORDS).all()
    assert not (signatures([BASE]) == NO_WORDS).any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=8), st.integers(1, 60))
def test_texts_do_not_influence_each_other(texts: list[str], chars: int) -> None:
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    together = fingerprints(texts)
    alone = [fingerprints([text]).row(0) for text in texts]
    assert together.rows() == alone
    assert [text for _, batch in batches(texts, chars) for text in batch] == texts
    assert [start for start, _ in batches(texts, chars)] == sorted({start for start, _ in batches(texts, chars)})


def test_long_texts_are_read_in_chunks_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{BASE} {'x' * 300} {OTHER}"
    whole = hashes(text)
    monkeypatch.setattr(shingles, "_CHUNK", 64)
    shingles._chunk_powers.cache_clear()
    try:
        assert hashes(text) == whole
    finally:
        shingles._chunk_powers.cache_clear()


@pytest.mark.parametrize("text", ["x" * 500_000, "x " * 250_000, "\n" * 500_000, "½" * 50_000, "字" * 200_000])
def test_work_is_linear_on_hostile_texts(text: str) -> None:
    made = fingerprints([text, RIVER])
    assert made["normalised_hash"][1] == GOLDEN_HASH


def test_shingles_are_the_runs_of_five_words() -> None:
    texts = ["a b c d e f", "a b c d e", "a b c d", "f e d c b a a b c d e", "a b c d e a b c d e a b c d e"]
    for text, found in zip(texts, shingle_sets(texts), strict=True):
        assert len(found) == len(slow_shingles(text.split(), 5))
    assert jaccard(*shingle_sets(texts[:2])) == 1 / 2
    assert jaccard(*shingle_sets([texts[0], texts[3]])) == 1 / 8
    assert jaccard(*shingle_sets(["", ""])) == 0


def test_runs_do_not_reach_from_one_text_into_the_next() -> None:
    _, bounds = runs(read_words(["a b c d", "e f g h i j", ""]), 5)
    assert bounds.tolist() == [0, 1, 3, 4]


def test_share_of_equal_values_estimates_the_jaccard_similarity() -> None:
    left, right = " ".join(WORDS[:150]), " ".join(WORDS[50:])
    both = signatures([left, right], config=MinHashConfig(permutations=1024))
    assert (both[0] == both[1]).mean() == pytest.approx(96 / 196, abs=0.06)


def test_estimates_have_the_error_that_independent_permutations_have() -> None:
    texts = [" ".join(f"t{t}w{i}" for i in range(shift, shift + 100)) for t in range(60) for shift in (0, 8)]
    made = signatures(texts)
    errors = (made[0::2] == made[1::2]).mean(axis=1) - 88 / 104
    assert abs(errors.mean()) < 0.02
    assert errors.std() < 1.5 * np.sqrt(0.846 * 0.154 / 112)


def test_table_of_characters_agrees_with_unicode() -> None:
    for char in "aÀæЖжήไあ漢ﬀ¾٣":
        kind = int(shingles._characters()[ord(char)] >> 24)
        assert kind > 0
        assert unicodedata.category(char)[0] in "LN"
    assert not any(int(shingles._characters()[ord(char)]) for char in "_-'’,.。「」\u00a0\u3000€+™\n")


def test_no_permutations_are_an_error() -> None:
    with pytest.raises(ConfigError, match="permutations"):
        MinHashConfig(permutations=0)
