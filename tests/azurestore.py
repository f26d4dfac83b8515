"""Azurite, Microsoft's emulator of Azure Blob Storage, on loopback: `npm install -g azurite` gives its command."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from objectstore import AZURE_ACCOUNT, AZURE_KEY


def command() -> str | None:
    """The command of the emulator: `TEXTMILL_AZURITE`, or `azurite-blob` where commands are looked for."""
    return os.environ.get("TEXTMILL_AZURITE") or shutil.which("azurite-blob")


@contextmanager
def azure_server(folder: Path) -> Iterator[tuple[str, int]]:
    """Host and port of an emulator with an account of our own, which ends with the block."""
    found, port = command(), _free_port()
    if found is None:
        raise FileNotFoundError("azurite-blob")
    words = [found, "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    own = {**os.environ, "AZURITE_ACCOUNTS": f"{AZURE_ACCOUNT}:{AZURE_KEY}"}
    process = subprocess.Popen(
        [*words, "--inMemoryPersistence", "--silent", "--disableTelemetry"],
        cwd=folder,
        env=own,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(process, port)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"azurite does not answer (status {process.poll()})")


def make_container(address: tuple[str, int], name: str) -> None:
    """Make a container, by a request that is signed with the account's key."""
    told = {"x-ms-date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"), "x-ms-version": "2021-12-02"}
    canonical = "".join(f"{header}:{value}\n" for header, value in sorted(told.items()))
    text = "PUT" + "\n" * 12 + canonical + f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{name}\nrestype:container"
    digest = hmac.new(base64.b64decode(AZURE_KEY), text.encode(), hashlib.sha256).digest()
    signed = {"Authorization": f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(digest).decode()}", "Content-Length": "0"}
    connection = http.client.HTTPConnection(*address)
    connection.request("PUT", f"/{AZURE_ACCOUNT}/{name}?restype=container", headers={**told, **signed})
    status = connection.getresponse().status
    connection.close()
    if status != 201:
        raise RuntimeError(f"azurite makes no container (status {status})")
