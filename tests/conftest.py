"""Every test runs without a Prefect server of its own accord, quietly and offline."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_ENABLED", "false")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.pop("TEXTMILL_MLFLOW", None)  # what tests train is nobody's to watch
os.environ.setdefault("TEXTMILL_WORKERS", "0")  # in this process; tests of workers ask for some


# How long an example takes depends on what else the machine does.
settings.register_profile("textmill", deadline=None)
settings.load_profile("textmill")

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a file stay in one process, as do those that share what starts slowly."""
    for item in items:
        place = item.path.relative_to(_HERE)
        item.add_marker(
            pytest.mark.xdist_group(place.parts[0] if place.parts[0] in {"flows", "faults"} else place.as_posix())
        )


@pytest.fixture
def registries() -> Iterator[None]:
    """The test begins and ends with the rules, recipes and readers that textmill itself registers."""
    from pipelines import sources
    from pipelines.quality.registry import RECIPES, RULES

    taken = (RULES, RECIPES, sources.READERS, sources._ENDINGS)
    before, modules = [dict(registry) for registry in taken], set(sys.modules)  # type: ignore[call-overload]
    yield
    for registry, content in zip(taken, before, strict=True):
        registry.clear()  # type: ignore[attr-defined]
        registry.update(content)  # type: ignore[attr-defined]
    for name in {"forum", "mine", "other"} & (set(sys.modules) - modules):
        del sys.modules[name]


@pytest.fixture(scope="session")
def s3_address() -> Iterator[tuple[str, int]]:
    """Host and port of an S3 server of our own."""
    from objectstore import s3_server

    with s3_server() as address:
        yield address


@pytest.fixture
def s3(s3_address: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A proxy before the S3 server, which counts requests and makes trouble; `proxy.lake` is a new lake there."""
    from datetime import timedelta

    from objectstore import lake_behind

    from data.storage import stores

    quick = {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=4), "base": 2}
    monkeypatch.setitem(stores.RETRIES, "backoff", quick)
    stores.store.cache_clear()
    with lake_behind(s3_address, tmp_path / "cache", monkeypatch.setenv) as proxy:
        yield proxy
    stores.store.cache_clear()
