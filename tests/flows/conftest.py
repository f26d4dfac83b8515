"""One Prefect server for all tests of flows, and small sources for them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dumps import articles, write, write_config


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    """A throw-away server; flows without heartbeat, which costs a second each."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=90), temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A recipe that makes every stage quick."""
    return write_config(tmp_path / "small.yaml")


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """Twenty articles, a redirect and a category."""
    return write(tmp_path / "small.xml.bz2", articles(20))


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of an MLflow store in which nothing is; making one takes seconds."""
    from flows.mirroring.store import opened

    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    opened(f"sqlite:///{path}").client._tracking_client.store.engine.dispose()
    return path


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> str:
    """The address of an empty MLflow store."""
    return f"sqlite:///{shutil.copyfile(empty_store, tmp_path / 'mlflow.db')}"
