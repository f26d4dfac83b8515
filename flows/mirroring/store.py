"""A tracking store of MLflow: opened without telemetry, its errors told without credentials.

Only here, and only when a store is asked for, is `mlflow` imported.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from data import files
from data.errors import ConfigError, TextmillError
from data.storage import redacted

SERVERS, FILE = ("http", "https"), "sqlite:///"
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}
"""Defaults: MLflow's own wait for minutes where nobody answers."""

_KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Shows the pages for training, not those for prompts."""


class MirrorError(TextmillError):
    """The tracking store cannot be used as asked; the message holds no credentials."""


@dataclass(frozen=True)
class Store:
    """An open store: its address, MLflow's client, and where artifacts go if no server decides it."""

    address: str
    client: Any
    artifacts: Path | None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Among the processes of this machine that write to a store in a file."""
        if self.artifacts is None:
            yield
            return
        with _alone(_file(self.address)):
            yield

    def experiment(self, name: str) -> str:
        """The id of an experiment, which is made if it is not there, and restored if it was deleted."""
        found = self.client.get_experiment_by_name(name)
        if found is None:
            place = (self.artifacts / name).as_uri() if self.artifacts else None
            return str(self.client.create_experiment(name, artifact_location=place, tags=dict(_KIND)))
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)


def check(address: str) -> None:
    """Refuse an address that cannot be used, and a missing extra. Raises ConfigError."""
    if find_spec("mlflow") is None or find_spec("alembic") is None:
        raise ConfigError("a mirror in MLflow needs the extra mlflow; pip install 'textmill[mlflow]'")
    scheme = urlsplit(address).scheme
    if scheme in SERVERS and urlsplit(address).hostname:
        return
    if not address.startswith(FILE) or not address.removeprefix(FILE).strip("/"):
        raise ConfigError(
            f"--mlflow {redacted(address)} names no store; write http://HOST:5000 (what `mlflow server` told) "
            "or sqlite:///FILE.db"
        )


def loaded() -> Any:
    """MLflow's client, imported (about a second and a half) with its telemetry off and its patience short."""
    os.environ.update(_QUIET)
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # it tells of every second try
    from mlflow import MlflowClient

    return MlflowClient


def opened(address: str) -> Store:
    """Open a store. Raises ConfigError for an address that cannot be one, MirrorError where nobody answers."""
    check(address)
    client_of = loaded()
    with spoken(address):
        if not address.startswith(FILE):
            return Store(address, client_of(address), None)
        database = _file(address)
        place = f"{FILE}{database}"
        database.parent.mkdir(parents=True, exist_ok=True)
        with _alone(database):  # two that make the tables at the same time make none
            client = client_of(place, place)
            client.search_experiments(max_results=1)
        return Store(place, client, database.with_name(f"{database.stem}-artifacts"))


@contextmanager
def spoken(address: str) -> Iterator[None]:
    """Errors of MLflow, its database and its server as MirrorError, without credentials and without what they chain."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
        raise MirrorError(f"the MLflow store {redacted(address)} did not do as asked: {_said(error)}") from None


def _said(error: Exception) -> str:
    """What an error says, in a line; a server that does not answer is told at great length."""
    text = redacted(str(error)).strip() or type(error).__name__
    if "Max retries exceeded" in text:
        return found[0] if (found := re.search(r"too many \d+ error responses", text)) else "nobody answers"
    return text.splitlines()[0][:300]


def _file(address: str) -> Path:
    return Path(address.removeprefix(FILE)).absolute()


@contextmanager
def _alone(database: Path) -> Iterator[None]:
    with files.exclusive(database.with_name(f".{database.name}.lock")):
        yield
