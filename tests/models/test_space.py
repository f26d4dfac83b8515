from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from data.errors import ConfigError
from models.space import Parameter, space, suggested


class Lowest:
    """Takes the low end, or the first choice, and remembers how it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        self.asked[name] = ("float", low, high, log)
        return low

    def suggest_int(self, name: str, low: int, high: int) -> int:
        self.asked[name] = ("int", low, high)
        return low

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        self.asked[name] = ("choice", *choices)
        return choices[0]


def test_every_kind_is_asked_for_as_written() -> None:
    found = space({
        "learning_rate": {"log": ["1e-4", "1e-2"]},  # as YAML reads them
        "clip": {"range": [0.5, 2]},
        "layers": {"ints": [1, 4]},
        "width": [64, 128],
        "optimiser": {"choices": ["adamw", "muon"]},
    })  # fmt: skip
    trial = Lowest()
    options = suggested(found, trial)
    assert options == {"learning_rate": 1e-4, "clip": 0.5, "layers": 1, "width": 64, "optimiser": "adamw"}
    assert trial.asked == {
        "learning_rate": ("float", 1e-4, 1e-2, True),
        "clip": ("float", 0.5, 2, False),
        "layers": ("int", 1, 4),
        "width": ("choice", 64, 128),
        "optimiser": ("choice", "adamw", "muon"),
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "the search space is empty"),
        ({}, "the search space is empty"),
        (["a"], "the search space is empty"),
        ({"clip": 1.0}, r"clip is 1.0; write it as \{log"),
        ({"clip": {"from": 1, "to": 2}}, "clip is .*write it as"),
        ({"clip": {"uniform": [1, 2]}}, r"clip: uniform is \[1, 2\]; write it as"),
        ({"clip": {"range": 3}}, "clip: range is 3; write it as"),
        ({"clip": {"range": [1, 2, 3]}}, r"clip: range is \[1, 2, 3\]; it must be two numbers"),
        ({"clip": {"range": [2, 1]}}, r"range is \[2, 1\]; the first must be below the second"),
        ({"clip": {"log": [0, 1]}}, "below the second and above 0"),
        ({"layers": {"ints": [1.5, 3]}}, "two whole numbers"),
        ({"layers": {"ints": [False, True]}}, "two whole numbers"),
        ({"width": []}, "width: there is nothing to choose from"),
    ],
)
def test_mistake_is_named(content: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        space(content)


def test_first_is_a_value() -> None:
    assert Parameter("width", "choices", (64, 128)).first == 64
