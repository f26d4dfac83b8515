"""A server on the loopback for the tests of downloads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from webserver import Script, serving


@pytest.fixture
def server() -> Iterator[Script]:
    with serving() as script:
        yield script
