"""Which server a command talks to; a server here is a loopback one of the standard library."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from data import files
from flows import server


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def clean_environment() -> Iterator[None]:
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Healthy) as listening:
        thread = Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/api"
        listening.shutdown()
        thread.join()


def note(lake: Path, content: object) -> None:
    files.write_json(server.home(lake) / server.NOTE, content)


def dead_url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/api"


def test_without_a_note_there_is_no_server_and_prefect_lives_in_the_lake(tmp_path: Path) -> None:
    assert server.connect(tmp_path) is None
    assert "PREFECT_API_URL" not in os.environ
    assert os.environ["PREFECT_HOME"] == str(tmp_path / "_prefect")
    assert os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] == "CRITICAL"


def test_the_server_of_the_note_is_taken(tmp_path: Path, url: str) -> None:
    note(tmp_path, {"url": url})
    assert server.connect(tmp_path) == url
    assert os.environ["PREFECT_API_URL"] == url


def test_the_environment_wins_over_the_note(tmp_path: Path, url: str) -> None:
    note(tmp_path, {"url": url})
    os.environ["PREFECT_API_URL"] = "http://elsewhere:4200/api"
    os.environ["PREFECT_HOME"] = "/elsewhere"
    assert server.connect(tmp_path) == "http://elsewhere:4200/api"
    assert os.environ["PREFECT_HOME"] == "/elsewhere"


@pytest.mark.parametrize("content", [{}, [], {"url": ""}, {"url": "nonsense"}])
def test_a_note_that_names_no_server_is_passed_over(tmp_path: Path, content: object) -> None:
    note(tmp_path, content)
    assert server.connect(tmp_path) is None


def test_a_stale_note_is_passed_over(tmp_path: Path) -> None:
    note(tmp_path, {"url": dead_url()})
    assert server.connect(tmp_path) is None
    assert "PREFECT_API_URL" not in os.environ


def test_a_damaged_note_is_passed_over(tmp_path: Path) -> None:
    server.home(tmp_path).mkdir()
    (server.home(tmp_path) / server.NOTE).write_text("{")
    assert server.connect(tmp_path) is None


def test_a_proxy_is_not_asked_for_the_health_of_a_server_of_this_machine(url: str) -> None:
    os.environ["http_proxy"] = dead_url()
    assert server.healthy(url)


def test_a_server_without_a_health_page_is_not_healthy(url: str) -> None:
    assert not server.healthy(f"{url}/elsewhere")


def test_a_port_is_free_until_something_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not server.port_is_free(port)
    assert server.port_is_free(port)
