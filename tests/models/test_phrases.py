from __future__ import annotations

import pytest

from models.tasks.function_words import FUNCTION_WORDS, function_words
from models.tasks.phrases import candidates, words_of


def phrases(text: str, *, limit: int = 1000) -> list[str]:
    return sorted(candidates(text, limit=limit))


def test_phrases_do_not_cross_punctuation() -> None:
    assert phrases("red apples, green pears") == ["apples", "green", "green pears", "pears", "red", "red apples"]


def test_phrases_hold_no_function_words() -> None:
    assert phrases("the roof of the house") == ["house", "roof"]


def test_names_may_hold_function_words_inside() -> None:
    assert "isle of man" in phrases("on the Isle of Man today")


def test_phrases_have_at_most_four_words() -> None:
    assert max(len(phrase.split()) for phrase in phrases("red green blue black white pink")) == 4


def test_hyphens_join_words() -> None:
    assert len(candidates("state-owned farms")) > 1


def test_numbers_and_single_letters_are_no_phrases() -> None:
    assert phrases("1984 x 77") == []


def test_possessive_ending_is_cut_at_the_end_only() -> None:
    found = phrases("Halley's comet. the work of Gershwin's")
    assert "halley's comet" in found
    assert "gershwin" in found
    assert "gershwin's" not in found


def test_words_beyond_the_limit_are_not_read() -> None:
    assert phrases("alpha. beta. gamma.", limit=2) == ["alpha", "beta"]


def test_spelling_used_most_is_shown() -> None:
    found = candidates("Jazz. jazz. jazz.")
    assert (found["jazz"].surface, found["jazz"].count) == ("jazz", 3)


def test_occurrences_inside_a_longer_phrase_are_not_independent() -> None:
    found = candidates("neural network. neural network. network.")
    assert (found["network"].count, found["network"].independent) == (3, 1.0)
    assert found["neural"].independent == 0.0


def test_capital_owed_to_a_sentence_start_makes_no_name() -> None:
    found = candidates("Rivers flow. In the Danube delta")
    assert (found["rivers"].names, found["danube"].names) == (0, 1)


@pytest.mark.parametrize("text", ["", "...", "the of and"])
def test_text_without_content_has_no_phrases(text: str) -> None:
    assert phrases(text) == []


def test_text_gets_the_function_words_of_its_own_language() -> None:
    assert function_words("der Hund und die Katze".lower().split()) is FUNCTION_WORDS["de"]
    assert function_words({"a", "man", "who", "may", "die", "in", "the", "war"}) is FUNCTION_WORDS["en"]


def test_text_without_function_words_counts_as_english() -> None:
    assert function_words(["zebra"]) is FUNCTION_WORDS["en"]


def test_common_words_begin_and_end_no_phrase() -> None:
    assert sorted(candidates("red apples", common={"red"})) == ["apples"]


def test_words_know_whether_they_follow_on() -> None:
    assert [word.joined for word in words_of("red apples, pears")] == [False, True, False]
