"""A disk that is full, fails or is read-only: one line that names the fix, nothing published, and resumed."""

from __future__ import annotations

from random import Random

import pytest
from faulty import EVERYTHING, WRITING, Fault, Site
from test_kill import SEED, struck

ERRORS = {"ENOSPC": WRITING, "EDQUOT": WRITING, "EIO": "write,sync,rename,link,truncate", "EROFS": EVERYTHING}
"""Which calls fail with which error."""


def points(site: Site, ops: str, n: int) -> list[int]:
    """Calls of these kinds, drawn at random."""
    calls = sum(ops == EVERYTHING or op in ops.split(",") for op, _ in site.calls)
    return sorted(Random(SEED).sample(range(1, calls + 1), n))


@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EROFS"])
def test_failing_disk_ends_the_run_with_one_line_and_leaves_the_release_before_it(renewal: Site, error: str) -> None:
    at = points(renewal, ERRORS[error], 3)[1]
    assert renewal.disturbed(Fault.error(error, at, ERRORS[error])) == []


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.long
def test_disk_that_fails_from_some_call_on(site: Site, error: str) -> None:
    ops = ERRORS[error]
    assert struck(site, [Fault.error(error, at, ops) for at in points(site, ops, 15)]) == {}


@pytest.mark.parametrize("op", ["create", "rename", "link", "mkdir"])
@pytest.mark.long
def test_disk_that_is_full_for_one_kind_of_call(site: Site, op: str) -> None:
    n = sum(found == op for found, _ in site.calls)
    faults = [Fault.error("ENOSPC", at, op) for at in range(1, n + 1, max(1, n // 15))]
    assert struck(site, faults) == {}


@pytest.mark.long
def test_disk_that_fails_under_workers(site: Site) -> None:
    assert struck(site, [Fault.error("ENOSPC", at) for at in points(site, WRITING, 8)], workers=2) == {}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.long
def test_disk_that_fails_over_a_release(renewal: Site, error: str) -> None:
    ops = ERRORS[error]
    assert struck(renewal, [Fault.error(error, at, ops) for at in points(renewal, ops, 15)]) == {}
