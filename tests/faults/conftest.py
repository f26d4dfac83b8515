"""Fixtures of the fault tests: one driver, and a finished lake to compare with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aftermath import content
from dumps import article, page, write_config, write_streams
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
    """A small dump, and what an undisturbed run makes of it in an empty lake."""
    folder = tmp_path_factory.mktemp("site")
    write_streams(folder / "small.xml.bz2", [STAYS, _pages(range(9, 13))])
    return _undisturbed(Site(driver, folder))


@pytest.fixture(scope="session")
def renewal(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The next dump, and what an undisturbed run makes of it beside the release of the one before.

    A part stays, one goes, and one comes, with a duplicate of a document that stays.
    """
    folder = tmp_path_factory.mktemp("renewal")
    write_streams(folder / "small.xml.bz2", [STAYS, _pages(range(13, 17)) + page(30, article(8))])
    return _undisturbed(Site(site.driver, folder, before=site.folder / "whole"))


def _undisturbed(site: Site) -> Site:
    write_config(site.folder / "small.yaml")
    site.start_from_before(site.folder / "whole")
    whole: Outcome = site.run("whole")
    assert whole.status == 0, whole.output
    site.calls, site.wanted = whole.calls, content(site.folder / "whole")
    return site


def _pages(numbers: range) -> str:
    return "".join(page(number, article(number)) for number in numbers)


STAYS = _pages(range(1, 9)) + page(98, "#REDIRECT [[x]]", redirect=True)
"""The stream that stands in both dumps."""
