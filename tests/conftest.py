"""Every test runs without a Prefect server of its own accord, quietly and offline."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
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
def s3_server() -> Iterator[Any]:
    """An S3 server of our own."""
    import objectstore as stores

    with stores.s3_server() as address:
        yield stores.Server("s3", address, partial(stores.make_s3_bucket, address), stores.s3_variables)


@pytest.fixture(scope="session")
def gs_server() -> Iterator[Any]:
    """A server of our own that speaks as Google Cloud Storage."""
    import objectstore as stores
    from googlestore import google_server

    with google_server() as (google, address):
        yield stores.Server("gs", address, lambda name: google.buckets.__setitem__(name, {}), stores.google_variables)


@pytest.fixture(scope="session")
def az_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The emulator of Azure Blob Storage."""
    import azurestore
    import objectstore as stores

    if azurestore.command() is None:
        pytest.skip("azurite is not installed: npm install -g azurite, or name its azurite-blob in TEXTMILL_AZURITE")
    with azurestore.azure_server(tmp_path_factory.mktemp("azurite")) as address:
        make = partial(azurestore.make_container, address)
        yield stores.Server("az", address, make, stores.azure_variables)


@pytest.fixture
def lakes_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], Any]]:
    """Makes a proxy before a server, which counts requests and makes trouble; `proxy.lake` is a new lake there."""
    from datetime import timedelta

    from objectstore import lake_behind

    from data.storage import stores

    quick = {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=4), "base": 2}
    monkeypatch.setitem(stores.RETRIES, "backoff", quick)
    stores.store.cache_clear()
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(lake_behind(server, tmp_path / "cache", monkeypatch.setenv))
    stores.store.cache_clear()


@pytest.fixture
def s3(s3_server: Any, lakes_at: Callable[[Any], Any]) -> Any:
    """A proxy before the S3 server."""
    return lakes_at(s3_server)


@pytest.fixture
def gs(gs_server: Any, lakes_at: Callable[[Any], Any]) -> Any:
    """A proxy before the server that speaks as Google's."""
    return lakes_at(gs_server)


@pytest.fixture
def az(az_server: Any, lakes_at: Callable[[Any], Any]) -> Any:
    """A proxy before the emulator of Azure's."""
    return lakes_at(az_server)


@pytest.fixture(params=["s3", pytest.param("gs", marks=pytest.mark.long), pytest.param("az", marks=pytest.mark.long)])
def cloud(request: pytest.FixtureRequest, lakes_at: Callable[[Any], Any]) -> Any:
    """A proxy before a server of each kind."""
    return lakes_at(request.getfixturevalue(f"{request.param}_server"))
