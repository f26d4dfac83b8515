"""A small Google Cloud Storage on loopback, by Google's reference of its XML API, as far as obstore asks for it.

The emulators that can be had do not take the conditional puts of that API, so they would prove nothing of them.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from objectstore import TOKEN

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Held:
    """An object: each writing gives it a new generation, and its tag tells the content only."""

    content: bytes
    generation: int
    written: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def headers(self) -> dict[str, str]:
        tag = hashlib.md5(self.content, usedforsecurity=False).hexdigest()
        return {
            "ETag": f'"{tag}"',
            "x-goog-generation": str(self.generation),
            "Last-Modified": format_datetime(self.written, usegmt=True),
        }


@dataclass
class Google:
    """Buckets of objects by key; one request at a time looks and writes."""

    buckets: dict[str, dict[str, Held]] = field(default_factory=dict)
    generation: int = 1_700_000_000_000_000
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, query: dict[str, list[str]], headers: Any, body: bytes) -> Answer:
        bucket, _, key = path.lstrip("/").partition("/")
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return _error(401, "AuthenticationRequired")
        if bucket not in self.buckets:
            return _error(404, "NoSuchBucket")
        with self.lock:
            held = self.buckets[bucket]
            if method == "PUT":
                return self._put(held, key, headers, body)
            if not key:
                return _listed(held, {name: values[0] for name, values in query.items()})
            if key not in held:
                return _error(404, "NoSuchKey")
            if method == "DELETE":
                del held[key]
                return 204, {}, b""
            return _read(held[key], headers)

    def _put(self, held: dict[str, Held], key: str, headers: Any, body: bytes) -> Answer:
        wanted = headers.get("x-goog-if-generation-match")
        if wanted is not None and int(wanted) != (held[key].generation if key in held else 0):
            return _error(412, "PreconditionFailed")
        if source := headers.get("x-goog-copy-source"):
            name, _, copied = unquote(source).lstrip("/").partition("/")
            if copied not in self.buckets[name]:
                return _error(404, "NoSuchKey")
            body = self.buckets[name][copied].content
        self.generation += 1
        held[key] = Held(body, self.generation)
        return 200, held[key].headers, b"<CopyObjectResult/>" if source else b""


def _error(status: int, code: str) -> Answer:
    return status, {"Content-Type": "application/xml"}, f"<Error><Code>{code}</Code></Error>".encode()


def _read(one: Held, headers: Any) -> Answer:
    if headers.get("If-Match", one.headers["ETag"]) != one.headers["ETag"]:
        return _error(412, "PreconditionFailed")
    if not (asked := headers.get("Range")):
        return 200, one.headers, one.content
    first, _, last = asked.removeprefix("bytes=").partition("-")
    found = one.content[int(first) : int(last) + 1]
    told = f"bytes {first}-{int(first) + len(found) - 1}/{len(one.content)}"
    return 206, {**one.headers, "Content-Range": told}, found


def _listed(held: dict[str, Held], query: dict[str, str]) -> Answer:
    """A page of keys after the token, with those below a delimiter folded into one prefix."""
    start, sign, lines = query.get("prefix", ""), query.get("delimiter"), []
    room, folded, last = int(query.get("max-keys", "1000")), set(), ""
    after = max(query.get("continuation-token", ""), query.get("start-after", ""))
    keys = [key for key in sorted(held) if key.startswith(start) and key > after]
    for key in keys:
        rest = key.removeprefix(start)
        if sign and sign in rest:
            folder = start + rest.partition(sign)[0] + sign
            if folder not in folded:
                lines.append(f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>")
            folded.add(folder)
        else:
            lines.append(_entry(key, held[key]))
        last = key
        if len(lines) >= room:
            break
    more = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if keys and last != keys[-1] else ""
    return 200, {}, f"<ListBucketResult>{''.join(lines)}{more}</ListBucketResult>".encode()


def _entry(key: str, one: Held) -> str:
    return (
        f"<Contents><Key>{escape(key)}</Key><Generation>{one.generation}</Generation><Size>{len(one.content)}</Size>"
        f"<LastModified>{one.written:%Y-%m-%dT%H:%M:%S.%fZ}</LastModified><ETag>{escape(one.headers['ETag'])}</ETag></Contents>"
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    google: Google

    def log_message(self, *_: Any) -> None:
        pass

    def _act(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        split = urlsplit(self.path)
        query = parse_qs(split.query)
        status, headers, content = self.google.answer(self.command, unquote(split.path), query, self.headers, body)
        self.send_response_only(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_HEAD = do_DELETE = _act  # noqa: N815


@contextmanager
def google_server() -> Iterator[tuple[Google, tuple[str, int]]]:
    """The store, empty, and its host and port."""
    google = Google()
    handler = type("Handler", (_Handler,), {"google": google})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield google, ("127.0.0.1", server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
