"""Paths in an object store: used like those of a disk, whole or not at all, patient with trouble."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import polars as pl
import pytest
from objectstore import KEY_ID, SECRET, SECRETS, TOKEN, Proxy, Request

from data import files, tables
from data.errors import LakeError
from data.storage import ObjectPath, StorageError, cache, objects, place, redacted, stores


@pytest.fixture
def root(cloud: Proxy) -> ObjectPath:
    found = place(cloud.lake)
    assert isinstance(found, ObjectPath)
    return found


def is_put(request: Request) -> bool:
    return request.method == "PUT"


def is_get(request: Request) -> bool:
    return request.method == "GET" and not request.is_list


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


@pytest.mark.parametrize("kind", ["500", "lost", "cut"])
@pytest.mark.parametrize(
    ("fits", "act", "wanted"),
    [
        (is_put, lambda path: files.write_bytes(path, b"new"), None),
        (is_put, lambda path: objects.put_if(path.with_name("fresh"), b"new", None), True),
        (is_put, lambda path: objects.put_if(path, b"new", objects.get(path)[1]), True),
        (is_get, lambda path: path.read_bytes(), b"old" * 700),
        (is_get, lambda path: Path(os.fspath(path)).read_bytes(), b"old" * 700),
        (lambda request: request.is_list, lambda path: [one.name for one in path.parent.iterdir()], ["x"]),
        (lambda request: request.method == "HEAD", lambda path: path.stat().st_size, 2100),
        (lambda request: request.method == "POST", lambda path: files.remove_tree(path.parent), None),
    ],
)
def test_trouble_that_passes_is_not_seen(
    root: ObjectPath, cloud: Proxy, kind: str, fits: Callable[[Request], bool], act: Callable[[Any], Any], wanted: Any
) -> None:
    files.write_bytes(root / "x", b"old" * 700)
    cloud.trouble(kind, fits, times=2)
    assert act(root / "x") == wanted


@pytest.mark.parametrize("kind", ["503", "429"])
def test_a_store_that_is_busy_is_asked_again(root: ObjectPath, cloud: Proxy, kind: str) -> None:
    cloud.trouble(kind, is_put, times=2)
    files.write_bytes(root / "x", b"new")
    assert (root / "x").read_bytes() == b"new"


def test_what_stalls_is_given_up_and_asked_for_again(
    root: ObjectPath, cloud: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "STALLED", timedelta(seconds=0.5))
    monkeypatch.setattr(stores, "QUICKEST", 0.5)
    stores.store.cache_clear()
    (tmp_path / "file").write_bytes(b"old")
    cloud.trouble("stall", is_put)
    objects.put_file(root / "x", tmp_path / "file")
    cloud.trouble("stall", is_get)
    assert (root / "x").read_bytes() == b"old"
    cloud.trouble("stall", is_put)
    assert objects.put_if(root / "x", b"new", objects.get(root / "x")[1])
    assert (root / "x").read_bytes() == b"new"
    assert ([trouble.times for trouble in cloud.troubles], cloud.waited_out) == ([0, 0, 0], 0)


@pytest.mark.parametrize(("size", "seconds"), [(0, 60), (60 << 18, 60), (61 << 18, 120), (256 << 20, 1920)])
def test_an_upload_has_the_time_that_a_slow_line_takes(
    monkeypatch: pytest.MonkeyPatch, size: int, seconds: float
) -> None:
    monkeypatch.setattr(stores, "store", lambda bucket, seconds: (bucket, seconds))
    assert stores.for_upload("s3://b", size) == ("s3://b", seconds)


@pytest.mark.parametrize("fails", ["part", "end", ""])
def test_a_very_large_file_is_put_in_pieces_and_none_is_left_after_an_error(
    s3: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    root = place(s3.lake)
    monkeypatch.setattr(objects, "_SINGLE", 1 << 20)
    monkeypatch.setattr(objects, "_RANGE", 5 << 20)
    file = tmp_path / "large"
    file.write_bytes(os.urandom(1 << 10) * (6 << 10))
    s3.trouble("500", lambda request: "partNumber=1" in request.query)
    body = b"<Error><Code>AccessDenied</Code></Error>"
    s3.trouble("403", lambda request: fails == "part" and "partNumber=2" in request.query, body=body)
    s3.trouble("403", lambda request: fails == "end" and is_end(request), body=body)
    if fails:
        with pytest.raises(StorageError, match="AccessDenied"):
            objects.put_file(root / "x", file)
        assert "DELETE" in {request.method for request in s3.requests}  # a piece may still be under way
        assert not (root / "x").is_file()
    else:
        objects.put_file(root / "x", file)
        assert (root / "x").stat().st_size == 6 << 20
        assert files.local(root / "x").read_bytes() == file.read_bytes()
    assert uploads(s3) == 0


def is_end(request: Request) -> bool:
    return request.method == "POST" and "uploadId" in request.query


def uploads(s3: Proxy) -> int:
    """Uploads that were begun and neither finished nor given up."""
    with urlopen(f"{s3.url}/{place(s3.lake).parts[1]}?uploads") as answer:
        return int(answer.read().count(b"<UploadId>"))


def test_a_store_that_answers_nothing_is_an_error(root: ObjectPath, cloud: Proxy) -> None:
    cloud.trouble("500", lambda request: True, times=999)
    with pytest.raises(StorageError, match=r"cannot be reached or does not answer .*; try again later"):
        (root / "x").read_bytes()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("AccessDenied", "may not be used with these credentials (AccessDenied): ask for rights"),
        ("InvalidAccessKeyId", "the credentials for "),
        ("SignatureDoesNotMatch", "are refused (SignatureDoesNotMatch); renew them"),
    ],
)
def test_refused_credentials_are_an_error_that_does_not_tell_them(
    root: ObjectPath, cloud: Proxy, code: str, told: str
) -> None:
    body = f"<Error><Code>{code}</Code><AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId><StringToSign>{SECRET}</StringToSign>"
    for act in (lambda: files.write_bytes(root / "x", b"1"), (root / "x").read_bytes, lambda: list(root.iterdir())):
        cloud.trouble("403", lambda request: True, body=body.encode())
        with pytest.raises(LakeError) as caught:
            act()
        assert told in str(caught.value)
        assert not any(secret in repr(caught.value) for secret in SECRETS)


@pytest.mark.parametrize("act", [ObjectPath.read_bytes, lambda path: files.write_bytes(path, b"1"), ObjectPath.iterdir])
def test_a_bucket_that_does_not_exist(cloud: Proxy, act: Callable[[Any], Any]) -> None:
    lake = place(f"{cloud.lake.partition(':')[0]}://nowhere-at-all/lake/x")
    with pytest.raises(LakeError, match=r"there is no bucket for \w\w://nowhere.*; create it, or name another"):
        list(act(lake) or [])


@pytest.mark.usefixtures("s3")
def test_keys_of_a_profile_are_used_and_a_broken_profile_is_not_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from data.storage.credentials import options

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    keys, config = tmp_path / "credentials", tmp_path / "config"
    keys.write_text(f"[work]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    config.write_text("[profile work]\nregion = eu-west-1\nendpoint_url = https://store.example\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "work")
    place_of = {"region": "eu-west-1", "endpoint": "https://store.example"}
    assert options("s3://b") == {"access_key_id": KEY_ID, "secret_access_key": SECRET, **place_of}
    monkeypatch.setenv("AWS_PROFILE", "home")
    with pytest.raises(StorageError, match="AWS_PROFILE is 'home', and no profile file has it"):
        options("s3://b")
    keys.write_text(f"{SECRET}\n")
    with pytest.raises(StorageError, match="is no profile file") as caught:
        options("s3://b")
    assert SECRET not in str(caught.value)


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
