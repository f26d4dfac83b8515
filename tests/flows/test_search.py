"""Searches: trials that are pruned, fail, are interrupted and gone on with; the best options as a config."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from training_lake import corpus_lake
from typer.testing import CliRunner

from data.errors import ConfigError, TextmillError
from data.lake import Lake
from flows.cli import app
from flows.searching import study as studies
from flows.searching.command import lines
from flows.searching.flow import line, page
from flows.searching.running import Found, Search, begun
from flows.training.order import Order
from flows.training.running import run
from models.space import space
from models.training import Moment, TrainingRecord, Watcher
from models.training.checkpoints import Checkpoints

SMALL = {
    "steps": 6, "batch_size": 2, "width": 16, "layers": 1, "heads": 2, "context": 8, "validate_every": 2,
    "validation_batches": 2, "checkpoint_every": 1, "costs": False,
}  # fmt: skip
SPACE = {"learning_rate": {"log": [1e-4, 1e-1]}, "heads": [1, 2]}


def search(lake: Lake, trials: int = 3, content: Any = SPACE, **changed: Any) -> Search:
    options = {**SMALL, **changed.pop("options", {})}
    return Search(Order(lake=lake, model="gpt", options=options), space(content), trials, **changed)


def done(wanted: Search, **options: Any) -> Found:
    with begun(wanted, **options) as running:
        before = running.finished
        while running.finished < wanted.trials:
            running.trial()
        return running.result(running.finished - before)


def test_best_options_are_a_config_for_train(tmp_path: Path) -> None:
    lake = corpus_lake(tmp_path)
    found = done(search(lake))
    losses = [trial["loss"] for trial in found.trials]
    assert found.loss == min(losses)
    assert yaml.safe_load(found.config.read_text("utf-8")) == found.options
    record = run(Order(lake=lake, model="gpt", options=found.options), created="2026").record
    assert record["validation_loss"][-1] == pytest.approx(found.loss)


def test_nothing_is_registered_and_no_checkpoint_stays(tmp_path: Path) -> None:
    lake = corpus_lake(tmp_path)
    found = done(search(lake, trials=1))
    assert not lake.models.exists()
    assert sorted(path.name for path in found.config.parent.iterdir()) == [
        "best.yaml",
        "data",
        "reads.json",
        "study.log",
    ]


def test_finished_trials_are_not_repeated_and_more_may_be_asked_for(tmp_path: Path) -> None:
    lake = corpus_lake(tmp_path)
    first = done(search(lake, trials=2))
    assert done(search(lake, trials=2), watch=_never).trials == first.trials
    more = done(search(lake, trials=3))
    assert (more.done, more.trials[:2]) == (1, first.trials)


def _never(moment: Moment) -> None:
    raise AssertionError(moment)


@pytest.mark.parametrize("change", [{"options": {"steps": 8}}, {"pruner": "none"}, {"content": {"heads": [1, 2]}}])
def test_another_question_is_another_study(tmp_path: Path, change: dict[str, Any]) -> None:
    lake = corpus_lake(tmp_path)
    with begun(search(lake)) as one, begun(search(lake, **change)) as other:
        assert one.folder != other.folder


class KilledError(Exception):
    pass


def killed_after(steps: int) -> Callable[[Moment], None]:
    """Interrupts after so many steps of all trials together."""
    seen: list[int] = []

    def watch(moment: Moment) -> None:
        seen.append(moment.step)
        if len(seen) == steps:
            raise KilledError

    return watch


def test_interrupted_search_goes_on_inside_its_trial_and_finds_the_same(tmp_path: Path) -> None:
    whole = done(search(corpus_lake(tmp_path / "whole")))
    lake, steps = corpus_lake(tmp_path / "killed"), []
    with pytest.raises(KilledError):
        done(search(lake), watch=killed_after(6 + 5))
    found = done(search(lake), watch=lambda moment: steps.append(moment.step))
    assert steps == [5, 6, 1, 2, 3, 4, 5, 6]  # the fifth step was told and not kept: it is done again
    assert found.trials == whole.trials


@pytest.mark.parametrize("when", ["before", "after"])
def test_no_validation_is_lost_by_a_kill_beside_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    lake, save, saved = corpus_lake(tmp_path), Checkpoints.save, []

    def killed(self: Checkpoints, *given: Any) -> None:
        saved.append(given[0])
        if len(saved) == 4 and when == "before":
            raise KilledError
        save(self, *given)
        if len(saved) == 4:
            raise KilledError

    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(Checkpoints, "save", killed)
        done(search(lake, trials=1))
    with begun(search(lake, trials=1)) as running:
        running.trial()
        assert list(running.study.trials[0].intermediate_values) == [2, 4, 6]


def with_losses(curves: dict[int, list[float]]) -> studies.Train:
    """Trainings with these validation losses, by trial."""

    def train(number: int, options: Any, watch: Watcher) -> TrainingRecord:
        record = TrainingRecord()
        for step, loss in enumerate(curves[number], start=1):
            record.validated(step, {"loss": loss})
            record.kept_step = step
            watch(Moment(step=step, steps=4, loss=0, rate=0, units=0, seconds=0, parts={}, scores={"loss": loss}))
        return record

    return train


def test_hopeless_trial_is_pruned(tmp_path: Path) -> None:
    study = studies.open_study(tmp_path, "s", pruner="median", validate_every=1, steps=4)
    curves = {number: [4.0, 3.0, 2.0, 1.0] for number in range(5)} | {5: [9.0, 9.0, 9.0, 9.0], 6: [3.0, 2.0, 1.0, 0.5]}
    for _ in curves:
        studies.carry_out(study, studies.next_trial(study, 0), space({"x": {"range": [0, 1]}}), with_losses(curves))
    states = [trial.state.name for trial in study.trials]
    assert states == [*["COMPLETE"] * 5, "PRUNED", "COMPLETE"]
    assert list(study.trials[5].intermediate_values) == [1]
    assert studies.best(study).number == 6


def test_hyperband_compares_from_the_first_validation(tmp_path: Path) -> None:
    study = studies.open_study(tmp_path, "s", pruner="hyperband", validate_every=1, steps=4)
    curves = {number: [float(number % 5)] * 4 for number in range(20)}
    for _ in curves:
        studies.carry_out(study, studies.next_trial(study, 0), space({"x": {"range": [0, 1]}}), with_losses(curves))
    assert {trial.state.name for trial in study.trials} == {"COMPLETE", "PRUNED"}
    assert studies.best(study).value == 0.0


def test_trials_differ_and_follow_from_the_seed(tmp_path: Path) -> None:
    found = []
    curves = {number: [1.0] for number in range(4)}
    for name, seed in (("a", 0), ("b", 0), ("c", 1000)):
        (tmp_path / name).mkdir()
        study = studies.open_study(tmp_path / name, "s", pruner="none", validate_every=1, steps=4)
        for _ in range(4):
            trial = studies.next_trial(study, seed)
            studies.carry_out(study, trial, space({"x": {"range": [0, 1]}}), with_losses(curves))
        found.append([trial.params["x"] for trial in study.trials])
    assert found[0] == found[1] != found[2]
    assert len(set(found[0])) == 4


def test_options_that_cannot_be_fail_their_trial_alone(tmp_path: Path) -> None:
    found = done(search(corpus_lake(tmp_path), content={"heads": [2, 3]}, trials=4))
    states = {trial["options"]["heads"]: trial["state"] for trial in found.trials}
    assert states == {2: "complete", 3: "fail"}
    assert found.options["heads"] == 2
    assert any("width is 16" in line(trial) for trial in found.trials)


def test_search_without_one_good_trial_tells_the_first_error(tmp_path: Path) -> None:
    with pytest.raises(TextmillError, match="no trial came to an end; the first said: width is 16"):
        done(search(corpus_lake(tmp_path), content={"heads": [3, 5]}, trials=2))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"content": {"learning_rat": [1.0]}}, "no option 'learning_rat'; do you mean learning_rate"),
        ({"content": {"optimiser": ["adamm"]}}, "optimiser is adamm; it must be one of"),
        ({"content": {"tokeniser.vocab_size": [100, 200]}}, "the tokenizer is not searched"),
        ({"trials": 0}, "--trials is 0; it must be at least 1"),
        ({"pruner": "best"}, "--pruner best: it must be one of median, hyperband, none"),
    ],
)
def test_mistake_is_told_before_anything_is_done(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        search(Lake(tmp_path), **changed).check()


def test_search_begins_with_new_weights(tmp_path: Path) -> None:
    wanted = search(Lake(tmp_path))
    started = dataclasses.replace(wanted, order=dataclasses.replace(wanted.order, start="wiki-gpt"))
    with pytest.raises(ConfigError, match="leave start out"):
        started.check()


def test_missing_optuna_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(studies, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"textmill\[search\]"):
        search(Lake(tmp_path)).check()


TRIALS = [
    {"trial": 0, "state": "complete", "loss": 2.5, "options": {"learning_rate": 0.0012345}},
    {"trial": 1, "state": "fail", "loss": None, "options": {"heads": 3}, "error": "no"},
]


def test_search_is_told_in_words() -> None:
    found = Found({"learning_rate": 0.0012345}, 2.5, Path("best.yaml"), 2, TRIALS)
    assert "- trial 0: loss 2.5000  learning_rate=0.001234" in page(found)
    assert "trial 1: fail  heads=3  (no)" in page(found)
    order = Order(Lake(Path("lake")), "gpt", data="my text.csv", columns={"text": "body"}, seed=3)
    told = lines(order, found)
    assert told["trials"] == "1 complete, 1 fail (2 in this run)"
    assert told["to train it"] == (
        "textmill train gpt --lake lake --data 'my text.csv' --columns text=body --seed 3 --config best.yaml"
    )


def test_search_by_the_command_line_is_gone_on_with(prefect: None, tmp_path: Path) -> None:
    lake = corpus_lake(tmp_path)
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(SPACE))
    (tmp_path / "small.yaml").write_text(yaml.safe_dump({**SMALL, "steps": 2}))
    words = ["search", "gpt", "--lake", str(lake.root), "--space", str(tmp_path / "space.yaml"), "--json"]
    words += ["--config", str(tmp_path / "small.yaml"), "--out", str(tmp_path / "best.yaml")]
    done = []
    for trials in ("1", "2"):
        ended = CliRunner().invoke(app, [*words, "--trials", trials])
        assert ended.exit_code == 0, ended.output
        done.append(json.loads(ended.stdout))
    assert [found["done"] for found in done] == [1, 1]
    assert done[1]["trials"][:1] == done[0]["trials"]
    assert yaml.safe_load((tmp_path / "best.yaml").read_text()) == done[1]["options"]
