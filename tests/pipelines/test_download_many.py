"""Several files of a source, files that vanished upstream, and disks that are full: over a server on the loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fetching import Time, fetch
from webserver import BODY, Script, Step, serving

from data.catalogue import Source, SourceFile
from data.errors import ConfigError
from pipelines.download import DownloadError, Network, download, known
from pipelines.download.network import slots


def several(server: Script, count: int) -> Source:
    server.pages |= {f"/part{i}.txt": f"part {i}".encode() for i in range(1, count + 1)}
    listed = tuple(SourceFile(name=f"part{i}.txt", url=f"{server.base}/part{i}.txt") for i in range(1, count + 1))
    return Source(name="parts", location=server.base, files=listed)


def test_files_come_in_their_order_over_two_connections_and_no_more(server: Script, tmp_path: Path) -> None:
    server.meet = threading.Barrier(2)
    raw = download(several(server, 12), tmp_path)
    assert [file.path.read_text() for file in raw] == [f"part {i}" for i in range(1, 13)]
    assert server.most == 2


def test_downloads_share_the_connections_to_a_host(
    server: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert slots("a.example", 2) is slots("a.example", 2)
    assert slots("a.example", 2) is not slots("b.example", 2)
    seen: list[str] = []

    @contextmanager
    def slot(host: str, connections: int) -> Iterator[None]:
        seen.append(f"{host} of {connections} taken")
        yield
        seen.append(f"given back after {len(server.requests)} request")

    monkeypatch.setattr("pipelines.download.http.slots", slot)
    fetch(server, tmp_path)
    assert seen == [f"{server.base.removeprefix('http://')} of 2 taken", "given back after 1 request"]


def test_missing_file_ends_all_and_the_next_run_fetches_only_the_rest(server: Script, tmp_path: Path) -> None:
    source = several(server, 3)
    del server.pages["/part3.txt"]
    with pytest.raises(DownloadError, match=r"part3.txt answered 404"):
        download(source, tmp_path, network=Network(connections=1))
    assert known(source, tmp_path) is None
    server.requests.clear()
    server.pages["/part3.txt"] = b"late"
    download(source, tmp_path)
    assert server.paths == ["/part3.txt"]


def test_progress_counts_the_bytes_of_all_files(server: Script, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    download(several(server, 4), tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (24, 24)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_refresh_asks_and_takes_what_changed(server: Script, tmp_path: Path) -> None:
    source = Source(name="dump", location=server.address)
    first = download(source, tmp_path)
    assert download(source, tmp_path, refresh=True) == first
    assert server.asked("If-None-Match") == [None, '"one"']
    server.pages["/dump.txt"], server.etag = b"new", '"two"'
    assert download(source, tmp_path) == first
    [new] = download(source, tmp_path, refresh=True)
    assert (new.path.read_bytes(), new.etag) == (b"new", '"two"')


@pytest.mark.parametrize("status", [404, 410, 403, 503])
def test_upstream_that_vanished_leaves_the_file_of_the_lake_with_a_note(
    server: Script, tmp_path: Path, status: int
) -> None:
    source = Source(name="dump", location=server.address)
    first = download(source, tmp_path)
    server.steps = [Step(status=status)] * 5
    notes: list[str] = []
    assert download(source, tmp_path, refresh=True, clock=Time().clock, note=notes.append) == first
    assert len(notes) == 1
    assert f"answered {status}" in notes[0]
    assert "dump.txt" in notes[0]


def test_server_that_is_gone_leaves_the_file_of_the_lake(tmp_path: Path) -> None:
    with serving() as script:
        source = Source(name="dump", location=script.address)
        first = download(source, tmp_path)
    notes: list[str] = []
    assert download(source, tmp_path, refresh=True, clock=Time().clock, note=notes.append) == first
    assert "could not be reached" in notes[0]


def test_damaged_file_does_not_stand_in(server: Script, tmp_path: Path) -> None:
    source = Source(name="dump", location=server.address)
    [first] = download(source, tmp_path)
    first.path.write_bytes(BODY[::-1])
    server.steps = [Step(status=404)]
    with pytest.raises(DownloadError, match="answered 404"):
        download(source, tmp_path, refresh=True)


def test_full_disk_is_told_before_the_first_byte(server: Script, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"needs 1,000,000,000.0 GB, and the disk of .* choose another lake"):
        fetch(server, tmp_path, size=10**18)
    assert server.requests == []


def test_disk_that_fills_up_is_told(server: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def full(path: Path, *args: Any, **options: Any) -> Any:
        if path.name.endswith(".partial"):
            raise OSError(28, "No space left on device")
        return real(path, *args, **options)

    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(DownloadError, match="is full; free some space"):
        fetch(server, tmp_path)


def test_folder_that_cannot_be_written_is_told(server: Script, tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file")
    with pytest.raises(DownloadError, match="choose another lake with --lake"):
        fetch(server, tmp_path / "lake" / "raw")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("attempts", 0),
        ("connections", 0),
        ("timeout_s", 0.0),
        ("min_rate", -1.0),
        ("wikimedia", "dumps"),
        ("contact", "é\n"),
    ],
)
def test_option_that_cannot_be_is_named(option: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^{option} is "):
        Network(**{option: value})
