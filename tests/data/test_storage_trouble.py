"""Trouble with an object store: what passes is waited out, what does not is one clear error without credentials."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from objectstore import KEY_ID, SECRET, SECRETS, Proxy, Request

from data import files
from data.errors import LakeError
from data.storage import ObjectPath, StorageError, objects, place, stores


@pytest.fixture
def root(cloud: Proxy) -> ObjectPath:
    return cloud.root


def is_put(request: Request) -> bool:
    return request.method == "PUT"


def is_get(request: Request) -> bool:
    return request.method == "GET" and not request.is_list


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
