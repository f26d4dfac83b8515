"""`textmill up`: the Prefect server and UI, the deployments of prefect.yaml, and a worker that runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

from data import files
from data.errors import TextmillError
from data.lake import Lake
from flows.server import NOTE, QUIET, SERVER, healthy, home

POOL = "textmill"
_START_S = 120


class ServerError(TextmillError):
    """The server or the worker did not start."""


def up(root: Path, *, port: int) -> None:
    """Run server and worker until Ctrl-C or SIGTERM. Raises ServerError if one of them does not start or dies."""
    lake = Lake(root.absolute())
    lake.check_writable()
    url = f"http://127.0.0.1:{port}/api"
    if healthy(url):
        raise ServerError(f"a server answers at {url} already; stop it or use --port")
    console = Console()
    environment = _environment(lake.root, url)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    running: list[subprocess.Popen[bytes]] = []
    try:
        running.append(
            _start(["server", "start", "--host", "127.0.0.1", "--port", str(port)], environment, lake, "server")
        )
        _wait(url, running[0], lake)
        files.write_json(home(lake.root) / NOTE, {"url": url})
        _deploy(environment)
        running.append(_start(["worker", "start", "--pool", POOL], environment, lake, "worker"))
        console.print(f"Prefect UI: http://127.0.0.1:{port}   flows deployed: nightly, corpus-build   Ctrl-C stops it")
        _watch(running)
    except KeyboardInterrupt:
        console.print("Stopping.")
    finally:
        (home(lake.root) / NOTE).unlink(missing_ok=True)
        # The worker first: a server that goes before its clients keeps them waiting.
        for process in reversed(running):
            _stop(process)


def _environment(lake: Path, url: str) -> dict[str, str]:
    own = {
        "PREFECT_HOME": str(home(lake)),
        "PREFECT_API_URL": url,
        "PREFECT_UI_URL": url.removesuffix("/api"),
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": url.removesuffix("/api"),
        "TEXTMILL_LAKE": str(lake),
        # Deployed runs find the command of this very environment.
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
    }
    return {**os.environ, **QUIET, **SERVER, **own}


def _prefect(*words: str) -> list[str]:
    return [sys.executable, "-m", "prefect", *words]


def _start(words: list[str], environment: dict[str, str], lake: Lake, name: str) -> subprocess.Popen[bytes]:
    log = home(lake.root) / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            _prefect(*words), env=environment, cwd=_project(), stdout=output, stderr=output, start_new_session=True
        )


def _project() -> Path:
    """The folder of prefect.yaml. Raises ServerError where textmill was installed without it."""
    folder = Path(__file__).resolve().parent.parent
    if not (folder / "prefect.yaml").is_file():
        raise ServerError(f"no prefect.yaml in {folder}; run `textmill up` from a checkout of textmill")
    return folder


def _wait(url: str, server: subprocess.Popen[bytes], lake: Lake) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if healthy(url):
            return
        if server.poll() is not None:
            break
        time.sleep(0.3)
    raise ServerError(f"the Prefect server did not start; see {home(lake.root) / 'server.log'}")


def _deploy(environment: dict[str, str]) -> None:
    commands = (
        ["--no-prompt", "work-pool", "create", POOL, "--type", "process", "--overwrite"],
        ["--no-prompt", "deploy", "--all"],
    )
    for words in commands:
        done = subprocess.run(
            _prefect(*words), env=environment, cwd=_project(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServerError(f"`prefect {' '.join(words)}` failed: {(done.stderr or done.stdout).strip()[-500:]}")


def _watch(running: list[subprocess.Popen[bytes]]) -> None:
    while True:
        for process in running:
            if (status := process.poll()) is not None:
                raise ServerError(f"`{' '.join(map(str, process.args[2:4]))}` ended with status {status}; see its log")  # type: ignore[index, misc]
        time.sleep(1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
