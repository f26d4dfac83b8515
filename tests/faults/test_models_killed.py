"""A model that is registered and promoted is killed and starved like a corpus."""

from __future__ import annotations

import pytest
from faulty import WRITING, Fault, Site


@pytest.fixture(scope="module")
def calls(site: Site) -> int:
    """How many calls change the disk."""
    (site.folder / "models").mkdir()  # as there is a folder for those that are killed
    whole = site.driver.run("models", site.folder / "models")
    assert whole.status == 0, whole.output
    return len(whole.calls)


def test_killed_registration_and_promotion_are_finished(site: Site, calls: int) -> None:
    points = range(1, calls + 1, max(1, calls // 8))
    assert {at: wrong for at in points if (wrong := site.disturbed_model(Fault(at=at, how="torn")))} == {}


def test_full_disk_registers_and_promotes_nothing_by_half(site: Site, calls: int) -> None:
    wrong = {at: site.disturbed_model(Fault.error("ENOSPC", at, WRITING)) for at in range(1, calls // 2, calls // 8)}
    assert {at: found for at, found in wrong.items() if found} == {}


@pytest.mark.long
def test_killed_at_every_call(site: Site, calls: int) -> None:
    points = range(1, calls + 1)
    assert {at: wrong for at in points if (wrong := site.disturbed_model(Fault(at=at, how="torn")))} == {}
