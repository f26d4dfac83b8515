from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_training import Tiny, blocks, options

from models.training import Moment, TrainingConfigError, train
from models.training import tensorboard as boards
from models.training.tracing import WARM_UP
from models.training.watching import all_of, line, recent


def moment(step: int, seconds: float, scores: dict[str, float] | None = None) -> Moment:
    return Moment(
        step=step, steps=400, loss=2.5, rate=0.1, units=1000 * step, seconds=seconds, parts={}, scores=scores or {}
    )


def test_first_moment_has_no_pace_yet() -> None:
    assert line([moment(1, 0.5)]) == "step 1/400  loss 2.5"


def test_line_tells_pace_and_time_left() -> None:
    assert line([moment(100, 10), moment(120, 30)]) == "step 120/400  loss 2.5  1,000 tokens/s  4:40 left"


def test_clock_that_ends_the_training_earlier_is_told() -> None:
    assert line([moment(100, 10), moment(120, 30)], max_minutes=1).endswith("0:30 left")


def test_long_time_left_has_hours() -> None:
    assert line([moment(1, 10), moment(2, 40)]).endswith("3:19:00 left")


def test_last_validation_stays_in_the_line() -> None:
    heard = [moment(1, 1), moment(2, 2, {"loss": 3.25}), moment(3, 3)]
    assert "validation 3.25" in line(heard)


def test_pace_is_that_of_the_last_seconds() -> None:
    heard: tuple[Moment, ...] = ()
    for step, seconds in [(1, 0), (2, 50), (3, 60), (4, 61), (5, 70.5)]:
        heard = recent(heard, moment(step, seconds))
    assert [one.step for one in heard] == [3, 4, 5]


def test_all_watchers_hear_in_order() -> None:
    heard: list[tuple[str, int]] = []
    watch = all_of([lambda m: heard.append(("a", m.step)), lambda m: heard.append(("b", m.step))])
    watch(moment(1, 0))
    assert heard == [("a", 1), ("b", 1)]


def events(folder: Path) -> Iterator[Any]:
    """All events of the files of a folder, in the order in which TensorBoard reads them."""
    from tensorboardX.proto.event_pb2 import Event

    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            yield Event.FromString(content[12 : 12 + length])
            content = content[16 + length :]


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows: the steps of an earlier file end where a session starts again."""
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events(folder):
        if event.session_log.status:
            found = {name: [one for one in curve if one[0] < event.step] for name, curve in found.items()}
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_curves_can_be_read_back(tmp_path: Path) -> None:
    board = boards.TensorBoard(tmp_path)
    record = train(Tiny(), blocks(), config=options(), validation=blocks(), watch=board)
    board.close()
    found = scalars(tmp_path)
    assert [step for step, _ in found["train/loss"]] == list(range(1, 13))
    assert [value for _, value in found["train/loss"]] == pytest.approx(record.train_loss)
    assert [value for _, value in found["train/squares"]] == pytest.approx(record.train_parts["squares"])
    assert [step for step, _ in found["validation/loss"]] == record.validation_steps
    assert {"train/rate", "train/tokens", "train/tokens_per_second", "validation/squares"} <= set(found)


def test_resumed_training_doubles_no_step(tmp_path: Path) -> None:
    first, second = boards.TensorBoard(tmp_path), boards.TensorBoard(tmp_path)
    for step in range(1, 8):
        first(moment(step, step))
    first.close()
    for step in range(5, 10):
        second(moment(step, step))
    second.close()
    assert [step for step, _ in scalars(tmp_path)["train/loss"]] == list(range(1, 10))


def test_missing_tensorboard_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(boards, "find_spec", lambda _: None)
    with pytest.raises(boards.ConfigError, match=r"textmill\[tensorboard\]"):
        boards.TensorBoard(tmp_path)


def test_profile_traces_some_steps_after_a_warm_up(tmp_path: Path) -> None:
    train(Tiny(), blocks(), config=options(profile=2), traces=tmp_path / "traces")
    found = json.loads((tmp_path / "traces" / "trace-0.json").read_text("utf-8"))
    names = [event.get("name", "") for event in found["traceEvents"]]
    steps = [name for name in names if name.startswith("ProfilerStep#")]
    assert sorted(set(steps)) == [f"ProfilerStep#{WARM_UP}", f"ProfilerStep#{WARM_UP + 1}"]
    assert "aten::addmm" in names


def test_profile_needs_a_folder() -> None:
    with pytest.raises(TrainingConfigError, match="profile is 2"):
        train(Tiny(), blocks(), config=options(profile=2))
