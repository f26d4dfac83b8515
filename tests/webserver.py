"""A server on the loopback that does what a script says: breaks off, refuses, redirects, stalls, changes its mind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = bytes(i % 251 for i in range(5000))


@dataclass
class Step:
    """One answer: a status, headers of its own, how many bytes of the body are sent, whether it then hangs."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    sends: int | None = None
    hangs: bool = False
    corrupt: bool = False


@dataclass
class Script:
    """What the server has and does. `steps` are used up request by request, then it serves `pages`."""

    base: str = ""
    pages: dict[str, bytes] = field(default_factory=lambda: {"/dump.txt": BODY})
    etag: str | None = '"one"'
    steps: list[Step] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    meet: threading.Barrier | None = None
    most: int = 0
    release: threading.Event = field(default_factory=threading.Event)
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        """Address of the file that is there from the start."""
        return f"{self.base}/dump.txt"

    def asked(self, header: str) -> list[str | None]:
        """A header of every request."""
        return [headers.get(header) for _, headers in self.requests]

    @property
    def paths(self) -> list[str]:
        """What was asked for."""
        return [path for path, _ in self.requests]

    def step(self, path: str, headers: dict[str, str]) -> Step:
        """The next answer."""
        with self._lock:
            self.requests.append((path, headers))
            return self.steps.pop(0) if self.steps else Step()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the requests that are open at once."""
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            if self.meet is not None:
                self.meet.wait(10)
            yield
        finally:
            with self._lock:
                self._now -= 1


@contextmanager
def serving() -> Iterator[Script]:
    """Serve a script for a while."""
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with script.counted():
                answer(self, script)

        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_args: object) -> None:
            """Keep quiet about clients that leave."""

    with Server(("127.0.0.1", 0), Handler) as http:
        script.base = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.005})
        thread.start()
        try:
            yield script
        finally:
            script.release.set()
            http.shutdown()
            thread.join()


def answer(handler: BaseHTTPRequestHandler, script: Script) -> None:
    """One answer, as the script says."""
    step = script.step(handler.path, dict(handler.headers))
    body = script.pages.get(handler.path)
    if step.status in {301, 302, 307} or step.status >= 400 or body is None:
        head(handler, step.status or 404, {"Content-Length": "0", **step.headers})
    elif script.etag and handler.headers.get("If-None-Match") == script.etag:
        head(handler, 304, {})
    else:
        send(handler, script, step, body)


def send(handler: BaseHTTPRequestHandler, script: Script, step: Step, body: bytes) -> None:
    """A body or the rest of it, whole or not."""
    asked = handler.headers.get("Range")
    goes_on = asked and script.etag and handler.headers.get("If-Range") == script.etag
    start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and goes_on else 0
    if start >= len(body) > 0:
        head(handler, 416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0", **step.headers})
        return
    content = body[start:][::-1] if step.corrupt else body[start:]
    headers = {"Content-Length": str(len(content))}
    if script.etag:
        headers["ETag"] = script.etag
    if start:
        headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
    head(handler, 206 if start else 200, {**headers, **step.headers})
    handler.wfile.write(content[: step.sends])
    if step.hangs:
        handler.wfile.flush()
        script.release.wait(10)
    if step.sends is not None or step.hangs:
        handler.close_connection = True


def head(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
    """Status line and headers."""
    handler.send_response(status)
    for name, value in headers.items():
        if value:
            handler.send_header(name, value)
    handler.end_headers()
