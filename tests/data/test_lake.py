"""The folders of a lake, its locks, releases, and errors that name the fix."""

from __future__ import annotations

import multiprocessing
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from data import files
from data.lake import MANIFEST, RELEASE, Lake, LakeError
from data.sealing import seal


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def put(lake: Lake, dataset: str, version: str) -> None:
    manifest = {"version": version, "parts": [{"file": "part-00000-k.parquet"}]}
    files.write_json(lake.version("wiki", dataset, version) / MANIFEST, manifest)


@pytest.mark.parametrize("name", ["", "..", ".hidden", "_staging", "a/b", "a b", "-x", "дамп", "wiki\n"])
def test_pipeline_needs_a_plain_name(lake: Lake, name: str) -> None:
    with pytest.raises(LakeError, match="cannot name a pipeline; use letters"):
        lake.pipeline(name)


@pytest.mark.parametrize("name", ["wikipedia-sample", "a", "9", "simple.wiki_2"])
def test_plain_names_are_fine(lake: Lake, name: str) -> None:
    assert lake.pipeline(name) == lake.root / "datasets" / name


def test_release_round_trip(lake: Lake) -> None:
    assert lake.release("wiki") is None
    assert lake.pipelines() == []
    put(lake, "corpus", "v1")
    lake.publish("wiki", {"datasets": {"corpus": "v1"}})
    assert lake.release("wiki") == seal({"datasets": {"corpus": "v1"}, "number": 1, "format": 1})
    assert lake.pipelines() == ["wiki"]


def test_release_of_an_unpublished_version_is_refused_and_the_old_one_stays(lake: Lake) -> None:
    put(lake, "corpus", "v1")
    lake.publish("wiki", {"datasets": {"corpus": "v1"}})
    with pytest.raises(LakeError, match="names tokens v2, which is not published"):
        lake.publish("wiki", {"datasets": {"corpus": "v1", "tokens": "v2"}})
    assert lake.release("wiki") == seal({"datasets": {"corpus": "v1"}, "number": 1, "format": 1})


def test_releases_are_kept_by_their_numbers_newest_first(lake: Lake) -> None:
    assert list(lake.releases("wiki")) == []
    for number, version in enumerate(("a", "b", "c"), 1):
        put(lake, "corpus", version)
        lake.publish("wiki", {"datasets": {"corpus": version}, "run": f"r{number}"})
    assert [(one["number"], one["datasets"]["corpus"]) for one in lake.releases("wiki")] == [
        (3, "c"),
        (2, "b"),
        (1, "a"),
    ]


@pytest.mark.parametrize(("version", "number"), [("b", 2), ("c", 3)])
def test_a_release_whose_file_is_lost_is_followed_by_the_next_number(lake: Lake, version: str, number: int) -> None:
    for name in ("a", "b"):
        put(lake, "corpus", name)
        lake.publish("wiki", {"datasets": {"corpus": name}, "run": name})
    (lake.pipeline("wiki") / RELEASE).unlink()
    assert lake.release("wiki") is None
    put(lake, "corpus", version)
    before: list[Any] = []
    lake.publish("wiki", lambda found: before.append(found) or {"datasets": {"corpus": version}, "run": "r"})
    assert before[0]["datasets"] == {"corpus": "b"}
    assert [(one["number"], one["datasets"]["corpus"]) for one in lake.releases("wiki")] == [
        (number, version), *((2, "b"), (1, "a"))[3 - number :]
    ]  # fmt: skip


def test_a_release_of_the_same_versions_takes_no_new_number(lake: Lake) -> None:
    put(lake, "corpus", "a")
    lake.publish("wiki", {"datasets": {"corpus": "a"}, "run": "r1"})
    lake.publish("wiki", {"datasets": {"corpus": "a"}, "run": "r2"})
    assert [(one["number"], one["run"]) for one in lake.releases("wiki")] == [(1, "r2")]
    lake.publish("wiki", {"datasets": {"corpus": "a"}, "models": {"gpt": ["m", "v000001"]}, "run": "r3"})
    assert [one["run"] for one in lake.releases("wiki")] == ["r3", "r1"]


def test_a_release_from_before_there_were_numbers_is_the_first(lake: Lake) -> None:
    for version in "ab":
        put(lake, "corpus", version)
    files.write_json(lake.pipeline("wiki") / RELEASE, {"datasets": {"corpus": "a"}})
    lake.publish("wiki", {"datasets": {"corpus": "b"}})
    assert [(one["number"], one["datasets"]["corpus"]) for one in lake.releases("wiki")] == [(2, "b"), (1, "a")]


@pytest.mark.parametrize(("dies_at", "left"), [(RELEASE, ["a"]), ("000002.json", ["b", "a"])])
def test_a_release_is_there_with_its_pointer_whatever_a_kill_leaves(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, dies_at: str, left: list[str]
) -> None:
    for version in ("a", "b", "c"):
        put(lake, "corpus", version)
    lake.publish("wiki", {"datasets": {"corpus": "a"}})

    def killed(path: Path, content: bytes) -> None:
        if path.name == dies_at:
            raise KeyboardInterrupt
        write(path, content)

    write = files.write_bytes
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(files, "write_bytes", killed)
        lake.publish("wiki", {"datasets": {"corpus": "b"}})
    assert [one["datasets"]["corpus"] for one in lake.releases("wiki")] == left
    lake.publish("wiki", {"datasets": {"corpus": "c"}})
    assert [one["datasets"]["corpus"] for one in lake.releases("wiki")] == ["c", *left]


def test_manifests_are_those_of_published_versions(lake: Lake) -> None:
    put(lake, "corpus", "b")
    put(lake, "corpus", "a")
    lake.version("wiki", "corpus", "unfinished").mkdir()
    assert [manifest["version"] for manifest in lake.manifests("wiki", "corpus")] == ["a", "b"]
    assert lake.manifest("wiki", "corpus", "unfinished") is None


def test_parts_of_a_version_are_paths_in_order(lake: Lake) -> None:
    put(lake, "corpus", "v1")
    assert lake.parts("wiki", "corpus", "v1") == [lake.version("wiki", "corpus", "v1") / "part-00000-k.parquet"]


def test_parts_of_no_version_is_an_error(lake: Lake) -> None:
    with pytest.raises(LakeError, match="wiki/corpus has no version v9; see `textmill datasets list`"):
        lake.parts("wiki", "corpus", "v9")


def test_new_lake_is_writable_and_left_empty(lake: Lake) -> None:
    lake.check_writable()
    assert list(lake.root.iterdir()) == []


@pytest.mark.parametrize("root", ["file", "file/lake"])
def test_lake_that_cannot_be_written(tmp_path: Path, root: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LakeError, match=r"is not writable .* choose another with --lake DIR"):
        Lake(tmp_path / root).check_writable()


def test_full_or_read_only_lake(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(LakeError, match=r"not writable \(Read-only file system\)"):
        lake.check_writable()


def test_lock_in_a_lake_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LakeError, match="is not writable"), Lake(tmp_path / "file").lock("wiki"):
        pass


def test_second_lock_of_a_name_waits_for_the_first_and_says_so(lake: Lake, caplog: pytest.LogCaptureFixture) -> None:
    order: list[str] = []

    def second() -> None:
        with lake.lock("wiki"):
            order.append("second")

    with lake.lock("wiki"):
        other = threading.Thread(target=second)
        other.start()
        while not caplog.messages:
            other.join(0.01)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    assert caplog.messages == [f"another run is working on 'wiki' in {lake.root}; waiting for it to end"]


def test_locks_of_other_names_are_free_and_a_lock_is_given_back(lake: Lake) -> None:
    for _ in range(2):
        with lake.lock("wiki"), lake.lock("news"):
            pass


def _lock_and_die(root: Path) -> None:
    lock = Lake(root).lock("wiki")
    lock.__enter__()
    os._exit(9)


def test_lock_of_a_dead_process_is_free(lake: Lake) -> None:
    child = multiprocessing.get_context("spawn").Process(target=_lock_and_die, args=(lake.root,))
    child.start()
    child.join()
    assert child.exitcode == 9
    with lake.lock("wiki"):
        pass


def test_sweep_removes_half_built_versions_of_this_pipeline_alone(lake: Lake) -> None:
    for pipeline, version in (("wiki", "old"), ("wiki", "new"), ("news", "old")):
        files.write_bytes(lake.staging(pipeline, "corpus", version) / "part.parquet", b"x")
    lake.sweep("wiki")
    left = {str(path.relative_to(lake.root / "_staging")) for path in lake.root.glob("_staging/*/*/*")}
    assert left == {"news/corpus/old"}


def test_sweep_of_nothing(lake: Lake) -> None:
    lake.sweep("wiki")
    assert not lake.root.exists()


def test_a_disk_without_room_for_a_run_is_told_before_it_begins(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "new")
    lake.check_room(1)
    with pytest.raises(LakeError, match=r"MB free, and a run needs 10+ MB to begin with; free some"):
        lake.check_room(10**20)
