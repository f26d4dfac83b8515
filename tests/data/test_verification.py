"""A flipped bit anywhere in a version is found, and its file, dataset and version are named."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from lakes import PIPELINE, chain, release

from data import files
from data.hashing import sha256_file
from data.lake import FORMAT, MANIFEST, RELEASE, Lake, LakeError
from data.pins import pin
from data.sealing import seal
from data.verification import Checked, Problem, check_release, verify_pipeline, verify_raw


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path)
    chain(lake, "a", [{"w:1": "one"}, {"w:2": "two"}], rejects={"w:3": ("extract", "redirect")})
    release(lake, "a")
    pin(lake, PIPELINE, "corpus", "a", note="x", when="now")
    return lake


def problems(lake: Lake) -> list[Problem]:
    checked = Checked()
    verify_pipeline(lake, PIPELINE, checked)
    verify_raw(lake, checked)
    return checked.problems


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at if at >= 0 else len(data) // 2] ^= 1
    path.unlink()  # not the other names of the file
    path.write_bytes(data)


def test_a_lake_as_published_has_no_problem(lake: Lake) -> None:
    assert problems(lake) == []


@pytest.mark.parametrize(
    ("pattern", "of", "name"),
    [
        ("documents/a/part-00001-*.parquet", "dataset", "documents"),
        ("documents/a/_rejects/*.parquet", "dataset", "documents"),
        ("corpus/a/_manifest.json", "dataset", "corpus"),
        ("_release.json", "release", "_release"),
        ("_releases/000001.json", "release", "000001"),
        ("_pins.json", "pins", "_pins.json"),
    ],
)
def test_a_flipped_bit_is_found(lake: Lake, pattern: str, of: str, name: str) -> None:
    path = next(lake.pipeline(PIPELINE).glob(pattern))
    flip(path)
    (found,) = problems(lake)
    assert (found.path, found.of, found.name, found.state) == (str(path), of, name, "damaged")


def test_any_byte_of_a_manifest_counts(lake: Lake) -> None:
    path = lake.version(PIPELINE, "corpus", "a") / MANIFEST
    data = path.read_bytes()
    silent = []
    for at in range(0, len(data), 3):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        if Checked().json(path, {"of": "dataset", "name": "corpus"}) is not None:
            silent.append(data[at])
    assert set(silent) <= set(b" \n")  # white space between values says nothing


def test_a_missing_file_is_told_from_a_damaged_one(lake: Lake) -> None:
    next(lake.version(PIPELINE, "corpus", "a").glob("part-00000-*")).unlink()
    (found,) = problems(lake)
    assert str(found).startswith("missing: ")
    assert str(found).endswith("(dataset wiki corpus a)")


def test_a_released_version_that_is_gone_is_a_problem(lake: Lake) -> None:
    (lake.version(PIPELINE, "corpus", "a") / MANIFEST).unlink()
    assert [(one.name, one.state) for one in problems(lake)] == [("corpus", "missing")]


def test_a_file_that_the_disk_cannot_read_is_a_problem_and_the_next_are_checked(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, *others = sorted(lake.version(PIPELINE, "documents", "a").glob("part-*"))
    flip(others[-1])

    def failing(path: Path) -> str:
        if path == broken:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return sha256_file(path)

    monkeypatch.setattr("data.verification.sha256_file", failing)
    found = {one.path: one.state for one in problems(lake)}
    assert found == {str(broken): "unreadable", str(others[-1]): "damaged"}


@pytest.mark.parametrize("broken", ["a.jsonl.json", "_listing-1.json"])
def test_facts_of_a_raw_file_that_the_disk_cannot_read_are_a_problem(
    lake: Lake, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lake.raw / "wiki" / broken
    files.write_json(path, {})
    files.write_bytes(path.with_suffix(""), b"x")
    real = files.read_json

    def failing(asked: Path) -> Any:
        if asked == path:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return real(asked)

    monkeypatch.setattr(files, "read_json", failing)
    assert [(one.path, one.of, one.state) for one in problems(lake)] == [(str(path), "raw", "unreadable")]


def test_a_file_with_two_names_is_hashed_once(lake: Lake) -> None:
    chain(lake, "b", [{"w:1": "one"}, {"w:9": "nine"}], rejects={"w:3": ("extract", "redirect")})
    checked = Checked()
    verify_pipeline(lake, PIPELINE, checked)
    one = {path.stat().st_ino: path.stat().st_size for path in lake.root.rglob("*.parquet")}
    assert checked.bytes == sum(one.values())


@pytest.mark.parametrize("sidecar", ["beside", "hidden", "listed"])
def test_raw_files_are_checked_by_whatever_tells_their_hash(lake: Lake, sidecar: str) -> None:
    path = lake.raw / "wiki" / "a.jsonl"
    files.write_bytes(path, b'{"text": "x"}\n')
    facts = {"path": "a.jsonl", "sha256": sha256_file(path)}
    where = {"beside": "a.jsonl.json", "hidden": ".a.jsonl.json", "listed": "_listing-1.json"}[sidecar]
    files.write_json(path.with_name(where), {"files": [facts]} if sidecar == "listed" else facts)
    assert problems(lake) == []
    flip(path)
    (found,) = problems(lake)
    assert (found.of, found.name, found.path) == ("raw", "wiki", str(path))


def test_a_broken_sidecar_is_a_problem_and_a_broken_source_is_none(lake: Lake) -> None:
    path = lake.raw / "wiki" / "a.jsonl"
    files.write_bytes(path, b"x")
    files.write_bytes(path.with_name("a.jsonl.json"), b"{")
    files.write_bytes(path.with_name("own.json"), b"{")
    assert [one.path for one in problems(lake)] == [str(path) + ".json"]


def test_a_release_that_is_gone_is_missing(lake: Lake) -> None:
    (lake.pipeline(PIPELINE) / RELEASE).unlink()
    (found,) = problems(lake)
    assert (found.of, found.name, found.state) == ("release", "_release", "missing")


def test_a_manifest_of_a_later_format_is_not_judged(lake: Lake) -> None:
    path = lake.version(PIPELINE, "corpus", "a") / MANIFEST
    files.write_json(path, seal({**files.read_json(path), "format": FORMAT + 1}))
    with pytest.raises(LakeError, match="upgrade textmill"):
        problems(lake)


@pytest.mark.parametrize("damage", ["cut", "gone", "edited"])
def test_a_run_finds_what_was_done_to_the_release(lake: Lake, damage: str) -> None:
    check_release(lake, PIPELINE)
    folder = lake.version(PIPELINE, "corpus", "a")
    path = next(folder.glob("*.parquet"))
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "gone":
        path.unlink()
    else:
        path = folder / MANIFEST
        files.write_json(path, {**files.read_json(path), "rows": 7})
    with pytest.raises(LakeError, match=f"{path.name} is not as it was published.*remove {folder}"):
        check_release(lake, PIPELINE)


def test_a_version_that_was_removed_is_left_to_the_run(lake: Lake) -> None:
    (lake.version(PIPELINE, "corpus", "a") / MANIFEST).unlink()
    check_release(lake, PIPELINE)
    check_release(lake, "another")
