"""The mirror over HTTP: MLflow's own tracking server, in this process."""

from __future__ import annotations

import base64
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import run as started
from typing import Any

import pytest
from mirrored import aliases, history, promoted, registered, run_of

from data.lake import Lake
from flows.mirroring.mirror import Wanted, mirror
from flows.mirroring.store import opened
from models.registry import Registry


@pytest.fixture
def asked() -> list[str]:
    """Who asked the server: the credentials of each request."""
    return []


@pytest.fixture
def server(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> Iterator[str]:
    """The address of a server, host and port."""
    pytest.importorskip("flask")
    from werkzeug.serving import WSGIRequestHandler, make_server

    wanted = {"FILE_STORE": store, "REGISTRY_STORE": store, "ARTIFACT_ROOT": "mlflow-artifacts:/",
              "ARTIFACT_DESTINATION": str(tmp_path / "served"), "SERVE_ARTIFACTS": "true"}  # fmt: skip
    for name, value in wanted.items():
        monkeypatch.setenv(f"_MLFLOW_SERVER_{name}", value)
    from mlflow.server import app, handlers

    for name in ("_tracking_store", "_model_registry_store", "_artifact_repo"):
        monkeypatch.setattr(handlers, name, None)

    class Quiet(WSGIRequestHandler):
        def log_request(self, *words: Any) -> None:
            kind, _, word = self.headers.get("Authorization", "").partition(" ")
            asked.append(base64.b64decode(word).decode() if kind == "Basic" else "")

    serving = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{serving.server_port}"
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.mark.filterwarnings("ignore:starlette.middleware.wsgi is deprecated")  # by the server itself
def test_a_server_is_told_all_of_it_once_by_whom_the_address_names(
    server: str, tmp_path: Path, asked: list[str]
) -> None:
    lake, address = Lake(tmp_path / "lake"), f"http://anna:geheim@{server}"
    promoted(lake, registered(lake), gain=0.5)
    told = mirror(lake, address, Wanted(weights=True))
    assert (told[0].added, told[0].moved) == (["v000001"], {"champion": "v000001"})
    assert set(asked) == {"anna:geheim"}
    run = run_of(address)
    assert history(address, run, "validation/loss") == [(2, 2.5, 4000), (3, 2.0, 6000)]
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    served = {path.name for path in (tmp_path / "served").rglob("*") if path.is_file()}
    assert served == {"card.md", "config.json", "history.json", "model.json", "model.safetensors", "report.html"}
    registered(lake, seed=1)
    Registry(lake.models).promote(
        "mood", "champion", "v000002", expected="v000001", evidence={}, when="2026-02-01T00:00:00+00:00"
    )
    told = mirror(lake, address, Wanted())
    assert (told[0].added, aliases(address)) == (["v000002"], {"champion": "v000002"})
    assert mirror(lake, address, Wanted())[0].added == []


def test_nothing_is_reported_to_others(store: str) -> None:
    opened(store)
    from mlflow.telemetry import get_telemetry_client
    from mlflow.telemetry.utils import is_telemetry_disabled

    assert is_telemetry_disabled()
    assert get_telemetry_client() is None


@pytest.mark.long
def test_processes_that_open_a_new_store_together_all_mirror_into_it(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    registered(lake)
    store = f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}"
    command = [sys.executable, "-m", "flows.cli", "models", "mirror", "--mlflow", store, "--lake", str(lake.root)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: started(command, capture_output=True, text=True, check=False), range(4)))
    assert [(one.returncode, one.stderr) for one in done if "waiting for it" not in one.stderr][:1] == [(0, "")]
    assert [one.returncode for one in done] == [0] * 4
    client = opened(store).client
    assert len(client.search_model_versions("name = 'mood'")) == 1
    assert len(client.search_runs([client.get_experiment_by_name("mood").experiment_id])) == 1
