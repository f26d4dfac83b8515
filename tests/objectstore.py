"""A real S3 server on loopback, and a proxy before it that counts requests and makes trouble on demand."""

from __future__ import annotations

import base64
import http.client
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from data.storage import ObjectPath, place

SECRET = "planted-Secret/Key+of/nobody0123456789AB"
KEY_ID = "AKIAPLANTEDKEYID0000"
TOKEN = "planted-session-token-zzzz"
AZURE_ACCOUNT = "plantedaccount"
AZURE_KEY = base64.b64encode(f"{SECRET} of Azure".encode()).decode()
SECRETS = (KEY_ID, SECRET, TOKEN, AZURE_KEY)
NO_SUCH = {"Connection", "Transfer-Encoding", "Keep-Alive"}


@dataclass(frozen=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    query: str

    @property
    def is_list(self) -> bool:
        return self.method == "GET" and ("list-type=2" in self.query or "comp=list" in self.query)


@dataclass
class Trouble:
    """Answers `times` requests that fit in another way than the server: a status, `cut`, `lost` or `stall`.

    `cut` sends half of the body, `lost` nothing although the server did what was asked, `stall` nothing for a while.
    """

    kind: str
    fits: Callable[[Request], bool]
    times: int = 1
    body: bytes = b""


@dataclass
class Proxy:
    """The address to use as an endpoint, what was asked there, and the trouble to come.

    `waited_out` counts the stalled requests that the client did not give up.
    """

    url: str
    lake: str = ""
    stalled: threading.Event = field(default_factory=threading.Event)
    waited_out: int = 0
    requests: list[Request] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def root(self) -> ObjectPath:
        found = place(self.lake)
        assert isinstance(found, ObjectPath)
        return found

    def trouble(self, kind: str, fits: Callable[[Request], bool], times: int = 1, body: bytes = b"") -> Trouble:
        made = Trouble(kind, fits, times, body)
        self.troubles.append(made)
        return made

    def lists(self) -> list[Request]:
        return [request for request in self.requests if request.is_list]

    def next_trouble(self, request: Request) -> Trouble | None:
        for trouble in self.troubles:
            if trouble.times and trouble.fits(request):
                trouble.times -= 1
                return trouble
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy
    server_address: tuple[str, int]

    def log_message(self, *_: Any) -> None:
        pass

    def _pass_on(self) -> None:
        split = urlsplit(self.path)
        request = Request(self.command, unquote(split.path), split.query)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.proxy.requests.append(request)
        trouble = self.proxy.next_trouble(request)
        if trouble is not None and trouble.kind.isdigit():
            self._answer(int(trouble.kind), {"Content-Type": "application/xml"}, trouble.body)
            return
        if trouble is not None and trouble.kind == "stall":
            self.proxy.waited_out += not self.proxy.stalled.wait(20)
            self._hang_up()
            return
        answer, content = self._ask(body)
        if trouble is not None and trouble.kind == "lost":
            self._hang_up()
            return
        headers = {name: value for name, value in answer.getheaders() if name.title() not in NO_SUCH}
        if self.command == "HEAD":
            self._answer(answer.status, headers, b"", length=answer.getheader("Content-Length"))
        elif trouble is not None:  # cut
            self._answer(answer.status, headers, content[: len(content) // 2], length=str(len(content)))
            self._hang_up()
        else:
            self._answer(answer.status, headers, content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815

    def _ask(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(*self.server_address)
        connection.request(self.command, self.path, body=body, headers=dict(self.headers.items()))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def _answer(self, status: int, headers: dict[str, str], content: bytes, length: str | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.title() != "Content-Length":
                self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            with suppress(OSError):
                self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):  # the client may have gone before
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def s3_server() -> Iterator[tuple[str, int]]:
    """Host and port of moto's server."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield server.get_host_and_port()
    finally:
        server.stop()


@contextmanager
def proxy_to(address: tuple[str, int]) -> Iterator[Proxy]:
    """A proxy on a free port before a server."""
    handler = type("Handler", (_Handler,), {"server_address": address})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
    handler.proxy = proxy  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.stalled.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Server:
    """A store on loopback: its scheme and address, how a bucket is made, how clients find it at an endpoint."""

    scheme: str
    address: tuple[str, int]
    make_bucket: Callable[[str], None]
    variables: Callable[[str], dict[str, str]]


@contextmanager
def lake_behind(server: Server, cache: Path, setenv: Callable[[str, str], None]) -> Iterator[Proxy]:
    """A proxy before the server, with an environment that leads there and a bucket of its own for a lake."""
    bucket = f"bucket-{uuid.uuid4().hex[:12]}"
    server.make_bucket(bucket)
    with proxy_to(server.address) as proxy:
        for name, value in {**server.variables(proxy.url), **no_profiles(cache)}.items():
            setenv(name, value)
        proxy.lake = f"{server.scheme}://{bucket}/lake"
        yield proxy


def make_s3_bucket(address: tuple[str, int], name: str) -> None:
    connection = http.client.HTTPConnection(*address)
    connection.request("PUT", f"/{name}")
    connection.getresponse().read()
    connection.close()


def s3_variables(endpoint: str) -> dict[str, str]:
    """Variables with which the client finds the server, and secrets that must not be seen anywhere."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_REGION": "us-east-1",
    }


def google_variables(endpoint: str) -> dict[str, str]:
    return {"GOOGLE_BASE_URL": endpoint, "GOOGLE_BEARER_TOKEN": TOKEN}


def azure_variables(endpoint: str) -> dict[str, str]:
    return {
        "AZURE_STORAGE_ENDPOINT": f"{endpoint}/{AZURE_ACCOUNT}",
        "AZURE_STORAGE_ACCOUNT_NAME": AZURE_ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": AZURE_KEY,
    }


def no_profiles(cache: Path) -> dict[str, str]:
    return {
        "AWS_CONFIG_FILE": str(cache / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(cache / "no-credentials"),
        "TEXTMILL_CACHE": str(cache),
    }
