"""Files come whole or not at all: over a server on the loopback that breaks off, refuses and changes its mind."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from fetching import HASH, NOON, Time, cut, fetch, visible
from hypothesis import given
from hypothesis import strategies as st
from webserver import BODY, Script, Step

from data import files
from data.catalogue import Source
from pipelines.download import BusyError, Clock, DownloadError, MismatchError, Network, RawFile, download
from pipelines.download.network import backoff, retry_after


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
        "checksums": {"sha256": HASH},
    }
    assert visible(tmp_path) == {"dump.txt", "dump.txt.json"}


def test_second_download_asks_nobody(server: Script, tmp_path: Path) -> None:
    assert fetch(server, tmp_path) == fetch(server, tmp_path)
    assert len(server.requests) == 1


def test_server_is_told_who_asks(server: Script, tmp_path: Path) -> None:
    fetch(server, tmp_path, network=Network(contact="https://example.org/me"))
    [agent] = server.asked("User-Agent")
    assert agent is not None
    assert agent.startswith("textmill/")
    assert "(https://example.org/me) httpx/" in agent


def test_broken_transfer_goes_on_where_it_stopped(server: Script, tmp_path: Path) -> None:
    server.steps = cut(1000, 600)
    time = Time()
    assert fetch(server, tmp_path, time=time).path.read_bytes() == BODY
    assert server.asked("Range") == [None, "bytes=1000-", "bytes=1600-"]
    assert server.asked("If-Range") == [None, '"one"', '"one"']
    assert time.waits == [1.0, 2.0]


def test_file_that_changed_meanwhile_starts_again(server: Script, tmp_path: Path) -> None:
    server.steps = cut(1000)

    def change(_seconds: float) -> None:
        server.pages["/dump.txt"], server.etag = BODY[::-1], '"two"'

    [raw] = download(Source(name="dump", location=server.address), tmp_path, clock=Clock(sleep=change))
    assert raw.path.read_bytes() == BODY[::-1]
    assert raw.etag == '"two"'


@pytest.mark.parametrize(
    "refusal", [Step(headers={"Content-Range": "bytes 0-4999/5000"}), Step(status=416)], ids=["wrong range", "416"]
)
def test_server_that_cannot_go_on_starts_again(server: Script, tmp_path: Path, refusal: Step) -> None:
    server.steps = [*cut(1000), refusal]
    assert fetch(server, tmp_path).path.read_bytes() == BODY
    assert server.asked("Range") == [None, "bytes=1000-", None]


def test_run_killed_before_the_rename_fetches_nothing_again(server: Script, tmp_path: Path) -> None:
    (tmp_path / ".dump.txt.partial").write_bytes(BODY)
    files.write_json(tmp_path / ".dump.txt.partial.json", {"url": server.address, "validator": '"one"'})
    assert fetch(server, tmp_path, sha256=HASH).path.read_bytes() == BODY
    assert server.asked("Range") == ["bytes=5000-"]


@pytest.mark.parametrize("etag", ['W/"one"', None])
def test_without_a_strong_validator_nothing_is_gone_on_with(server: Script, tmp_path: Path, etag: str | None) -> None:
    server.etag = etag
    server.steps = cut(1000)
    assert fetch(server, tmp_path).path.read_bytes() == BODY
    assert server.asked("Range") == [None, None]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
def test_busy_server_is_asked_again(server: Script, tmp_path: Path, status: int) -> None:
    server.steps = [Step(status=status), Step(status=status)]
    time = Time()
    assert fetch(server, tmp_path, time=time).sha256 == HASH
    assert time.waits == [1.0, 2.0]


def test_busy_server_between_two_pieces_loses_nothing(server: Script, tmp_path: Path) -> None:
    server.steps = [*cut(1000), Step(status=503)]
    assert fetch(server, tmp_path).path.read_bytes() == BODY
    assert server.asked("Range")[-1] == "bytes=1000-"


@pytest.mark.parametrize("wish", ["17", "Tue, 24 Nov 2026 12:00:17 GMT"])
def test_wait_that_a_server_asks_for_is_kept(server: Script, tmp_path: Path, wish: str) -> None:
    server.steps = [Step(status=429, headers={"Retry-After": wish})]
    time = Time()
    fetch(server, tmp_path, time=time)
    assert time.waits == [17.0]


def test_long_wait_is_told(server: Script, tmp_path: Path) -> None:
    notes: list[str] = []
    for seconds in ("9", "17"):
        server.steps = [Step(status=429, headers={"Retry-After": seconds})]
        source = Source(name="dump", location=server.address)
        download(source, tmp_path, clock=Time().clock, refresh=True, note=notes.append)
    assert notes == [f"{server.address} answered 429; asking again in 17 s"]


def test_wait_that_is_too_long_ends_the_download(server: Script, tmp_path: Path) -> None:
    server.steps = [Step(status=503, headers={"Retry-After": "7200"})]
    with pytest.raises(BusyError, match="answered 503 and asks to come back in 7200 s; try again then"):
        fetch(server, tmp_path)


@pytest.mark.parametrize("wish", [None, "", "soon", "-3", "1.5", "Tue, 24 Nov 2026 11:59:59 GMT", "Tue, 99 Nov 2026"])
def test_wish_that_means_nothing_is_none(wish: str | None) -> None:
    assert retry_after(wish, NOON) == 0.0


@given(failures=st.integers(1, 60), chance=st.floats(0, 1))
def test_backoff_grows_to_its_limit_and_is_never_under_half_of_it(failures: int, chance: float) -> None:
    whole = min(60.0, 2.0 ** (failures - 1))
    assert whole / 2 <= backoff(Network(), failures, chance) <= whole


@pytest.mark.parametrize(
    ("steps", "message", "requests"),
    [
        ([Step(status=404)], "answered 404: it is not there", 1),
        ([Step(status=410)], "answered 410: it is not there", 1),
        ([Step(status=403)], "answered 403: it is refused; set TEXTMILL_CONTACT", 1),
        ([Step(status=401)], "answered 401; check the address", 1),
        ([Step(status=503)] * 5, "answered 503 5 times; try again later", 5),
    ],
)
def test_refusals(server: Script, tmp_path: Path, steps: list[Step], message: str, requests: int) -> None:
    server.steps = list(steps)
    with pytest.raises(DownloadError, match=message):
        fetch(server, tmp_path)
    assert len(server.requests) == requests
    assert visible(tmp_path) == set()


def test_attempts_that_get_on_are_not_counted_against_a_large_file(server: Script, tmp_path: Path) -> None:
    server.pages["/dump.txt"] = body = bytes(9 << 20)
    server.steps = cut(*[1 << 20] * 8)
    assert fetch(server, tmp_path).bytes == len(body)
    assert len(server.requests) == 9


def test_given_up_transfer_is_not_visible_and_the_next_run_goes_on(server: Script, tmp_path: Path) -> None:
    server.steps = cut(*[100] * 5)
    with pytest.raises(BusyError, match=r"broke off .* 5 times; try again later"):
        fetch(server, tmp_path)
    assert visible(tmp_path) == set()
    assert fetch(server, tmp_path).path.read_bytes() == BODY
    assert server.asked("Range")[-1] == "bytes=500-"


def test_killed_transfer_is_not_visible_and_the_next_run_goes_on(server: Script, tmp_path: Path) -> None:
    def kill(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(Source(name="dump", location=server.address), tmp_path, progress=kill)
    assert visible(tmp_path) == set()
    assert fetch(server, tmp_path).path.read_bytes() == BODY


def test_silent_server_is_noticed_and_asked_again(server: Script, tmp_path: Path) -> None:
    server.steps = [Step(sends=1000, hangs=True)]
    assert fetch(server, tmp_path, network=Network(timeout_s=0.05)).path.read_bytes() == BODY
    assert server.asked("Range") == [None, "bytes=1000-"]


def test_server_that_never_answers_is_given_up(server: Script, tmp_path: Path) -> None:
    server.steps = [Step(sends=0, hangs=True)] * 2
    with pytest.raises(BusyError, match=r"stalled \(nothing in 0.05 s\) 2 times"):
        fetch(server, tmp_path, network=Network(timeout_s=0.05, attempts=2))


@pytest.mark.parametrize(("tick", "requests"), [(61.0, 2), (1.0, 1)], ids=["trickles", "fast enough"])
def test_trickle_is_a_stall(server: Script, tmp_path: Path, tick: float, requests: int) -> None:
    time = Time(tick=tick)
    server.steps = [Step(hangs=False)]
    network = Network(min_rate=2000.0, window_s=60.0, attempts=1 if requests == 2 else 2)
    if requests == 2:
        with pytest.raises(BusyError, match=r"stalled \(5000 bytes in 61 s\)"):
            fetch(server, tmp_path, time=time, network=network)
    else:
        assert fetch(server, tmp_path, time=time, network=network).bytes == 5000


def test_redirect_is_followed_and_its_start_is_the_origin(server: Script, tmp_path: Path) -> None:
    server.pages["/there/else.txt"] = BODY
    server.steps = [Step(status=302, headers={"Location": "/there/else.txt"})]
    raw = fetch(server, tmp_path)
    assert (raw.origin, raw.path.name, raw.path.read_bytes()) == (server.address, "dump.txt", BODY)


def test_endless_redirects_are_an_error(server: Script, tmp_path: Path) -> None:
    server.steps = [Step(status=302, headers={"Location": "/dump.txt"})] * 30
    with pytest.raises(DownloadError, match="check the address"):
        fetch(server, tmp_path)


def test_declared_length_that_never_comes_is_given_up(server: Script, tmp_path: Path) -> None:
    server.steps = [Step(sends=5000, headers={"Content-Length": "6000"})] * 5
    with pytest.raises(BusyError, match="broke off"):
        fetch(server, tmp_path, network=Network(attempts=1))
    assert visible(tmp_path) == set()


def test_too_short_a_body_with_its_own_length_fails_by_size(server: Script, tmp_path: Path) -> None:
    server.steps = [Step(sends=3000, headers={"Content-Length": "3000"})]
    with pytest.raises(MismatchError, match="has 3,000 bytes, it should have 5,000"):
        fetch(server, tmp_path, size=5000)
    assert visible(tmp_path) == set()


@pytest.mark.parametrize(("kind", "shown"), [("sha256", "SHA-256"), ("sha1", "SHA-1"), ("md5", "MD5")])
def test_wrong_checksum_leaves_nothing(server: Script, tmp_path: Path, kind: str, shown: str) -> None:
    right = hashlib.new(kind, BODY).hexdigest()
    with pytest.raises(MismatchError, match=f"has {shown} {right}, it should be 0000"):
        fetch(server, tmp_path, **{kind: "0000"})
    assert visible(tmp_path) == set()
    assert not list(tmp_path.glob(".*.partial"))
    assert fetch(server, tmp_path, **{kind: right.upper()}).checksums == {kind: right}


def test_web_page_in_the_place_of_a_file_is_named(server: Script, tmp_path: Path) -> None:
    server.pages["/dump.txt"] = b"  <!DOCTYPE html><title>Sign in</title>"
    with pytest.raises(MismatchError, match="the server sent a web page instead"):
        fetch(server, tmp_path, sha256=HASH)


def test_pieces_that_do_not_fit_are_fetched_once_more_whole(server: Script, tmp_path: Path) -> None:
    server.steps = [*cut(1000), Step(corrupt=True)]
    assert fetch(server, tmp_path, sha256=HASH).path.read_bytes() == BODY
    assert server.asked("Range") == [None, "bytes=1000-", None]


def test_file_that_was_damaged_on_its_way_is_an_error(server: Script, tmp_path: Path) -> None:
    server.steps = [Step(corrupt=True)]
    with pytest.raises(MismatchError, match="damaged on its way"):
        fetch(server, tmp_path, sha256=HASH)
    assert len(server.requests) == 1


def test_file_that_the_catalogue_no_longer_means_is_fetched_again(server: Script, tmp_path: Path) -> None:
    fetch(server, tmp_path)
    server.pages["/dump.txt"] = BODY[::-1]
    new = hashlib.sha256(BODY[::-1]).hexdigest()
    assert fetch(server, tmp_path, sha256=new).sha256 == new


@pytest.mark.parametrize("url", ["http://127.0.0.1:abc/x", "http:///x"])
def test_impossible_address(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="check the address"):
        download(Source(name="x", location=url), tmp_path, clock=Time().clock)


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
