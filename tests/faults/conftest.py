"""Fixtures of the fault tests: one driver, and a finished lake to compare with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aftermath import content
from dumps import articles, page, write, write_config
from faulty import Driver, Outcome, Site, compiler


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """What runs scenarios. The tests need a C compiler: permissions and limits stop neither root nor a rename."""
    if compiler() is None:
        pytest.skip("no C compiler (cc, gcc or clang) to build the shim that makes a disk fail")
    made = Driver(tmp_path_factory.mktemp("driver"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def site(driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A small dump, and what an undisturbed run makes of it."""
    folder = tmp_path_factory.mktemp("site")
    write(folder / "small.xml.bz2", articles(12) + page(98, "#REDIRECT [[x]]", redirect=True))
    write_config(folder / "small.yaml")
    made = Site(driver, folder)
    whole: Outcome = made.run("whole")
    assert whole.status == 0, whole.output
    made.calls, made.wanted = whole.calls, content(folder / "whole")
    return made
