"""Which Prefect server a command talks to; decided before Prefect is imported.

In order: PREFECT_API_URL, the server that `textmill up` noted in the lake, an ephemeral one of our own.
"""

from __future__ import annotations

import http.client
import os
import socket
import urllib.error
import urllib.request
from pathlib import Path

from data import files
from data.lake import Lake

NOTE = "server.json"
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "true",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,pipelines,models,data",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
}
# A command prints lines of its own, and one for an error; Prefect's tracebacks are in the log of the run.
SILENT = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
}
SERVER = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
}
# Addresses here are of this machine: a proxy of the environment is not asked.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def home(lake: Path) -> Path:
    """Where Prefect keeps its database for this lake."""
    return Lake(lake).service


def connect(lake: Path) -> str | None:
    """Set the environment for Prefect; returns the address of the server if there is one."""
    for name, value in {**QUIET, **SILENT, "PREFECT_HOME": str(home(lake))}.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" not in os.environ and (url := noted(lake)) is not None:
        os.environ["PREFECT_API_URL"] = url
    return os.environ.get("PREFECT_API_URL")


def noted(lake: Path) -> str | None:
    """Address of the server that `textmill up` runs for this lake; None where there is none, or it is dead."""
    try:
        note = files.read_json(home(lake) / NOTE)
    except ValueError:
        return None
    url = str(note.get("url", "")) if note else ""
    return url if url and healthy(url) else None


def healthy(url: str) -> bool:
    """Whether a Prefect server answers there."""
    try:
        with _DIRECT.open(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError):
        return False


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True
