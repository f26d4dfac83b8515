from __future__ import annotations

import pytest

from pipelines.language import READ_CHARS, identify


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The river carries water past the castle and the old town.", "en"),
        ("THE RIVER CARRIES WATER PAST THE CASTLE AND THE OLD TOWN.", "en"),
        ("Der Fluss führt Wasser an der Burg und der alten Stadt vorbei.", "de"),
        ("Ріка несе воду повз замок і старе місто.", "uk"),
        ("यह नदी किले के पास से बहती है और शहर को पानी देती है।", "hi"),
    ],
)
def test_language_is_found_with_a_probability(text: str, language: str) -> None:
    found, probability = identify([text])[0]
    assert found == language
    assert 0.5 < probability <= 1


@pytest.mark.parametrize("text", ["", "12 34", "!?"])
def test_text_without_letters_is_undecided(text: str) -> None:
    assert identify([text]) == [("und", 0.0)]


def test_only_the_beginning_is_read() -> None:
    english = "The river carries water past the castle. " * 60
    assert identify([english + "и в не на что он " * 999]) == identify([english[:READ_CHARS]])
