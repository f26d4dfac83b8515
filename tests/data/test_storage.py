"""Paths in an object store: used like those of a disk, whole or not at all."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import polars as pl
import pytest
from objectstore import KEY_ID, SECRET, SECRETS, TOKEN, Proxy

from data import files, tables
from data.storage import ObjectPath, StorageError, cache, objects, place, redacted


@pytest.fixture
def root(cloud: Proxy) -> ObjectPath:
    return cloud.root


@pytest.mark.parametrize("word", ["s3://b/p/q", "s3://b/p/q/", "s3:/b/p/q", Path("s3://b/p/q")])
def test_addresses_are_told_from_paths_of_a_disk(word: str | Path) -> None:
    assert str(place(word)) == "s3://b/p/q"
    assert isinstance(place(word), ObjectPath)
    assert not isinstance(place("lake/s3"), ObjectPath)


@pytest.mark.parametrize(
    "word",
    [
        f"s3://{KEY_ID}:{SECRET.replace('/', '%2F')}@bucket/p",
        f"s3://{KEY_ID}@bucket/p",
        f"s3://bucket/p?X-Amz-Signature={TOKEN}",
        f"s3://bucket/p?X-Amz-Security-Token={TOKEN}&X-Amz-Credential={KEY_ID}",
    ],
)
def test_an_address_with_credentials_is_refused_without_telling_them(word: str) -> None:
    with pytest.raises(StorageError, match=r"holds credentials or a query; name s3://BUCKET/PREFIX") as caught:
        place(word)
    assert not any(secret in str(caught.value) for secret in (KEY_ID, SECRET, SECRET.replace("/", "%2F"), TOKEN))


@pytest.mark.parametrize("word", ["s3://", "s3:///", "gs://b#x"])
def test_an_address_without_a_bucket_is_refused(word: str) -> None:
    if word == "gs://b#x":
        with pytest.raises(StorageError, match="is no address of a lake"):
            place(word)
        return
    with pytest.raises(StorageError, match="name s3://BUCKET/PREFIX"):
        place(word)


def test_redacted_keeps_what_is_no_secret() -> None:
    assert redacted("GET http://host/x?a=b failed") == "GET http://host/x?a=b failed"
    assert redacted(f"Authorization: AWS4-HMAC-SHA256 {SECRET}") == "Authorization: …"


def test_a_path_is_its_text(root: ObjectPath) -> None:
    path = root / "datasets" / "part.parquet"
    again = pickle.loads(pickle.dumps(path))
    assert (str(again), again) == (str(path), path)
    assert isinstance(again, ObjectPath)
    assert (path.name, path.suffix, path.parent) == ("part.parquet", ".parquet", root / "datasets")
    assert path.relative_to(root) == Path("datasets/part.parquet")
    assert not isinstance(path.relative_to(root), ObjectPath)
    assert (path.absolute(), path.resolve(), path.as_uri()) == (path, path, str(path))
    assert not any(secret.encode() in pickle.dumps(path) for secret in SECRETS)


def test_folders_are_where_objects_are(root: ObjectPath) -> None:
    assert not root.exists()
    for name in ("a/1.json", "a/2.txt", "b/c/3.json", "a.json"):
        files.write_bytes(root / name, name.encode())
    assert [path.name for path in root.iterdir()] == ["a", "a.json", "b"]
    assert sorted(str(path.relative_to(root)) for path in root.glob("*/*.json")) == ["a/1.json"]
    assert [str(path.relative_to(root)) for path in root.rglob("*.json")] == ["a.json", "a/1.json", "b/c/3.json"]
    assert ((root / "a").is_dir(), (root / "a").is_file(), (root / "a").exists()) == (True, False, True)
    assert ((root / "a/1.json").is_file(), (root / "a/1.json").stat().st_size) == (True, 8)
    files.remove_tree(root / "a")
    assert [path.name for path in root.iterdir()] == ["a.json", "b"]


def test_what_is_missing_is_a_file_not_found(root: ObjectPath) -> None:
    assert files.read_json(root / "none.json") is None
    for read in (ObjectPath.read_bytes, ObjectPath.stat, os.fspath, ObjectPath.open, ObjectPath.unlink):
        with pytest.raises(FileNotFoundError, match=r"none\.json"):
            read(root / "none.json")  # type: ignore[operator]
    (root / "none.json").unlink(missing_ok=True)


def test_objects_are_not_opened_for_writing(root: ObjectPath) -> None:
    with pytest.raises(StorageError, match=r"objects are written whole, by data\.files"):
        (root / "x").open("wb")
    with pytest.raises(StorageError, match=r"cannot be linked; use data\.files\.link"):
        (root / "x").hardlink_to(root / "y")


def test_a_staged_file_is_put_at_the_end_or_not_at_all(root: ObjectPath) -> None:
    with files.staging(root / "whole") as staged:
        staged.write_bytes(b"123")
        assert not (root / "whole").is_file()
    assert (root / "whole").read_bytes() == b"123"
    with pytest.raises(KeyboardInterrupt), files.staging(root / "half") as staged:
        staged.write_bytes(b"1")
        raise KeyboardInterrupt
    assert not (root / "half").is_file()
    assert list((cache.home() / "scratch").iterdir()) == []


def test_columns_are_read_without_the_rest(root: ObjectPath, cloud: Proxy) -> None:
    frame = pl.DataFrame({"n": range(3000), "noise": [os.urandom(300).hex() for _ in range(3000)]})
    content = io.BytesIO()
    frame.write_parquet(content)
    files.write_bytes(root / "p.parquet", content.getvalue())
    taken: list[int] = []
    asked = objects.get_range
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "get_range", lambda path, a, b, tag: taken.append(b - a) or asked(path, a, b, tag))
        assert tables.read(root / "p.parquet", ["n"]).equals(frame.select("n"))
    assert sum(taken) < len(content.getvalue()) / 10
    assert tables.read_all([root / "p.parquet"], None).equals(frame)
    assert tables.read_all([]).is_empty()


def test_a_part_that_is_replaced_while_it_is_read_is_an_error(root: ObjectPath) -> None:
    files.write_bytes(root / "x", bytes(3 << 20))
    with (root / "x").open("rb") as file:
        file.read(10)
        files.write_bytes(root / "x", b"1" * (3 << 20))
        with pytest.raises(StorageError, match="was replaced while it was read; run the same command again"):
            file.read()


def test_the_first_of_two_creates_and_the_second_sees_it(root: ObjectPath) -> None:
    assert files.create(root / "x", b"first")
    assert not files.create(root / "x", b"second")
    assert (root / "x").read_bytes() == b"first"


def test_a_change_is_made_again_on_what_another_wrote_meanwhile(root: ObjectPath) -> None:
    seen: list[bytes | None] = []

    def after(before: bytes | None) -> bytes:
        seen.append(before)
        if len(seen) == 1:
            files.write_bytes(root / "x", b"other")
        return (before or b"") + b"+mine"

    assert files.change(root / "x", after) == b"other+mine"
    assert seen == [None, b"other"]
    assert (root / "x").read_bytes() == b"other+mine"


def test_a_change_on_the_disk_is_like_that_in_a_store(tmp_path: Path) -> None:
    assert files.change(tmp_path / "a" / "x", lambda before: (before or b"") + b"1") == b"1"
    assert files.change(tmp_path / "a" / "x", lambda before: (before or b"") + b"2") == b"12"
    assert files.change(tmp_path / "a" / "x", lambda before: None) == b"12"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["x"]


def test_one_that_is_gone_does_not_keep_the_others_from_being_removed(
    root: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stores without a request for many objects remove one after the other, and end at one that is not there."""
    removed: list[str] = []

    class Store:
        def delete(self, keys: list[str]) -> None:
            for key in keys:
                if key.endswith("gone"):
                    raise FileNotFoundError(key)
                removed.append(key)

    monkeypatch.setattr(objects, "store", lambda _: Store())
    objects.remove([root / "gone", root / "here"])
    assert removed == [(root / "here").key]
