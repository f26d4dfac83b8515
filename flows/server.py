"""Which Prefect server a command talks to; decided before Prefect is imported.

In order: PREFECT_API_URL, the server that `textmill up` noted in the lake, an ephemeral one of our own.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from pathlib import Path

from data import files

NOTE = "server.json"
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "true",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,pipelines,models,data",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
}
# A command prints lines of its own, and one for an error; Prefect's tracebacks are in the log of the run.
SILENT = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}
SERVER = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
}


def home(lake: Path) -> Path:
    """Where Prefect keeps its database for this lake."""
    return lake.absolute() / "_prefect"


def connect(lake: Path) -> str | None:
    """Set the environment for Prefect; returns the address of the server if there is one."""
    for name, value in {**QUIET, **SILENT}.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("PREFECT_HOME", str(home(lake)))
    if "PREFECT_API_URL" in os.environ:
        return os.environ["PREFECT_API_URL"]
    note = files.read_json(home(lake) / NOTE)
    if note and healthy(note["url"]):
        os.environ["PREFECT_API_URL"] = note["url"]
        return str(note["url"])
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "90")
    return None


def healthy(url: str) -> bool:
    """Whether a Prefect server answers there."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:  # noqa: S310 - an http address of ours
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False
