"""What is told of a version, before MLflow comes into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirrored import STARTED, registered

from data.lake import Lake
from flows.mirroring.content import POINTS, Content, history, is_drawn, milliseconds
from models.registry import Registry


def told(tmp_path: Path, *moves: dict[str, Any], **changed: Any) -> Content:
    lake = Lake(tmp_path / "lake")
    return Content(Registry(lake.models).load("mood", registered(lake, **changed)), moves)


def move(to: str = "v000001", action: str = "promote", **evidence: Any) -> dict[str, Any]:
    return {"action": action, "alias": "champion", "from": None, "to": to, "when": "2026-02-03T04:05:06+00:00",
            "evidence": evidence}  # fmt: skip


def test_options_are_flat_and_sizes_of_the_data_are_among_them(tmp_path: Path) -> None:
    assert told(tmp_path).params == {
        "model.width": "8",
        "model.vocab_size": "99",
        "training.steps": "3",
        "training.precision": "null",
        "seed": "0",
    }


def test_tags_tell_where_it_comes_from(tmp_path: Path) -> None:
    assert told(tmp_path).tags == {
        "textmill.model": "mood",
        "textmill.kind": "gpt",
        "textmill.training_key": "key-0",
        "textmill.version": "v000001",
        "textmill.code": "1.2",
        "textmill.lineage.tokens": "v1",
        "textmill.lineage.tokenizer": "abc",
        "mlflow.source.name": "textmill train gpt",
        "mlflow.source.type": "JOB",
        "mlflow.note.content": "# mood\n\nIt knows moods.\n",
    }


def test_curves_are_those_of_the_record_and_end_with_the_training(tmp_path: Path) -> None:
    found = [(p.name, p.value, p.step, p.seconds) for p in told(tmp_path).curves() if p.name != "train/kl"]
    assert found == [
        ("train/loss", 3.0, 1, 2.0),
        ("train/loss", pytest.approx(8 / 3), 2, 4.0),
        ("train/loss", pytest.approx(7 / 3), 3, 6.0),
        ("validation/loss", 2.5, 2, 4.0),
        ("validation/loss", 2.0, 3, 6.0),
    ]


def test_a_long_curve_is_thinned_and_keeps_its_ends(tmp_path: Path) -> None:
    steps = [p.step for p in told(tmp_path, steps=2500).curves() if p.name == "train/loss"]
    assert steps[:3] == [1, 3, 6]
    assert steps[-2:] == [2499, 2500]


@given(st.integers(1, 10**6))
def test_a_curve_has_few_points(steps: int) -> None:
    stride = next(step for step in range(2, steps + 3) if is_drawn(step, steps) or step > steps)
    assert steps / stride <= POINTS
    assert is_drawn(1, steps)


def test_figures_are_scores_costs_and_what_the_gate_said(tmp_path: Path) -> None:
    moves = [move(gain=9.0), move(gain=0.4, reason="better", promote=True), move("v000002", gain=5.0)]
    found = {point.name: point.value for point in told(tmp_path, *moves).figures()}
    assert found == {
        "score/loss": 2.0,
        "score/loss_ci_low": 1.5,
        "score/loss_ci_high": 2.5,
        "training_cost/seconds": 6.0,
        "training_cost/joules": 7.0,
        "training_cost/units": 90.0,
        "score/gate_gain": 0.4,
    }


@pytest.mark.parametrize(
    ("changed", "moves", "first"),
    [
        ({}, [], "v000001: loss 2 (1.5 to 2.5)"),
        ({"metrics": []}, [move(reason="gain +0.4")], "v000001: gain +0.4"),
        ({"metrics": []}, [], "v000001: gpt, not scored"),
    ],
)
def test_a_version_is_summed_up_in_a_line(tmp_path: Path, changed: Any, moves: Any, first: str) -> None:
    assert told(tmp_path, *moves, **changed).summary.splitlines()[0] == first


def test_a_version_without_card_or_record_is_told_by_its_lineage(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "weights").write_bytes(b"w")
    model = Registry(lake.models).register(
        "mood", tmp_path / "source", kind="sentiment", lineage={"texts": "v9"}, config={"l2": [1, 2]},
        training_key="k", created="2026",
    )  # fmt: skip
    found = Content(model)
    assert "| texts | v9 |" in found.note
    assert (found.params, found.started, list(found.curves())) == ({"l2": "[1, 2]"}, 0, [])
    assert found.shown == ["model.json"]


def test_what_is_new_changes_the_digest(tmp_path: Path) -> None:
    one = told(tmp_path)
    assert Content(one.model, (move(gain=1.0),)).digest != one.digest == Content(one.model, (move("v9"),)).digest


def test_moves_are_told_the_newest_first() -> None:
    moves = [move(reason="gain +0.4"), move("v000002", by_hand="it writes better"), move(action="rollback")]
    assert history("mood", moves).splitlines()[2:] == [
        "- 2026-02-03 04:05 rollback champion: none → v000001 ",
        "- 2026-02-03 04:05 promote champion: none → v000002 (it writes better)",
        "- 2026-02-03 04:05 promote champion: none → v000001 (gain +0.4)",
    ]
    assert len(history("mood", moves * 500, last=1500)) == 5000


def test_times_are_milliseconds_of_the_epoch() -> None:
    assert milliseconds("2026-01-01T00:00:00+00:00") == STARTED
