"""What killed trainings left goes after the grace period, never what a process is at, and never a search."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.abandoned import abandoned, lock_of, sweep
from data.lake import Lake

NOW = datetime(2026, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def left(lake: Lake, key: str, *, hours: float) -> Path:
    """The folder of a training in which the last file was written so long ago."""
    folder = lake.training(key)
    (folder / "data").mkdir()
    (folder / "data" / "ids.bin").write_bytes(b"12")
    when = NOW.timestamp() - 3600 * hours
    for path in (folder / "data" / "ids.bin", folder / "data", folder):
        os.utime(path, (when, when))
    return folder


def test_only_old_trainings_go(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    old, young = left(lake, "old", hours=25), left(lake, "young", hours=23)
    assert abandoned(lake, grace=DAY, now=NOW) == [old]
    assert sweep(lake, grace=DAY, now=NOW) == [old]
    assert (old.exists(), young.exists()) == (False, True)


def test_a_checkpoint_of_today_keeps_an_old_training(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    folder = left(lake, "old", hours=99)
    (folder / "checkpoints").mkdir()
    os.utime(folder / "checkpoints", (NOW.timestamp(), NOW.timestamp()))
    os.utime(folder, (0, 0))
    assert sweep(lake, grace=DAY, now=NOW) == []


def test_a_training_at_work_stays(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    running, dead = left(lake, "running", hours=99), left(lake, "dead", hours=99)
    with lake.lock(lock_of("running")):
        assert sweep(lake, grace=DAY, now=NOW) == [dead]
    assert running.exists()


def test_a_search_stays_with_what_its_trials_found(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert left(lake, "search-1", hours=999).exists()
    assert abandoned(lake, grace=DAY, now=NOW) == []


@pytest.mark.parametrize("made", [True, False])
def test_a_lake_without_trainings_has_none(tmp_path: Path, made: bool) -> None:
    lake = Lake(tmp_path)
    if made:
        lake.trainings.mkdir()
    assert sweep(lake, grace=DAY, now=NOW) == []
