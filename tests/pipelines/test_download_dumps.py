"""Dumps of Wikipedia from a mirror on the loopback: status files, dates, parts, checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from webserver import Script, Step, serving

from data.catalogue import find
from pipelines.download import Clock, DownloadError, MismatchError, Network, RawFile, UnavailableError, download, known

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Mirror:
    """A mirror that has dumps of Ukrainian."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.dates: list[str] = []
        script.pages["/ukwiki/"] = b""

    def add(self, date: str, parts: dict[str, bytes], *, state: str = "done", **more: Any) -> None:
        names = {f"ukwiki-{date}-pages-articles-{part}": body for part, body in parts.items()}
        self.script.pages |= {f"/ukwiki/{date}/{name}": body for name, body in names.items()}
        files = {name: facts(f"/ukwiki/{date}/{name}", body) for name, body in names.items()}
        job = {"status": state, "updated": "2026-11-02 01:02:03", "files": files}
        status = {
            "version": "0.8",
            "jobs": {"articlesmultistreamdump": job, "sitestatsdump": {"status": "done"}, **more},
        }
        self.script.pages[f"/ukwiki/{date}/dumpstatus.json"] = json.dumps(status).encode()
        self.dates.append(date)
        links = "".join(f'<a href="{one}/">{one}/</a>' for one in [*self.dates, "latest"])
        self.script.pages["/ukwiki/"] = f'<html><a href="../">../</a>{links}</html>'.encode()

    def fetch(self, words: str, folder: Path, **options: Any) -> list[RawFile]:
        network = Network(wikimedia=self.script.base + "/", backoff_s=0)
        clock = options.pop("clock", Clock(now=lambda: NOW))
        return download(find(words), folder, network=network, clock=clock, **options)


def facts(url: str, body: bytes) -> dict[str, Any]:
    digests = {name: hashlib.new(name, body).hexdigest() for name in ("sha1", "md5")}
    return {"size": len(body), "url": url, **digests}


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with serving() as script:
        yield Mirror(script)


SINGLE = {"multistream.xml.bz2": b"all", "multistream-index.txt.bz2": b"index"}
PARTS = {
    "multistream10.xml-p900p999.bz2": b"ten",
    "multistream2.xml-p100p899.bz2": b"two",
    "multistream1.xml-p1p99.bz2": b"one",
    "multistream-index2.txt-p100p899.bz2": b"index",
    "multistream-rss.xml": b"rss",
}


def test_articles_alone_with_their_checksums(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261101", SINGLE)
    [raw] = mirror.fetch("wikipedia:uk:20261101", tmp_path)
    assert (raw.source, raw.name) == ("ukwiki", "ukwiki-20261101-pages-articles-multistream.xml.bz2")
    assert raw.path.read_bytes() == b"all"
    assert raw.checksums == {name: hashlib.new(name, b"all").hexdigest() for name in ("sha1", "md5")}
    assert raw.licence == "CC BY-SA 4.0 and GFDL (Wikipedia)"


def test_parts_in_the_order_of_their_pages(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261101", PARTS)
    raw = mirror.fetch("wikipedia:uk:2026-11-01", tmp_path)
    assert [file.path.read_bytes() for file in raw] == [b"one", b"two", b"ten"]


def test_latest_is_the_newest_whose_articles_are_done(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261020", SINGLE)
    mirror.add("20261101", SINGLE)
    mirror.add("20261120", SINGLE, state="in-progress")
    [raw] = mirror.fetch("wikipedia:uk", tmp_path)
    assert "20261101" in raw.name


def test_dump_from_before_multistream(mirror: Mirror, tmp_path: Path) -> None:
    name = "ukwiki-20120101-pages-articles.xml.bz2"
    mirror.script.pages[f"/ukwiki/20120101/{name}"] = b"old"
    job = {"status": "done", "files": {name: facts("", b"old")}}
    mirror.add("20120101", {}, state="skipped", articlesdump=job)
    assert [raw.name for raw in mirror.fetch("wikipedia:uk:20120101", tmp_path)] == [name]


def test_dump_of_the_lake_is_used_without_asking(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261101", SINGLE)
    first = mirror.fetch("wikipedia:uk:20261101", tmp_path)
    asked = len(mirror.script.requests)
    assert mirror.fetch("wikipedia:uk:20261101", tmp_path) == first
    assert known(find("wikipedia:uk:20261101"), tmp_path) == first
    assert len(mirror.script.requests) == asked


def test_latest_is_asked_for_again_after_half_a_day(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261101", SINGLE)
    first = mirror.fetch("wikipedia:uk", tmp_path)
    mirror.add("20261120", {"multistream.xml.bz2": b"new"})
    soon, later = (Clock(now=lambda hours=hours: NOW + timedelta(hours=hours)) for hours in (11, 13))
    assert mirror.fetch("wikipedia:uk", tmp_path, clock=soon) == first
    assert known(find("wikipedia:uk"), tmp_path, clock=later) is None
    [raw] = mirror.fetch("wikipedia:uk", tmp_path, clock=later)
    assert raw.path.read_bytes() == b"new"


def test_refresh_looks_for_a_newer_dump_and_keeps_what_it_has(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261101", SINGLE)
    first = mirror.fetch("wikipedia:uk", tmp_path)
    mirror.script.requests.clear()
    assert mirror.fetch("wikipedia:uk", tmp_path, refresh=True) == first
    assert mirror.script.paths == ["/ukwiki/", "/ukwiki/20261101/dumpstatus.json"]


@pytest.mark.parametrize("words", ["wikipedia:uk", "wikipedia:uk:20261101"])
def test_dump_that_vanished_upstream_is_used_from_the_lake(mirror: Mirror, tmp_path: Path, words: str) -> None:
    mirror.add("20261101", SINGLE)
    first = mirror.fetch(words, tmp_path)
    mirror.script.pages.clear()
    notes: list[str] = []
    assert mirror.fetch(words, tmp_path, refresh=True, note=notes.append) == first
    assert "there is no wiki ukwiki" in notes[0]


def test_busy_mirror_leaves_the_latest_of_the_lake(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261101", SINGLE)
    first = mirror.fetch("wikipedia:uk", tmp_path)
    mirror.script.steps = [Step(status=503)] * 5
    notes: list[str] = []
    assert mirror.fetch("wikipedia:uk", tmp_path, refresh=True, note=notes.append) == first
    assert "answered 503 5 times" in notes[0]


def test_mirror_with_the_same_dump_is_not_fetched_from_again(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261101", SINGLE)
    first = mirror.fetch("wikipedia:uk:20261101", tmp_path)
    with serving() as script:
        other = Mirror(script)
        other.add("20261101", SINGLE)
        assert other.fetch("wikipedia:uk:20261101", tmp_path, refresh=True) == first
        assert not any(path.endswith(".bz2") for path in script.paths)


def test_unknown_language(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"there is no wiki xxwiki; the language is .*backup-index.html lists"):
        mirror.fetch("wikipedia:xx", tmp_path)


def test_date_that_is_not_there_names_those_that_are(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261101", SINGLE)
    mirror.add("20261120", SINGLE)
    with pytest.raises(UnavailableError, match="ukwiki has no dump of 20261105; there are 20261101, 20261120"):
        mirror.fetch("wikipedia:uk:20261105", tmp_path)


def test_dump_in_progress_names_one_that_is_done(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261101", SINGLE)
    mirror.add("20261120", SINGLE, state="in-progress")
    with pytest.raises(
        UnavailableError, match=r"20261120 are not done \(.*: in-progress\); take wikipedia:uk:20261101"
    ):
        mirror.fetch("wikipedia:uk:20261120", tmp_path)


def test_only_dump_in_progress(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261120", SINGLE, state="waiting")
    with pytest.raises(UnavailableError, match="try again in some days"):
        mirror.fetch("wikipedia:uk:20261120", tmp_path)
    with pytest.raises(UnavailableError, match="no dump of ukwiki has its articles done"):
        mirror.fetch("wikipedia:uk", tmp_path)


def test_file_that_is_not_the_one_of_the_status_file(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261101", SINGLE)
    mirror.script.pages["/ukwiki/20261101/ukwiki-20261101-pages-articles-multistream.xml.bz2"] = b"ALL"
    with pytest.raises(MismatchError, match="SHA-1"):
        mirror.fetch("wikipedia:uk", tmp_path)


@pytest.mark.parametrize(
    "content", [b"<html>", b"[]", b"{}", b'{"jobs": 3}', b'{"jobs": {"articlesmultistreamdump": [1]}}', b"\xff"]
)
def test_status_file_that_is_none(mirror: Mirror, tmp_path: Path, content: bytes) -> None:
    mirror.add("20261101", SINGLE)
    mirror.script.pages["/ukwiki/20261101/dumpstatus.json"] = content
    with pytest.raises(DownloadError, match="is no dump status file; check TEXTMILL_WIKIMEDIA"):
        mirror.fetch("wikipedia:uk:20261101", tmp_path)


def test_names_that_lead_out_of_the_folder_are_not_taken(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("20261101", {"../../evil.xml.bz2": b"evil", **SINGLE})
    assert len(mirror.fetch("wikipedia:uk:20261101", tmp_path / "raw")) == 1
    assert not list(tmp_path.glob("**/*evil*"))


def test_dump_that_a_user_has_already(mirror: Mirror, tmp_path: Path) -> None:
    own = tmp_path / "ukwiki-20261101-pages-articles.xml.bz2"
    own.write_bytes(b"own")
    raw = mirror.fetch("wikipedia:uk:20261101", tmp_path / "raw", by_hand=own)
    assert mirror.fetch("wikipedia:uk:20261101", tmp_path / "raw") == raw
    assert mirror.script.requests == []
