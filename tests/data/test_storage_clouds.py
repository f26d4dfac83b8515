"""What Google and Azure do in another way than S3; all that they do alike is in `test_storage`."""

from __future__ import annotations

from pathlib import Path

import pytest
from objectstore import Proxy

from data import files
from data.errors import LakeError
from data.storage import ObjectPath, StorageError, cache, objects, place, stores

SPOILT = """{"type": "service_account", "client_id": "c", "client_email": "e", "private_key_id": "k",
"private_key": "planted"}"""


@pytest.fixture
def google(gs: Proxy) -> ObjectPath:
    return gs.root


def test_google_replaces_by_generation_and_refuses_an_old_one(google: ObjectPath) -> None:
    assert objects.put_if(google / "x", b"one", None)
    assert not objects.put_if(google / "x", b"other", None)
    seen = objects.get(google / "x")[1]
    assert objects.put_if(google / "x", b"two", seen)
    assert not objects.put_if(google / "x", b"three", seen)
    assert (google / "x").read_bytes() == b"two"


def test_content_that_came_back_is_not_what_was_read(google: ObjectPath) -> None:
    files.write_bytes(google / "x", b"one")
    seen = objects.get(google / "x")[1]
    for content in (b"two", b"one"):
        files.write_bytes(google / "x", content)
    assert not objects.put_if(google / "x", b"mine", seen)


@pytest.mark.parametrize("name", ["lost", "500"])
def test_a_replacement_whose_answer_was_lost_is_told_by_what_is_there(google: ObjectPath, gs: Proxy, name: str) -> None:
    files.write_bytes(google / "x", b"one")
    seen = objects.get(google / "x")[1]
    gs.trouble(name, lambda request: request.method == "PUT", times=2)
    assert objects.put_if(google / "x", b"two", seen)


def test_a_changed_file_is_made_of_what_another_wrote_meanwhile(google: ObjectPath) -> None:
    def after(before: bytes | None) -> bytes:
        if before == b"one":
            files.write_bytes(google / "x", b"other")
        return (before or b"") + b"+mine"

    files.write_bytes(google / "x", b"one")
    assert files.change(google / "x", after) == b"other+mine"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("AuthenticationFailed", "are refused (AuthenticationFailed); renew them"),
        ("AuthorizationPermissionMismatch", "may not be used with these credentials (AuthorizationPermissionMismatch)"),
    ],
)
def test_what_azure_refuses_is_told(google: ObjectPath, gs: Proxy, code: str, told: str) -> None:
    gs.trouble("403", lambda request: True, body=f"<Error><Code>{code}</Code></Error>".encode())
    with pytest.raises(StorageError) as caught:
        (google / "x").read_bytes()
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("address", "variables", "told"),
    [
        ("az://b/x", {}, "no credentials for az://b were found"),
        ("az://b/x", {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT_KEY": "planted"}, "cannot be read"),
        ("az://b/x", {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_SAS_TOKEN": "planted"}, "cannot be read"),
        ("gs://b/x", {"GOOGLE_SERVICE_ACCOUNT": "/no/such/planted.json"}, "cannot be read"),
        ("gs://b/x", {"GOOGLE_APPLICATION_CREDENTIALS": "spoilt.json"}, "cannot be read"),
        ("gs://b/x", {"GOOGLE_SERVICE_ACCOUNT_KEY": '{"private_key": "planted"'}, "cannot be read"),
    ],
)
def test_credentials_that_are_no_credentials_are_not_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, variables: dict[str, str], told: str
) -> None:
    (tmp_path / "spoilt.json").write_text(SPOILT)
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stores.store.cache_clear()
    with pytest.raises(LakeError, match=told) as caught:
        place(address).read_bytes()
    assert "planted" not in str(caught.value)


def test_containers_of_two_accounts_have_two_folders_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTMILL_CACHE", str(tmp_path))
    found = set()
    for account in ("one", "two", "one"):
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", account)
        path = place("az://container/lake")
        assert isinstance(path, ObjectPath)
        found.add(cache.folder_of(path, "put"))
    assert len(found) == 2


@pytest.mark.long
def test_a_large_blob_is_put_in_blocks(az: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_SINGLE", 1 << 20)
    monkeypatch.setattr(objects, "_RANGE", 1 << 20)
    (tmp_path / "large").write_bytes(bytes(range(256)) * (3 << 12))
    az.trouble("500", lambda request: "comp=block" in request.query)
    path = place(az.lake) / "x"
    assert isinstance(path, ObjectPath)
    objects.put_file(path, tmp_path / "large")
    assert files.local(path).read_bytes() == (tmp_path / "large").read_bytes()
    assert sum("comp=block&" in f"{request.query}&" for request in az.requests) >= 3
