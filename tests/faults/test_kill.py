"""kill -9 at any moment: the same command goes on, and publishes byte for byte what an undisturbed run does.

The disk changes in calls of the system alone, so that a kill before each of them leaves every state that there can be.
"""

from __future__ import annotations

import os
from random import Random

import pytest
from faulty import EVERYTHING, Fault, Site

SEED = 2026
VISIBLE = {"create", "rename", "link", "truncate", "unlink", "mkdir"}
"""Calls that change what is there under which name."""


def seeded(site: Site, n: int) -> list[int]:
    """Calls of the whole run, drawn at random."""
    return sorted(Random(SEED).sample(range(1, len(site.calls) + 1), n))


def struck(site: Site, faults: list[Fault], *, workers: int = 0) -> dict[str, list[str]]:
    """What went wrong, by fault; says how many there were, for the record. FAULTS=2/5 takes every fifth of them."""
    shard, shards = map(int, os.environ.get("FAULTS", "1/1").split("/"))
    mine = faults[shard - 1 :: shards]
    found = {f"{fault.how} at {fault.at} of {fault.ops}": site.disturbed(fault, workers=workers) for fault in mine}
    print(f"\n{len(found)} of {len(faults)} faults, {sum(map(bool, found.values()))} of them with something lost")
    return {name: wrong for name, wrong in found.items() if wrong}


def at_random(site: Site, share: float) -> Fault:
    """A call of that fifth of the run, drawn at random."""
    first = round(len(site.calls) * (share - 0.1))
    return Fault(at=first + Random(f"{SEED} {share}").randint(1, round(len(site.calls) * 0.2)), how="torn")


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_killed_run_is_finished_by_the_next(site: Site, share: float) -> None:
    assert site.disturbed(at_random(site, share)) == []


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_killed_run_leaves_the_release_before_it_whole(renewal: Site, share: float) -> None:
    assert renewal.disturbed(at_random(renewal, share)) == []


def test_part_that_is_noted_is_not_made_again(site: Site) -> None:
    at = next(
        number for number, call in enumerate(site.calls, start=1) if call[0] == "rename" and "/_parts/" in call[1]
    )
    assert site.disturbed(Fault(at=at + 5)) == []


def test_killed_between_the_last_version_and_the_release(renewal: Site) -> None:
    at = max(number for number, (op, path) in enumerate(renewal.calls, start=1) if path.endswith("small/_release.json"))
    assert renewal.disturbed(Fault(at=at - 1)) == []


@pytest.mark.long
def test_killed_after_the_release_leaves_nothing_behind(renewal: Site) -> None:
    assert renewal.disturbed(Fault(at=len(renewal.calls) - 1)) == []


@pytest.mark.long
def test_killed_at_a_hundred_random_moments(site: Site) -> None:
    assert struck(site, [Fault(at=at, ops=EVERYTHING, how="torn") for at in seeded(site, 100)]) == {}


@pytest.mark.long
def test_killed_at_a_hundred_random_moments_over_a_release(renewal: Site) -> None:
    assert struck(renewal, [Fault(at=at, how="torn") for at in seeded(renewal, 100)]) == {}


@pytest.mark.long
def test_killed_at_every_change_of_names(site: Site) -> None:
    """Before every file that is made, renamed, linked or removed, and every folder."""
    at = [number for number, (op, _) in enumerate(site.calls, start=1) if op in VISIBLE]
    assert struck(site, [Fault(at=number) for number in at]) == {}


@pytest.mark.long
def test_killed_amid_the_writes_of_every_file(site: Site) -> None:
    """One write of each file, drawn at random, of which half reaches the disk."""
    writes: dict[str, list[int]] = {}
    for number, (op, path) in enumerate(site.calls, start=1):
        if op == "write":
            writes.setdefault(path, []).append(number)
    random = Random(SEED)
    assert struck(site, [Fault(at=random.choice(found), how="torn") for found in writes.values()]) == {}


@pytest.mark.long
def test_killed_with_workers(site: Site) -> None:
    """The run and its workers at once, wherever the call is made."""
    assert struck(site, [Fault(at=at, how="torn") for at in seeded(site, 20)], workers=2) == {}


@pytest.mark.long
def test_one_worker_killed(site: Site) -> None:
    """The run says so in a line and ends; the next goes on."""
    at = [number for number, (op, path) in enumerate(site.calls, start=1) if op == "rename" and "/part-" in path]
    assert struck(site, [Fault(at=number, how="worker") for number in at[:3]], workers=1) == {}
