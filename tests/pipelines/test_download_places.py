"""Files from disks and object stores, and those that a user hands over."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import files
from data.catalogue import Source, SourceFile, UnknownSourceError, find
from pipelines.download import Clock, DownloadError, MismatchError, UnavailableError, download, known
from pipelines.download.places import natural


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        files.write_bytes(folder / name.replace("__", "/").replace("_dot_", "."), text.encode())
    return folder


@pytest.fixture
def local(tmp_path: Path) -> Source:
    path = tmp_path / "origin" / "a.txt"
    files.write_bytes(path, b"one")
    return Source(name="a", location=str(path))


def test_local_file_is_copied_once(local: Source, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    [raw] = download(local, tmp_path / "raw", progress=lambda done, total: calls.append((done, total)))
    assert (raw.path.read_bytes(), raw.origin, calls) == (b"one", local.location, [(3, 3)])
    assert download(local, tmp_path / "raw", progress=lambda done, total: calls.append((done, total))) == [raw]
    assert len(calls) == 1


def test_changed_origin_is_copied_again(local: Source, tmp_path: Path) -> None:
    [first] = download(local, tmp_path / "raw")
    local.path().write_bytes(b"two")
    os.utime(local.path(), ns=(1, 1))
    assert known(local, tmp_path / "raw") is None
    [again] = download(local, tmp_path / "raw")
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
    assert [path.name for path in (tmp_path / "raw").iterdir() if not path.name.startswith(".")] == []
    [raw] = download(local, tmp_path / "raw")
    assert raw.path.read_bytes() == b"one"


@pytest.mark.parametrize("what", ["origin/a.txt", "origin", "origin/*.txt"])
def test_origin_that_is_gone_leaves_the_files_of_the_lake_with_a_note(tmp_path: Path, what: str) -> None:
    write(tmp_path / "origin", a_dot_txt="one")
    lake = tmp_path / "raw"
    source = find(str(tmp_path / what))
    first = download(source, lake / source.name)
    (tmp_path / "origin" / "a.txt").unlink()
    (tmp_path / "origin").rmdir()
    again = find(str(tmp_path / what), raw=lake)
    notes: list[str] = []
    assert download(again, lake / again.name, note=notes.append) == first
    assert "a.txt" in notes[0]
    first[0].path.write_bytes(b"two")
    with pytest.raises(UnavailableError):
        download(again, lake / again.name)
    with pytest.raises(UnknownSourceError):
        find(str(tmp_path / what))


def test_folder_in_natural_order_without_what_is_hidden(tmp_path: Path) -> None:
    origin = write(tmp_path / "texts", b2="2", b10="10", a__c="c", _dot_hidden="h", _dot_git__x="x")
    source = find(str(origin))
    raw = download(source, tmp_path / "raw")
    assert [file.name for file in raw] == ["a/c", "b2", "b10"]
    assert [file.path.read_text() for file in raw] == ["c", "2", "10"]
    assert known(source, tmp_path / "raw") == raw


def test_same_texts_elsewhere_have_the_same_hashes_in_the_same_order(tmp_path: Path) -> None:
    texts = {"b": "2", "a__c": "c", "d": "4"}
    first = download(find(str(write(tmp_path / "x" / "texts", **texts))), tmp_path / "raw1")
    second = download(find(str(write(tmp_path / "y" / "texts", **dict(reversed(texts.items()))))), tmp_path / "raw2")
    assert [(raw.source, raw.name, raw.sha256) for raw in first] == [
        (raw.source, raw.name, raw.sha256) for raw in second
    ]


def test_folder_may_hold_files_that_look_like_sidecars(tmp_path: Path) -> None:
    origin = write(tmp_path / "texts", a_dot_txt="a" * (1 << 20), a_dot_txt_dot_json="{}")
    source = find(str(origin))
    for change in ("", "b"):
        write(origin, a_dot_txt="a" * (1 << 20) + change)
        raw = download(source, tmp_path / "raw")
        assert [file.bytes for file in raw] == [(1 << 20) + len(change), 2]
        assert raw[1].path.read_text() == "{}"
        assert known(source, tmp_path / "raw") == raw


def test_new_file_of_a_folder_is_copied_alone_and_a_removed_one_is_left_out(tmp_path: Path) -> None:
    origin = write(tmp_path / "texts", a="a", b="b")
    source = find(str(origin))
    download(source, tmp_path / "raw")
    write(origin, c="cc")
    (origin / "a").unlink()
    assert known(source, tmp_path / "raw") is None
    told: list[tuple[int, int]] = []
    raw = download(source, tmp_path / "raw", progress=lambda done, total: told.append((done, total)))
    assert [file.name for file in raw] == ["b", "c"]
    assert told == [(2, 2)]


def test_large_files_of_an_unfinished_folder_are_not_copied_again(tmp_path: Path) -> None:
    origin = write(tmp_path / "texts", a="a" * (1 << 20), b="b" * (1 << 20))
    told: list[int] = []

    def kill(done: int, _total: int) -> None:
        told.append(done)
        if done > 1 << 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(find(str(origin)), tmp_path / "raw", progress=kill)
    told.clear()
    raw = download(find(str(origin)), tmp_path / "raw", progress=lambda done, _total: told.append(done))
    assert told == [1 << 20]
    assert [file.bytes for file in raw] == [1 << 20] * 2


def test_glob_keeps_the_folders_below_its_wildcards(tmp_path: Path) -> None:
    write(tmp_path / "dumps", x__wiki_dot_xml="x", y__wiki_dot_xml="y", y__other_dot_txt="no")
    source = find(f"{tmp_path}/dumps/*/wiki.xml")
    raw = download(source, tmp_path / "raw")
    assert [file.name for file in raw] == ["x/wiki.xml", "y/wiki.xml"]
    assert known(source, tmp_path / "raw") == raw


def test_folder_that_holds_the_lake_is_refused(tmp_path: Path) -> None:
    origin = write(tmp_path / "texts", a="a")
    with pytest.raises(DownloadError, match="holds the lake itself"):
        download(find(str(origin)), origin / "lake" / "raw")


def test_empty_folder_is_told(tmp_path: Path) -> None:
    write(tmp_path / "texts", _dot_hidden="h")
    with pytest.raises(DownloadError, match="holds no file"):
        download(find(str(tmp_path / "texts")), tmp_path / "raw")


@given(st.lists(st.text(alphabet="ab01239/.é²", min_size=1), unique=True))
def test_natural_order_is_one_order(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural) == sorted(backwards, key=natural)


def test_natural_order_counts() -> None:
    assert sorted(["p10", "p9", "q", "p"], key=natural) == ["p", "p9", "p10", "q"]


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    system.pipe({"/bucket/in/a2.txt": b"two", "/bucket/in/a10.txt": b"ten", "/bucket/in/deep/b.csv": b"b"})
    yield system
    system.rm("/bucket", recursive=True)


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("memory://bucket/in/a2.txt", ["a2.txt"]),
        ("memory://bucket/in/*.txt", ["a2.txt", "a10.txt"]),
        ("memory://bucket/in/", ["a2.txt", "a10.txt", "deep/b.csv"]),
        ("memory://bucket/in", ["a2.txt", "a10.txt", "deep/b.csv"]),
    ],
)
def test_objects_of_a_store(memory: Any, tmp_path: Path, url: str, names: list[str]) -> None:
    source = find(url)
    raw = download(source, tmp_path)
    assert [file.name for file in raw] == names
    assert raw[0].path.read_bytes() == b"two"
    memory.rm("/bucket/in/a2.txt")
    assert known(source, tmp_path) == raw


def test_object_that_changed_is_copied_again_when_asked(memory: Any, tmp_path: Path) -> None:
    source = find("memory://bucket/in/a2.txt")
    [first] = download(source, tmp_path)
    memory.pipe("/bucket/in/a2.txt", b"2")
    assert download(source, tmp_path) == [first]
    [again] = download(source, tmp_path, refresh=True)
    assert again.path.read_bytes() == b"2"


def test_prefix_is_looked_at_again_after_half_a_day(memory: Any, tmp_path: Path) -> None:
    source = find("memory://bucket/in/*.txt")
    now = datetime(2026, 11, 24, tzinfo=UTC)
    download(source, tmp_path, clock=Clock(now=lambda: now))
    memory.pipe("/bucket/in/a3.txt", b"three")
    assert len(download(source, tmp_path, clock=Clock(now=lambda: now + timedelta(hours=1)))) == 2
    assert len(download(source, tmp_path, clock=Clock(now=lambda: now + timedelta(hours=13)))) == 3


class Flaky(io.BytesIO):
    """An object whose reading fails at the offsets that are left."""

    left: ClassVar[list[int]] = []

    def read(self, size: int | None = -1, /) -> bytes:
        if self.left and self.tell() >= self.left[0]:
            self.left.pop(0)
            raise RuntimeError("the connection broke")
        return super().read(size)


@pytest.mark.parametrize(
    ("breaks", "message"),
    [([1 << 20, 1 << 20, 2 << 20], None), ([1 << 20] * 5, "the connection broke"), ([0], "the connection broke")],
    ids=["goes on", "gives up", "never began"],
)
def test_object_whose_reading_breaks_off_is_gone_on_with(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks: list[int], message: str | None
) -> None:
    body = bytes(3 << 20)
    memory.pipe("/bucket/in/large.bin", body)
    monkeypatch.setattr(Flaky, "left", breaks)
    monkeypatch.setattr("pipelines.download.places.store_opener", lambda _item: Flaky(body))
    source, clock = find("memory://bucket/in/large.bin"), Clock(sleep=lambda _seconds: None)
    if message is None:
        assert download(source, tmp_path, clock=clock)[0].path.read_bytes() == body
    else:
        with pytest.raises(UnavailableError, match=message):
            download(source, tmp_path, clock=clock)


@pytest.mark.parametrize("url", ["memory://bucket/none.txt", "memory://bucket/in/*.xml"])
def test_object_that_is_not_there(memory: Any, tmp_path: Path, url: str) -> None:
    with pytest.raises(UnavailableError, match="check the address"):
        download(find(url), tmp_path)


@pytest.mark.parametrize(("url", "extra"), [("s3://bucket/a.txt", "s3"), ("gs://bucket/a.txt", "gcs")])
def test_driver_that_is_missing_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, extra: str
) -> None:
    def missing(_scheme: str) -> Any:
        raise ImportError("Install it")

    monkeypatch.setattr("fsspec.filesystem", missing)
    with pytest.raises(DownloadError, match=rf"pip install 'textmill\[{extra}\]'"):
        download(find(url), tmp_path)


def test_store_that_refuses_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def _strip_protocol(self, _url: str) -> str:
            raise RuntimeError("no credentials")

    monkeypatch.setattr("fsspec.filesystem", lambda _scheme: Refusing())
    with pytest.raises(UnavailableError, match=r"RuntimeError: no credentials\); check address and credentials"):
        download(find("s3://bucket/a.txt"), tmp_path)


BY_HAND = Source(name="conll", location="https://example.org/", by_hand="ask its owner")


def test_set_to_be_got_by_hand_says_how(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"ask its owner; then `textmill sources get conll --path FILE`"):
        download(BY_HAND, tmp_path)


def test_set_handed_over_is_known_from_then_on(tmp_path: Path) -> None:
    own = write(tmp_path / "own", eng_dot_train="train", eng_dot_testa="dev")
    raw = download(BY_HAND, tmp_path / "raw", by_hand=own)
    assert [file.name for file in raw] == ["eng.testa", "eng.train"]
    assert download(BY_HAND, tmp_path / "raw") == raw == known(BY_HAND, tmp_path / "raw")


def test_file_handed_over_stands_for_the_one_of_a_url_and_is_verified(tmp_path: Path) -> None:
    right = hashlib.md5(b"reviews", usedforsecurity=False).hexdigest()
    source = Source(name="imdb", location="http://127.0.0.1:1/imdb.tgz", md5=right)
    own = write(tmp_path / "own", mine="wrong", right="reviews")
    with pytest.raises(MismatchError, match="MD5"):
        download(source, tmp_path / "raw", by_hand=own / "mine")
    raw = download(source, tmp_path / "raw", by_hand=own / "right")
    assert [(file.name, file.origin) for file in raw] == [("imdb.tgz", source.location)]
    assert download(source, tmp_path / "raw") == raw


def test_folder_handed_over_must_hold_every_file(tmp_path: Path) -> None:
    listed = tuple(SourceFile(name=name, url=f"http://127.0.0.1:1/{name}") for name in ("a", "b"))
    source = Source(name="two", location="http://127.0.0.1:1/", files=listed)
    own = write(tmp_path / "own", b="b", c="c")
    with pytest.raises(DownloadError, match="lacks a; two consists of these files"):
        download(source, tmp_path / "raw", by_hand=own)
    write(own, a="a")
    assert [raw.name for raw in download(source, tmp_path / "raw", by_hand=own)] == ["a", "b"]


def test_nothing_handed_over(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="No such file"):
        download(BY_HAND, tmp_path / "raw", by_hand=tmp_path / "none")
