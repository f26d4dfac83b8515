"""Raw files in an object store, and addresses whose credentials nobody may see."""

from __future__ import annotations

from pathlib import Path

import pytest
from fetching import Time, cut
from objectstore import KEY_ID, SECRET, TOKEN, Proxy
from webserver import BODY, Script

from data import files
from data.catalogue import Source
from data.storage import ObjectPath, place
from pipelines.download import DownloadError, download, known
from pipelines.download.shelf import Shelf

QUERY = f"X-Amz-Credential={KEY_ID}&X-Amz-Signature={TOKEN}&sig={TOKEN}"
SECRETS = [text.encode() for text in (KEY_ID, SECRET, TOKEN, "hunter2pass")]


def secret_free(folder: Path) -> bool:
    content = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return bool(content) and not any(secret in one for secret in SECRETS for one in content)


def test_a_file_is_put_with_its_sidecar_and_known_without_a_list(server: Script, cloud: Proxy) -> None:
    folder = place(cloud.lake) / "raw" / "dump"
    source = Source(name="dump", location=server.address)
    [raw] = download(source, folder)
    assert isinstance(raw.path, ObjectPath)
    assert raw.path.read_bytes() == BODY
    assert [path.name for path in folder.rglob("*")] == ["dump.txt", "dump.txt.json"]
    cloud.requests.clear()
    assert known(source, folder) == [raw]
    assert download(source, folder) == [raw]
    assert (cloud.lists(), len(server.requests)) == ([], 1)


def test_a_broken_transfer_goes_on_from_the_local_piece(server: Script, cloud: Proxy) -> None:
    server.steps = cut(1000)
    [raw] = download(Source(name="dump", location=server.address), place(cloud.lake) / "raw", clock=Time().clock)
    assert raw.path.read_bytes() == BODY
    assert server.asked("Range") == [None, "bytes=1000-"]


def test_the_files_of_a_folder_are_known_by_one_listing(tmp_path: Path, cloud: Proxy) -> None:
    (tmp_path / "texts").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "texts" / f"{name}.txt").write_text(name)
    source, folder = Source(name="texts", location=str(tmp_path / "texts")), place(cloud.lake) / "raw" / "texts"
    raw = download(source, folder)
    cloud.requests.clear()
    assert Shelf(source, folder).listed() == raw
    assert [request.method for request in cloud.requests] == ["GET"]
    assert [path.read_text() for path in files.all_local([one.path for one in raw])] == ["a", "b", "c"]


@pytest.mark.parametrize("remote", [False, True])
def test_credentials_of_an_address_are_used_and_not_kept(
    server: Script, cloud: Proxy, tmp_path: Path, remote: bool
) -> None:
    folder = place(cloud.lake) / "raw" if remote else tmp_path / "raw"
    server.pages[f"/dump.txt?{QUERY}"] = BODY
    address = server.address.replace("://", "://user:hunter2pass@") + f"?{QUERY}"
    source = Source(name="dump", location=address)
    [raw] = download(source, folder)
    assert raw.path.read_bytes() == BODY
    [agent] = server.asked("Authorization")
    assert (agent or "").startswith("Basic ")
    assert secret_free(folder)
    assert known(source, folder) == [raw]


def test_credentials_of_an_address_are_not_told_in_errors_and_notes(
    server: Script, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    address = server.address.replace("://", "://user:hunter2pass@").replace("dump", "gone") + f"?{QUERY}"
    with pytest.raises(DownloadError, match=r"gone\.txt") as caught:
        download(Source(name="dump", location=address), tmp_path, clock=Time().clock)
    told = (str(caught.value) + caplog.text).encode()
    assert not any(secret in told for secret in SECRETS)
