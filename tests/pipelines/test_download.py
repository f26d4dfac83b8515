"""Files come whole or not at all: over a server on the loopback that breaks off, refuses and changes its mind."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from data import files
from data.catalogue import Source
from pipelines.download import DownloadError, RawFile, download, known

BODY = bytes(i % 251 for i in range(5000))
HASH = hashlib.sha256(BODY).hexdigest()


@dataclass
class Script:
    """What the server does, request by request: a status, or how many bytes it sends before it breaks off."""

    address: str = ""
    body: bytes = BODY
    etag: str = '"one"'
    steps: list[int | str] = field(default_factory=list)
    requests: list[tuple[str | None, str | None]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Script]:
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked, guard = self.headers.get("Range"), self.headers.get("If-Range")
            script.requests.append((asked, guard))
            step = script.steps.pop(0) if script.steps else "whole"
            if isinstance(step, int) and 400 <= step < 600:
                self.send_response(step)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and guard == script.etag else 0
            content = script.body[start:]
            self.send_response(206 if start else 200)
            if start:
                shown = 0 if step == "wrong range" else start
                self.send_header("Content-Range", f"bytes {shown}-{len(script.body) - 1}/{len(script.body)}")
            self.send_header("ETag", script.etag)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:step] if isinstance(step, int) else content)

        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        script.address = f"http://127.0.0.1:{http.server_address[1]}/dump.txt"
        yield script
        http.shutdown()
        thread.join()


def fetch(script: Script, folder: Path, *, sha256: str | None = None, waits: list[float] | None = None) -> RawFile:
    source = Source(name="dump", location=script.address, sha256=sha256, licence="CC0")
    return download(source, folder, sleep=(waits if waits is not None else []).append)


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_whole_file_with_its_sidecar(server: Script, tmp_path: Path) -> None:
    raw = fetch(server, tmp_path, sha256=HASH)
    assert raw.path.read_bytes() == BODY
    assert files.read_json(tmp_path / "dump.txt.json") == {
        "path": "dump.txt",
        "source": "dump",
        "origin": server.address,
        "sha256": HASH,
        "bytes": len(BODY),
        "licence": "CC0",
        "etag": '"one"',
        "modified": None,
    }
    assert visible(tmp_path) == {"dump.txt", "dump.txt.json"}


def test_second_download_asks_nobody(server: Script, tmp_path: Path) -> None:
    assert fetch(server, tmp_path) == fetch(server, tmp_path)
    assert len(server.requests) == 1


def test_broken_transfer_goes_on_where_it_stopped(server: Script, tmp_path: Path) -> None:
    server.steps = [1000, 600]
    waits: list[float] = []
    assert fetch(server, tmp_path, waits=waits).path.read_bytes() == BODY
    assert server.requests == [(None, None), ("bytes=1000-", '"one"'), ("bytes=1600-", '"one"')]
    assert waits == [1.0, 2.0]


def test_file_that_changed_meanwhile_starts_again(server: Script, tmp_path: Path) -> None:
    server.steps = [1000]

    def change(_seconds: float) -> None:
        server.body, server.etag = BODY[::-1], '"two"'

    raw = download(Source(name="dump", location=server.address), tmp_path, sleep=change)
    assert raw.path.read_bytes() == BODY[::-1]
    assert raw.etag == '"two"'


@pytest.mark.parametrize("refusal", ["wrong range", 416])
def test_server_that_cannot_go_on_starts_again(server: Script, tmp_path: Path, refusal: int | str) -> None:
    server.steps = [1000, refusal]
    assert fetch(server, tmp_path).path.read_bytes() == BODY
    assert [asked for asked, _ in server.requests] == [None, "bytes=1000-", None]


def test_weak_etag_guards_no_range(server: Script, tmp_path: Path) -> None:
    server.etag = 'W/"one"'
    server.steps = [1000]
    assert fetch(server, tmp_path).path.read_bytes() == BODY
    assert server.requests == [(None, None), (None, None)]


def test_busy_server_is_asked_again(server: Script, tmp_path: Path) -> None:
    server.steps = [503, 429]
    waits: list[float] = []
    assert fetch(server, tmp_path, waits=waits).sha256 == HASH
    assert waits == [1.0, 2.0]


def test_busy_server_between_two_pieces_loses_nothing(server: Script, tmp_path: Path) -> None:
    server.steps = [1000, 503]
    assert fetch(server, tmp_path).path.read_bytes() == BODY
    assert server.requests[-1] == ("bytes=1000-", '"one"')


@pytest.mark.parametrize(
    ("steps", "message", "requests"),
    [([404], "answered 404; check the address", 1), ([503] * 5, "answered 503 5 times; try again later", 5)],
)
def test_refusals(server: Script, tmp_path: Path, steps: list[int | str], message: str, requests: int) -> None:
    server.steps = steps
    with pytest.raises(DownloadError, match=message):
        fetch(server, tmp_path)
    assert len(server.requests) == requests
    assert visible(tmp_path) == set()


def test_given_up_transfer_is_not_visible_and_the_next_run_goes_on(server: Script, tmp_path: Path) -> None:
    server.steps = [100] * 5
    with pytest.raises(DownloadError, match="broke off 5 times"):
        fetch(server, tmp_path)
    assert visible(tmp_path) == set()
    assert fetch(server, tmp_path).path.read_bytes() == BODY
    assert server.requests[-1] == ("bytes=500-", '"one"')


def test_killed_transfer_is_not_visible_and_the_next_run_goes_on(server: Script, tmp_path: Path) -> None:
    def kill(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(Source(name="dump", location=server.address), tmp_path, progress=kill)
    assert visible(tmp_path) == set()
    assert fetch(server, tmp_path).path.read_bytes() == BODY


def test_wrong_checksum_leaves_nothing(server: Script, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=f"has SHA-256 {HASH}, the catalogue says 0000"):
        fetch(server, tmp_path, sha256="0000")
    assert visible(tmp_path) == set()
    assert not list(tmp_path.glob(".*.partial"))


def test_file_that_the_catalogue_no_longer_means_is_fetched_again(server: Script, tmp_path: Path) -> None:
    fetch(server, tmp_path)
    server.body = BODY[::-1]
    new = hashlib.sha256(server.body).hexdigest()
    assert fetch(server, tmp_path, sha256=new).sha256 == new


@pytest.mark.parametrize("url", ["http://127.0.0.1:abc/x", "http:///x"])
def test_impossible_address(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="check the address"):
        download(Source(name="x", location=url), tmp_path, sleep=lambda _seconds: None)


def test_two_at_once_fetch_once(server: Script, tmp_path: Path) -> None:
    found: list[RawFile] = []
    threads = [threading.Thread(target=lambda: found.append(fetch(server, tmp_path))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [raw.path.read_bytes() for raw in found] == [BODY] * 3
    assert len(server.requests) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"bytes": 5000}', b'{"strange": 1}'])
def test_bad_sidecar_is_as_good_as_none(server: Script, tmp_path: Path, content: bytes) -> None:
    fetch(server, tmp_path)
    (tmp_path / "dump.txt.json").write_bytes(content)
    assert fetch(server, tmp_path).sha256 == HASH
    assert len(server.requests) == 2


def test_file_of_another_size_is_fetched_again(server: Script, tmp_path: Path) -> None:
    fetch(server, tmp_path).path.write_bytes(b"half")
    assert fetch(server, tmp_path).path.read_bytes() == BODY


@pytest.fixture
def local(tmp_path: Path) -> Source:
    path = tmp_path / "origin" / "a.txt"
    files.write_bytes(path, b"one")
    return Source(name="a", location=str(path))


def test_local_file_is_copied_once(local: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    raw = download(local, tmp_path / "raw", progress=lambda done, total: calls.append((done, total)))
    assert (raw.path.read_bytes(), raw.origin, calls) == (b"one", local.location, [(3, 3)])
    assert download(local, tmp_path / "raw", progress=lambda done, total: calls.append((done, total))) == raw
    assert len(calls) == 1


def test_changed_origin_is_copied_again(local: Source, tmp_path: Path) -> None:
    first = download(local, tmp_path / "raw")
    local.path().write_bytes(b"two")
    os.utime(local.path(), ns=(1, 1))
    assert known(local, tmp_path / "raw") is None
    again = download(local, tmp_path / "raw")
    assert again.path.read_bytes() == b"two"
    assert again.sha256 != first.sha256


def test_missing_origin(local: Source, tmp_path: Path) -> None:
    local.path().unlink()
    with pytest.raises(DownloadError, match="cannot be read: No such file"):
        download(local, tmp_path / "raw")


def test_killed_copy_is_not_visible(local: Source, tmp_path: Path) -> None:
    def kill(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(local, tmp_path / "raw", progress=kill)
    assert visible(tmp_path / "raw") == set()
    assert download(local, tmp_path / "raw").path.read_bytes() == b"one"
