from __future__ import annotations

from typing import Any

import pytest

from pipelines.training_page import TrainingPage, panels, render, took

RECORD = {
    "train_loss": [3.0, 2.0, float("inf"), 1.0],
    "train_parts": {"kl": [0.5, 0.25]},
    "validation_steps": [4],
    "validation_loss": [1.5],
    "unit": "tokens",
    "units": 4096,
    "ended": "steps",
    "timing": {"seconds": 12.34, "peak_memory": 2_000_000, "counted_flops": 7.0, "energy_from": "an estimate"},
}

NO_STEPS: dict[str, Any] = {"train_loss": [], "train_parts": {}, "validation_steps": [], "validation_loss": []}


def page(**options: Any) -> str:
    facts: dict[str, Any] = {
        "name": "wiki-gpt",
        "about": "a model",
        "created": "2026-01-01",
        "lineage": {"tokens": "v1"},
        "config": {"model": {"width": 8}, "seed": 3},
        "scores": [{"metric": "loss", "value": 1.5, "ci_low": 1.25, "ci_high": 1.75, "n": 40}],
        "record": RECORD,
        "shown": {},
        "limits": ["It knows little."],
    }
    return render(TrainingPage(**{**facts, **options}))


def test_scores_have_their_interval_and_curves_are_drawn() -> None:
    drawn = page()
    assert "1.250 to 1.750" in drawn
    assert "<svg" in drawn
    assert "It knows little." in drawn


def test_what_training_told_beside_its_loss_has_a_panel_that_ends_with_the_last_step() -> None:
    found = panels({**RECORD, "train_parts": {"judge_accuracy": [0.5, 0.25]}})
    assert found == [
        ("loss", "train", [(1, 3.0), (2, 2.0), (4, 1.0)]),
        ("loss", "validation", [(4, 1.5)]),
        ("judge accuracy", "train", [(3, 0.5), (4, 0.25)]),
    ]


def test_without_steps_there_are_no_curves_and_without_rows_no_scores() -> None:
    drawn = page(record={**RECORD, **NO_STEPS}, scores=[])
    assert "<svg" not in drawn
    assert "no row was held out" in drawn


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (["one <b>text</b>"], "<li>one &lt;b&gt;text&lt;/b&gt;</li>"),
        ([{"source": "ein", "output": "one"}], "<td>ein</td><td>one</td>"),
        ({"active units": 5}, '<th scope="row">active units</th><td>5</td>'),
        ({"straight": ["a", "b"]}, "<h3>straight</h3>"),
        ("the model wins", "<p>the model wins</p>"),
        ({"rows": ["one"], "columns": ["ein", "."], "values": [[0.75, 0.25]]}, "var(--chart-1) 33%"),
    ],
)
def test_what_is_shown_is_drawn_by_its_shape(shown: Any, wanted: str) -> None:
    drawn = page(shown={"Title": shown})
    assert "<h2>Title</h2>" in drawn
    assert wanted in drawn


def test_lines_are_drawn_and_told() -> None:
    rows = [
        {"temperature": 0.5, "bleu": 0.75, "self_bleu": 0.875},
        {"temperature": 1.25, "bleu": 0.25, "self_bleu": 0.5},
    ]
    lines = {"x": "self_bleu", "y": "bleu", "series": {"gan": rows, "likelihood": rows}}
    quiet = page(record={**RECORD, **NO_STEPS}, shown={"C": lines})
    drawn = quiet[quiet.index("<svg") : quiet.index("</svg>")]
    assert all(f">{word}<" in drawn for word in ("self bleu", "bleu", "gan", "likelihood", "1.25"))
    assert "<td>0.875</td>" in quiet
    assert "<h3>likelihood</h3>" in quiet


def test_what_it_took_is_in_units_for_people() -> None:
    assert took(RECORD["timing"]) == [("seconds", "12.3"), ("peak memory", "2.0 MB"), ("energy from", "an estimate")]  # type: ignore[arg-type]
