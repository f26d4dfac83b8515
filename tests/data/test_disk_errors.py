"""What a user reads when a disk is full, fails or is read-only, and what stays a bug."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from data.disk import told
from data.errors import ConfigError


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full at /lake/a; free some space"),
        (errno.EDQUOT, "the disk is full at /lake/a; free some space"),
        (errno.EROFS, "the disk refuses to be written at /lake/a (why); make it writable"),
        (errno.EACCES, "the disk refuses to be written at /lake/a (why); make it writable"),
        (errno.EIO, "the disk failed at /lake/a (why); check it"),
    ],
)
def test_disk_is_told_with_what_to_do(number: int, said: str) -> None:
    found = str(told(OSError(number, "why", "/lake/a")))
    assert found.startswith(f"{said}, or choose another lake with --lake DIR, and run the same command again")


def test_a_place_that_is_taken_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    folder_wanted = f"a file stands where a folder is wanted at {tmp_path}/file"
    assert said_of((tmp_path / "file" / "x").mkdir) == f"{folder_wanted}/x; name another place"
    assert said_of((tmp_path / "file").mkdir) == f"{folder_wanted}; name another place"
    file_wanted = f"a folder stands where a file is wanted at {tmp_path}/folder; name another place"
    assert said_of(lambda: (tmp_path / "file").replace(tmp_path / "folder")) == file_wanted


def said_of(work: Callable[[], object]) -> str:
    with pytest.raises(OSError) as caught:
        work()
    return str(told(caught.value))


def test_error_of_ours_stays_what_it_is() -> None:
    error = ConfigError("limit is 0")
    assert told(error) is error


@pytest.mark.parametrize("error", [ValueError("a"), OSError(errno.ENOENT, "why", "/a"), OSError("nothing said")])
def test_what_no_disk_says_is_a_bug(error: Exception) -> None:
    assert told(error) is None
