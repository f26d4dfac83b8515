"""A training in two processes, as `textmill train --processes 2` starts it."""

from __future__ import annotations

from pathlib import Path

import pytest
from training_lake import corpus_lake

from data.errors import TextmillError
from flows.training import torchrun
from flows.training.order import Order
from flows.training.running import run
from models import fitting
from models.registry import Registry
from models.training import Moment

SMALL = {"steps": 6, "batch_size": 4, "width": 16, "layers": 1, "heads": 2, "context": 8, "validate_every": 3}


def test_steps_of_another_process_are_heard(capsys: pytest.CaptureFixture[str]) -> None:
    moment = Moment(3, 6, 2.5, 1e-3, 96, 1.5, {"kl": 0.5}, {"loss": float("nan")}, "words")
    fitting.reported(moment)
    heard: list[Moment] = []
    torchrun.hear(["a library says something\n", *capsys.readouterr().out.splitlines(keepends=True)], heard.append)
    assert repr(heard) == repr([moment])


@pytest.mark.long
def test_two_processes_register_what_one_would(tmp_path: Path) -> None:
    records = {}
    for processes in (1, 2):
        lake = corpus_lake(tmp_path / str(processes))
        steps: list[int] = []
        wanted = Order(lake=lake, model="gpt", options=SMALL, processes=processes)
        result = run(wanted, created="2026", watch=lambda moment, steps=steps: steps.append(moment.step))
        assert steps == [1, 2, 3, 4, 5, 6]
        assert Registry(lake.models).load(result.model, "candidate").version == result.version
        records[processes] = result.record
    assert records[2]["train_loss"] == pytest.approx(records[1]["train_loss"], rel=1e-5)
    assert records[2]["validation"]["loss"] == pytest.approx(records[1]["validation"]["loss"], rel=1e-5)
    assert records[2]["timing"]["flops"] == pytest.approx(records[1]["timing"]["flops"])


@pytest.mark.long
def test_error_of_a_process_is_told(tmp_path: Path) -> None:
    order = Order(lake=corpus_lake(tmp_path), model="gpt", options={**SMALL, "batch_size": 3}, processes=2)
    with pytest.raises(TextmillError, match="failed: batch_size is 3; it must be a multiple of accumulate x processes"):
        run(order, created="2026")
