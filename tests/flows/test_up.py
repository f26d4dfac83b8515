"""`textmill up` with a real server: what is deployed, what the schedule makes, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.processes import descendants
from flows.server import NOTE, home

pytestmark = pytest.mark.long
PATIENCE_S = 120.0
QUERY = """
import json
from prefect.client.orchestration import get_client
with get_client(sync_client=True) as client:
    runs = client.read_flow_runs(limit=200)
    flows = {flow.id: flow.name for flow in client.read_flows()}
    names = [(flows[run.flow_id], run.state_name, str(run.deployment_id)) for run in runs]
    pool = client.read_work_pools()
print(json.dumps({"runs": names, "pools": [p.name for p in pool]}))
"""
# A run that a power cut left: it is told to be running by hand.
LEFTOVER = """
from prefect.client.orchestration import get_client
from prefect.states import Running
with get_client(sync_client=True) as client:
    deployment = client.read_deployment_by_name("corpus-build/corpus-build")
    run = client.create_flow_run_from_deployment(deployment.id)
    client.set_flow_run_state(run.id, Running(), force=True)
"""


@dataclass
class Up:
    process: subprocess.Popen[str]
    lake: Path
    port: int

    def python(self, code: str) -> str:
        return run_python(code, self.lake, self.port)


def run_python(code: str, lake: Path, port: int) -> str:
    own = {"PREFECT_HOME": str(home(lake)), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**clean(), **own},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "TEXTMILL_"))}


def command(lake: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "flows.cli", "up", "--lake", str(lake), "--port", str(port)]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start(lake: Path, port: int) -> Up:
    process = subprocess.Popen(command(lake, port), env=clean(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Deployed"):
            return Up(process, lake, port)
    raise AssertionError(f"`textmill up` ended with status {process.wait()}")


def stop(up: Up, number: int) -> list[int]:
    """Send the signal and wait for the end; the processes that were below."""
    below = descendants(up.process.pid)
    up.process.send_signal(number)
    up.process.communicate(timeout=PATIENCE_S)
    return below


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (result := found()) and time.monotonic() < deadline:
        pass
    return result


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = start(tmp_path_factory.mktemp("up") / "lake", free_port())
    yield running
    if running.process.poll() is None:
        stop(running, signal.SIGINT)
    assert running.process.stdout is not None
    running.process.stdout.close()


def test_the_schedule_of_nightly_makes_runs(up: Up) -> None:
    def scheduled() -> list[str]:
        return [run for run in json.loads(up.python(QUERY))["runs"] if run[:2] == ["nightly", "Scheduled"]]

    assert until(scheduled)


def test_the_pool_is_there(up: Up) -> None:
    assert json.loads(up.python(QUERY))["pools"] == ["textmill"]


def test_a_second_one_for_the_lake_is_refused(up: Up) -> None:
    done = subprocess.run(command(up.lake, free_port()), env=clean(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("textmill: `textmill up` runs for")
    assert done.stderr.count("\n") == 1


def test_a_used_port_is_refused(up: Up, tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path / "other", up.port), env=clean(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"textmill: port {up.port} of 127.0.0.1 is in use; stop what listens there, or give another with --port\n"
    )


def test_a_server_that_does_not_start_names_its_log(tmp_path: Path) -> None:
    broken = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:////nowhere/at/all.db"}
    done = subprocess.run(
        command(tmp_path, free_port()),
        env={**clean(), **broken},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith(f"see {home(tmp_path) / 'server.log'}")
    assert "startup failed" in (home(tmp_path) / "server.log").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_forgives_a_power_cut_at_the_next_start(tmp_path: Path, number: int) -> None:
    first = start(tmp_path, free_port())
    first.python(LEFTOVER)
    below = stop(first, number)
    assert first.process.returncode == 0
    assert len(below) >= 2
    assert alive(below) == []
    assert not (home(tmp_path) / NOTE).exists()

    second = start(tmp_path, free_port())
    runs = json.loads(second.python(QUERY))["runs"]
    below = stop(second, number)
    assert [state for flow, state, _ in runs if flow == "corpus-build"] == ["Crashed"]
    assert alive(below) == []


def test_a_killed_one_takes_server_and_worker_along(tmp_path: Path) -> None:
    killed = start(tmp_path, free_port())
    below = stop(killed, signal.SIGKILL)
    assert until(lambda: not alive(below))
    assert (home(tmp_path) / NOTE).exists()
