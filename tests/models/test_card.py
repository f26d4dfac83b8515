"""The card of a model: what it says of scores, limits and costs, all of it from plain data."""

from __future__ import annotations

from typing import Any

import pytest

from models import card

RECORD: dict[str, Any] = {
    "train_loss": [2.0, 1.0],
    "ended": "steps",
    "unit": "tokens",
    "units": 4096,
    "timing": {"seconds": 12.5, "joules": 150.0, "energy_from": "an estimate: 12 W", "peak_memory": 2_000_000},
}
SCORE = {"metric": "perplexity", "value": 1.5, "ci_low": 1.25, "ci_high": 1.75, "n": 40}


def page(**changed: Any) -> str:
    facts: dict[str, Any] = {
        "name": "wiki-gpt",
        "about": "a model",
        "created": "2026-01-01",
        "lineage": {"tokens": "v1", "code": "textmill 1.0, gpt 2"},
        "config": {"seed": 0},
        "scores": [SCORE],
        "record": RECORD,
        "limits": ["It knows little."],
    }
    return card.page(**{**facts, **changed})


@pytest.mark.parametrize(
    "line",
    [
        "| perplexity | 1.5 | 1.25 to 1.75 | 40 |",
        "| code | textmill 1.0, gpt 2 |",
        "| tokens | 4,096 |",
        "| joules | 150 |",
        "| energy from | an estimate: 12 W |",
        "| peak memory in bytes | 2,000,000 |",
        "- It knows little.",
    ],
)
def test_a_card_tells_data_scores_limits_and_costs_with_units(line: str) -> None:
    assert line in page().splitlines()


@pytest.mark.parametrize(
    ("rows", "scores", "record", "said"),
    [
        ({}, [], {}, "There was no row to validate on"),
        ({"rows": 9, "longer_than_context": 2, "policy": "drop"}, [SCORE], {}, "2 of 9 rows were longer"),
        (
            {"rows": 9, "longer_than_context": 0, "policy": "drop", "without_tokens": 1},
            [SCORE],
            {},
            "1 of 9 rows had no",
        ),
        (
            {"rejects": {"missing_value": 3, "invalid_tag": 1}},
            [SCORE],
            {},
            "4 rows were left out: 1 as invalid_tag, 3 as",
        ),
        (
            {"held_out": {"rows": 5, "longer_than_context": 1, "policy": "truncate"}},
            [SCORE],
            {},
            "1 of 5 held-out rows were longer than its context and scored without their ends.",
        ),
        (
            {"held_out": {"rows": 5, "longer_than_context": 1, "policy": "drop"}},
            [SCORE],
            {},
            "1 of 5 held-out rows were longer than its context and not scored.",
        ),
        ({}, [SCORE], {"ended": "max_minutes"}, "ended before its last step, by max_minutes"),
    ],
)
def test_limits_are_what_the_machine_knows(
    rows: dict[str, Any], scores: list[Any], record: dict[str, Any], said: str
) -> None:
    first, second = card.limits_of({**RECORD, **record}, rows, scores)
    assert first.startswith("It knows the texts it was trained on")
    assert said in second
