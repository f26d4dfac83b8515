"""`textmill up`: the Prefect server and UI, the deployments of prefect.yaml, and a worker that runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from data import files
from data.errors import TextmillError
from data.lake import Lake
from flows import processes
from flows.server import NOTE, QUIET, SERVER, healthy, home, noted, port_is_free

POOL = "textmill"
_START_S = 120


class ServerError(TextmillError):
    """The server or the worker did not start, or died."""


def up(root: Path, *, port: int) -> None:
    """Run server and worker until Ctrl-C or SIGTERM. Raises ServerError if one of them does not start or dies."""
    lake = Lake(Lake(root).root.absolute())
    lake.check_writable()
    lake.check_room()
    folder = project()
    _check_free(lake, port)
    url = f"http://127.0.0.1:{port}/api"
    environment = _environment(lake.root, port)
    console = Console()
    with _started(lake) as running:
        console.print(f"Starting the Prefect server; logs are in {home(lake.root)}", soft_wrap=True)
        command = _prefect("server", "start", "--host", "127.0.0.1", "--port", str(port))
        running["server"] = processes.start(command, environment, folder, _log(lake, "server"))
        _wait(url, running["server"], lake)
        files.write_json(home(lake.root) / NOTE, {"url": url})
        _deploy(environment, folder)
        command = _prefect("worker", "start", "--pool", POOL, "--type", "process")
        running["worker"] = processes.start(command, environment, folder, _log(lake, "worker"))
        console.print(f"Prefect UI: http://127.0.0.1:{port}", soft_wrap=True)
        console.print("Deployed: nightly (by schedule), corpus-build. Ctrl-C stops it.", soft_wrap=True)
        try:
            _watch(running, lake)
        except KeyboardInterrupt:
            console.print("Stopping.")


def project() -> Path:
    """The folder of prefect.yaml. Raises ServerError where textmill was installed without it."""
    folder = Path(__file__).resolve().parent.parent
    if not (folder / "prefect.yaml").is_file():
        raise ServerError(f"no prefect.yaml in {folder}; run `textmill up` from a checkout of textmill")
    return folder


def _check_free(lake: Lake, port: int) -> None:
    if (url := noted(lake.root)) is not None:
        raise ServerError(f"`textmill up` runs for {lake.root} already: {url.removesuffix('/api')}; stop it first")
    if not port_is_free(port):
        raise ServerError(f"port {port} of 127.0.0.1 is in use; stop what listens there, or give another with --port")


@contextmanager
def _started(lake: Lake) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """What is put in here is stopped in the end, whatever happens; SIGTERM counts as Ctrl-C, a closed terminal too."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # which is how nohup works
        signals.append(signal.SIGHUP)
    before = [signal.signal(one, interrupt) for one in signals]
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        yield running
    finally:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        (home(lake.root) / NOTE).unlink(missing_ok=True)
        # The worker and its runs first: a server that goes before its clients keeps them waiting.
        for process in reversed(running.values()):
            processes.stop(process)
        for one, handler in zip(signals, before, strict=True):
            signal.signal(one, handler)


def _environment(lake: Path, port: int) -> dict[str, str]:
    own = {
        "PREFECT_HOME": str(home(lake)),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_UI_URL": f"http://127.0.0.1:{port}",
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
        "TEXTMILL_LAKE": str(lake),
        # Deployed runs find the command of this very environment.
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
    }
    return {**os.environ, **QUIET, **SERVER, **own}


def _prefect(*words: str) -> list[str]:
    return [sys.executable, "-m", "prefect", *words]


def _log(lake: Lake, name: str) -> Path:
    return home(lake.root) / f"{name}.log"


def _wait(url: str, server: subprocess.Popen[bytes], lake: Lake) -> None:
    deadline = time.monotonic() + _START_S
    while server.poll() is None and time.monotonic() < deadline:
        if healthy(url):
            return
        time.sleep(0.3)
    raise ServerError(f"the Prefect server did not start; see {_log(lake, 'server')}")


def _deploy(environment: dict[str, str], folder: Path) -> None:
    commands = (
        ("flows.leftovers",),
        ("prefect", "--no-prompt", "work-pool", "create", POOL, "--type", "process", "--overwrite"),
        ("prefect", "--no-prompt", "deploy", "--all"),
    )
    for words in commands:
        command = [sys.executable, "-m", *words]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerError(f"`{' '.join(words)}` failed: {(done.stderr or done.stdout).strip()[-500:]}")


def _watch(running: dict[str, subprocess.Popen[bytes]], lake: Lake) -> None:
    while True:
        for name, process in running.items():
            if (status := process.poll()) is not None:
                raise ServerError(f"the Prefect {name} ended with status {status}; see {_log(lake, name)}")
        time.sleep(1)
