"""Local copies of objects: fetched when need be, as they are in the store, and removed with them."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest
from objectstore import Proxy

from data import files
from data.storage import ObjectPath, cache


@pytest.fixture
def root(cloud: Proxy) -> ObjectPath:
    return cloud.root


def test_a_file_that_was_just_written_is_not_fetched(root: ObjectPath, cloud: Proxy) -> None:
    with files.staging(root / "x.parquet") as staged:
        pl.DataFrame({"a": [1, 2]}).write_parquet(staged)
    cloud.requests.clear()
    assert pl.read_parquet(root / "x.parquet")["a"].to_list() == [1, 2]
    assert [request.method for request in cloud.requests] == ["HEAD"]


def test_a_replaced_object_is_fetched_again(root: ObjectPath) -> None:
    files.write_bytes(root / "x", b"one")
    assert Path(os.fspath(root / "x")).read_bytes() == b"one"
    files.write_bytes(root / "x", b"two")
    assert Path(os.fspath(root / "x")).read_bytes() == b"two"


def test_the_cache_removes_what_was_used_longest_ago(root: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTMILL_CACHE_GB", "0.0000015")
    kept = []
    for number in range(3):
        files.write_bytes(root / f"{number}", bytes(1000))
        kept.append(files.local(root / f"{number}"))
        os.utime(kept[-1], (number, number))
    assert [path.exists() for path in kept] == [False, False, True]


def test_what_is_removed_is_removed_from_the_cache_too(root: ObjectPath) -> None:
    for name in ("a", "b"):
        files.write_bytes(root / name, b"secret")
        os.fspath(root / name)
    (root / "a").unlink()
    files.remove_tree(root)
    assert [path for path in cache.home().rglob("*") if path.is_file() and b"secret" in path.read_bytes()] == []


def test_a_copy_that_goes_while_it_is_asked_for_is_fetched_again(
    root: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write_bytes(root / "x", b"one")
    kept = Path(os.fspath(root / "x"))
    touch = os.utime

    def gone(path: Path) -> None:
        kept.unlink(missing_ok=True)
        touch(path)

    monkeypatch.setattr(os, "utime", gone)
    assert Path(os.fspath(root / "x")).read_bytes() == b"one"


def test_the_cache_is_not_looked_through_for_each_copy(root: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, copies = [], cache._copies
    monkeypatch.setattr(cache, "_copies", lambda: looks.append(1) or copies())
    for number in range(5):
        with files.staging(root / f"{number}") as staged:
            staged.write_bytes(bytes(1000))
    assert len(looks) == 1


def test_a_folder_that_another_writer_drops_is_made_again(root: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "one").write_bytes(b"first")
    staged = cache.scratch()
    staged.write_bytes(b"first")
    replace, dropped = Path.replace, []

    def dropping(self: Path, target: Path) -> Path:
        if not dropped:
            dropped.append(target)
            cache.drop(root / "one")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", dropping)
    cache.keep(staged, root / "one")
    assert dropped[0].read_bytes() == b"first"
