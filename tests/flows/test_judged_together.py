"""Small parts are judged together: fewer judgements, the same verdicts."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
from test_workers import content, job, multistream, stages

from flows import build
from pipelines import validate


def judged(root: Path, monkeypatch: pytest.MonkeyPatch, *, parts: int, size: int) -> tuple[list[int], dict[str, str]]:
    """How many parts each judgement of a corpus build had, and the bytes that came of it."""
    monkeypatch.setattr(build, "_PARTS_TOGETHER", parts)
    monkeypatch.setattr(build, "_BYTES_TOGETHER", size)
    root.mkdir()
    one = job(root / "lake", multistream(root / "d.xml.bz2"), 1, part_pages=100, part_chars=1_000, part_batches=1)
    judge = validate.validate_lights
    with mock.patch.object(validate, "validate_lights", side_effect=judge) as judgements:
        stages(one)
    return [len(call.args[0]) for call in judgements.call_args_list], content(one)


def test_parts_are_judged_together_until_they_are_many_or_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never, whole = judged(tmp_path / "never", monkeypatch, parts=99, size=1 << 30)
    by_number, numbered = judged(tmp_path / "number", monkeypatch, parts=2, size=1 << 30)
    by_size, sized = judged(tmp_path / "size", monkeypatch, parts=99, size=1)
    assert never == [6, 6, 1, 6, 1, 6]  # the parts of each dataset; duplicates and the empty rejects are one
    halves = [2] * 3  # no fewer than may be under way with one worker
    assert by_number == by_size == [*halves, *halves, 1, *halves, 1, *halves]
    assert whole == numbered == sized
