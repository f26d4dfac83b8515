from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from data.errors import ConfigError
from models.options import divided, parsed


@dataclass(frozen=True, kw_only=True)
class Model:
    width: int = 8
    dropout: float = 0.0
    kind: str = "plain"
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Training:
    steps: int = 1
    width: int = 3


KINDS: dict[str, type] = {"model": Model, "training": Training}


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("steps=200", {"steps": 200}),
        (" steps =200", {"steps": 200}),
        ("rate=3e-4", {"rate": 0.0003}),
        ("kind=plain", {"kind": "plain"}),
        ("kind=a=b", {"kind": "a=b"}),
        ("sizes=[1, 2]", {"sizes": [1, 2]}),
        ("compile=true", {"compile": True}),
        ("budget=", {"budget": None}),
    ],
)
def test_values_are_read_as_yaml(word: str, found: dict[str, Any]) -> None:
    assert parsed([word]) == found


@pytest.mark.parametrize("word", ["steps", "=3", " =3"])
def test_a_word_without_a_key_is_an_error(word: str) -> None:
    with pytest.raises(ConfigError, match="write it as key=value"):
        parsed([word])


def test_a_value_that_is_no_yaml_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"--set steps=\[1: the value is no YAML"):
        parsed(["steps=[1"])


def test_options_go_to_the_first_dataclass_that_has_them_or_to_the_one_named() -> None:
    given = {"steps": 5, "width": 16, "training.width": 4, "dropout": 1, "sizes": [1, 2]}
    assert divided(given, KINDS) == {
        "model": {"width": 16, "dropout": 1.0, "sizes": (1, 2)},
        "training": {"steps": 5, "width": 4},
    }


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("stepps", r"there is no option 'stepps'; do you mean steps\? options are dropout, kind, sizes, steps, width$"),
        ("quark", "there is no option 'quark'; options are dropout, kind, sizes, steps, width$"),
        ("training.kind", "there is no option 'training.kind'"),
        ("other.steps", "there is no option 'other.steps'; do you mean steps"),
    ],
)
def test_an_unknown_option_is_told_with_those_that_are_there(key: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        divided({key: 1}, KINDS)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("steps", "many", "steps is 'many'; it must be a valid integer"),
        ("steps", 1.5, "steps is 1.5; it must be a valid integer"),
        ("steps", True, "steps is True; it must be a valid integer"),
        ("dropout", "0.1", "dropout is '0.1'; it must be a valid number"),
        ("kind", 5, "kind is 5; it must be a valid string"),
        ("sizes", ["x"], r"sizes is \['x'\]; it must be a valid integer"),
    ],
)
def test_a_value_of_another_type_is_an_error(key: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        divided({key: value}, KINDS)
