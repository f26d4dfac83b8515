"""A lake in an object store: the manifest is the commit, and two writers never spoil what the other wrote."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from objectstore import Proxy

from data import files
from data.contracts import Column, Contract
from data.hashing import sha256_file
from data.lake import MANIFEST, RELEASE, Lake, LakeError
from data.storage import ObjectPath, cache
from data.versions import Build, Part

CONTRACT = Contract(
    "toys", (1, 0), "Toys.", "toy", (Column("doc_id", pa.string(), "id"), Column("n", pa.int32(), "number"))
)


@pytest.fixture
def lake(cloud: Proxy) -> Lake:
    return Lake(Path(cloud.lake))


def build(lake: Lake, version: str = "v1") -> Build:
    return Build(lake, "wiki", CONTRACT, version)


def write(target: Build, index: int = 0, key: str = "k", ids: tuple[str, ...] = ("a", "b")) -> Part:
    table = pa.table({"doc_id": list(ids), "n": range(len(ids))}, schema=CONTRACT.schema)
    counts = {"in": len(ids) + 1, "kept": len(ids), "filtered": {"too_short": 1}, "failed": {}}
    return target.write(index, key, table, counts=counts, rejects=pa.table({"reason": ["too_short"]}))


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def put(lake: Lake, version: str) -> dict[str, Any]:
    target = build(lake, version)
    return target.commit([write(target)], {})


def check_whole(lake: Lake, manifest: dict[str, Any]) -> None:
    folder = lake.version("wiki", "toys", manifest["version"])
    for part in manifest["parts"]:
        assert sha256_file(folder / part["file"]) == part["sha256"]
        assert sha256_file(folder / part["rejects_file"]) == part["rejects_sha256"]


def test_write_find_commit(lake: Lake) -> None:
    target = build(lake)
    part = write(target)
    assert build(lake).find(0, "k") == part
    assert target.published is None
    manifest = target.commit([part], {"run": "r1"})
    assert lake.manifest("wiki", "toys", "v1") == manifest
    assert tree(lake.version("wiki", "toys", "v1")) == {MANIFEST, part.file, part.rejects_file}
    assert part.file == f"part-00000-k-{part.sha256[:12]}.parquet"
    check_whole(lake, manifest)
    assert not list((cache.home() / "scratch").iterdir())


def test_a_part_of_an_earlier_version_is_copied_in_the_store(lake: Lake, cloud: Proxy) -> None:
    put(lake, "v1")
    cloud.requests.clear()
    target = build(lake, "v2")
    part = target.find(3, "k")
    assert part is not None
    assert (part.index, part.rows) == (3, 2)
    check_whole(lake, target.commit([part], {}))
    fetched = [one for one in cloud.requests if one.method == "GET" and one.path.endswith(".parquet")]
    assert len(fetched) == 2  # by the check of this test


def test_the_first_of_two_writers_stays_also_where_their_bytes_differ(lake: Lake) -> None:
    one, other = build(lake), build(lake)
    first, second = write(one, ids=("a", "b")), write(other, ids=("a", "c"))
    published = one.commit([first], {"run": "one"})
    assert other.commit([second], {"run": "other"}) == published
    assert lake.manifest("wiki", "toys", "v1") == published
    check_whole(lake, published)


def test_many_writers_of_a_version_at_once_have_one_result(lake: Lake) -> None:
    def begun(_number: int) -> tuple[Build, list[Part]]:
        target = build(lake)
        return target, [write(target, index, f"k{index}") for index in range(2)]

    def committed(number: int, made: tuple[Build, list[Part]]) -> dict[str, Any]:
        return made[0].commit(made[1], {"run": number})

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(committed, range(4), list(pool.map(begun, range(4)))))
    assert all(manifest == found[0] for manifest in found)
    check_whole(lake, found[0])


def test_many_releases_at_once_are_all_kept_by_number(lake: Lake) -> None:
    for number in range(4):
        put(lake, f"v{number}")

    def run(number: int) -> None:
        lake.publish("wiki", {"datasets": {"toys": f"v{number}"}, "models": {}})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    releases = list(lake.releases("wiki"))
    assert [release["number"] for release in releases] == [4, 3, 2, 1]
    assert {release["datasets"]["toys"] for release in releases} == {"v0", "v1", "v2", "v3"}


def test_a_release_made_of_the_one_before_is_made_again_if_another_came_between(lake: Lake) -> None:
    put(lake, "v1")
    asked: list[int] = []

    def made(before: dict[str, Any] | None) -> dict[str, Any]:
        asked.append((before or {}).get("number", 0))
        if len(asked) == 1:
            lake.publish("wiki", {"datasets": {"toys": "v1"}, "models": {"between": 1}})
        return {"datasets": {"toys": "v1"}, "models": {**(before or {"models": {}})["models"], "mine": 1}}

    assert lake.publish("wiki", made)["models"] == {"between": 1, "mine": 1}
    assert asked == [0, 1]


@pytest.mark.parametrize("kind", ["500", "lost", "cut"])
def test_a_version_is_built_through_trouble(lake: Lake, cloud: Proxy, kind: str) -> None:
    cloud.trouble(kind, lambda request: request.method == "PUT", times=2)
    cloud.trouble(kind, lambda request: request.method == "PUT" and request.path.endswith(MANIFEST), times=2)
    cloud.trouble(kind, lambda request: request.method == "GET" and not request.is_list, times=2)
    manifest = put(lake, "v1")
    lake.publish("wiki", {"datasets": {"toys": "v1"}})
    assert lake.manifest("wiki", "toys", "v1") == manifest
    check_whole(lake, manifest)


def test_nothing_is_listed_where_a_manifest_is_read(lake: Lake, cloud: Proxy) -> None:
    put(lake, "v1")
    lake.publish("wiki", {"datasets": {"toys": "v1"}})
    cloud.requests.clear()
    release = lake.release("wiki")
    assert release is not None
    for path in lake.parts("wiki", "toys", release["datasets"]["toys"]):
        path.read_bytes()
    assert build(lake).published is not None
    assert cloud.lists() == []
    lake.pipelines()
    assert len(cloud.lists()) == 1  # so lists are seen


def test_a_store_that_must_not_be_written_leaves_what_is_published(lake: Lake, cloud: Proxy) -> None:
    before = put(lake, "v1")
    lake.publish("wiki", {"datasets": {"toys": "v1"}})
    body = b"<Error><Code>AccessDenied</Code></Error>"
    cloud.trouble("403", lambda request: request.method in {"PUT", "POST", "DELETE"}, times=999, body=body)
    for act in (lake.check_writable, lambda: put(lake, "v2"), lambda: lake.publish("wiki", {"datasets": {}})):
        with pytest.raises(LakeError, match=r"may not be used with these credentials .*: ask for rights"):
            act()
    assert lake.manifest("wiki", "toys", "v2") is None
    assert lake.manifest("wiki", "toys", "v1") == before
    assert (lake.release("wiki") or {})["datasets"] == {"toys": "v1"}


def test_a_part_that_was_removed_or_cut_off_is_made_again(lake: Lake) -> None:
    for spoil in (lambda path: path.unlink(), lambda path: files.write_bytes(path, path.read_bytes()[:-1])):
        target = build(lake)
        part = write(target)
        spoil(target.folder / part.file)
        assert build(lake).find(0, "k") is None


def test_leftovers_of_killed_runs_go_when_nobody_works_on_them(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = put(lake, "v1")
    write(build(lake, "dead"))
    with monkeypatch.context() as patch:
        patch.setenv("TEXTMILL_CACHE", str(tmp_path / "another machine"))
        write(build(lake), 7, "stray")
    before = tree(lake.root)
    lake.sweep("wiki")
    assert tree(lake.root) == before  # a run on another machine may be at it
    lake.sweep("wiki", grace=timedelta(seconds=-1))
    assert tree(lake.version("wiki", "toys", "dead")) == set()
    assert len(tree(lake.root)) == 3
    check_whole(lake, published)


def test_leftovers_of_this_machine_go_at_once_when_their_version_is_published(lake: Lake) -> None:
    write(build(lake), 0, "stray")
    write(build(lake), 0, "k", ids=("a", "other bytes"))
    unfinished = write(build(lake, "v2"))
    published = put(lake, "v1")
    lake.sweep("wiki")
    assert len(tree(lake.version("wiki", "toys", "v1"))) == 3
    check_whole(lake, published)
    assert build(lake, "v2").find(0, "k") == unfinished  # the next run goes on with it
    manifest = build(lake, "v2").commit([unfinished], {})
    lake.sweep("wiki")
    check_whole(lake, manifest)


def test_scratch_files_of_dead_processes_go(lake: Lake) -> None:
    own = cache.scratch()
    dead = own.with_name("4194999-dead")
    for path in (own, dead):
        path.write_bytes(b"x")
    lake.sweep("wiki")
    assert (own.exists(), dead.exists()) == (True, False)


def test_scratch_and_service_are_on_the_disk(lake: Lake) -> None:
    assert lake.scratch("wiki").is_dir()
    assert not isinstance(lake.service, ObjectPath)
    with lake.lock("wiki"):
        pass
    assert tree(lake.root) == set()
    lake.check_writable()
    assert tree(lake.root) == set()


@pytest.mark.parametrize("remote", [False, True])
def test_a_manifest_of_a_future_format(lake: Lake, tmp_path: Path, remote: bool) -> None:
    place = lake if remote else Lake(tmp_path / "lake")
    put(place, "v1")
    path = place.version("wiki", "toys", "v2") / MANIFEST
    files.write_json(path, {"format": 2})
    files.write_json(place.pipeline("wiki") / RELEASE, {"format": 3})
    with pytest.raises(LakeError, match=r"_manifest.json has format 2, this textmill reads format 1; upgrade textmill"):
        place.manifest("wiki", "toys", "v2")
    for act in (place.release, lambda name: place.publish(name, {"datasets": {}})):
        with pytest.raises(LakeError, match=r"_release.json has format 3, .* upgrade textmill"):
            act("wiki")
    assert place.manifest("wiki", "toys", "v1") is not None


@pytest.mark.parametrize(
    ("number", "told"), [(28, "the disk is full"), (30, "read-only"), (122, "quota"), (5, "the disk fails")]
)
def test_a_disk_that_refuses_while_a_version_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, told: str
) -> None:
    place = Lake(tmp_path / "lake")
    before = put(place, "v1")
    place.publish("wiki", {"datasets": {"toys": "v1"}})
    target = build(place, "v2")
    part = write(target)

    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        for act in (
            lambda: write(target, 1, "other"),
            lambda: target.commit([part], {}),
            lambda: place.publish("wiki", {"datasets": {}}),
        ):
            with pytest.raises(LakeError, match=told):
                act()
    assert place.manifest("wiki", "toys", "v2") is None
    assert (place.manifest("wiki", "toys", "v1"), (place.release("wiki") or {})["number"]) == (before, 1)
    assert not list(place.root.rglob("*.tmp"))
    check_whole(place, target.commit([part], {}))
