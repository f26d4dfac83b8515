"""A file is there whole or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from data import files
from data.errors import TextmillError


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_parts_of_a_manifest_have_a_line_each(tmp_path: Path) -> None:
    value = {"rows": 3, "parts": [{"n": 1, "facts": {"parts": []}}, {"n": 2}], "config": {"parts": []}}
    files.write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text("utf-8")
    assert files.read_json(tmp_path / "a.json") == value
    assert '\n    {"facts": {"parts": []}, "n": 1},\n    {"n": 2}\n' in text


def test_json_round_trip_makes_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    files.write_json(path, {"b": "ї", "a": [1, None]})
    assert files.read_json(path) == {"b": "ї", "a": [1, None]}
    assert path.read_text("utf-8") == '{\n  "a": [\n    1,\n    null\n  ],\n  "b": "ї"\n}\n'
    assert names(path.parent) == {"b.json"}


def test_no_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert files.read_json(tmp_path / "missing.json") is None
    assert files.read_json(tmp_path / "file" / "inside.json") is None


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"\xff\xfe"])
def test_damaged_json_names_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "note.json"
    path.write_bytes(content)
    with pytest.raises(TextmillError, match=r"note\.json is damaged"):
        files.read_json(path)


def test_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    files.write_bytes(path, b"old")

    def full(_path: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(files, "sync", full)
    with pytest.raises(OSError, match="disk full"):
        files.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == {"file"}


def test_content_is_flushed_before_the_rename_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    seen: list[tuple[bool, bool]] = []
    monkeypatch.setattr(files, "sync", lambda flushed: seen.append((flushed == tmp_path, path.exists())))
    files.write_bytes(path, b"x")
    assert seen == [(False, False), (True, True)]


def test_staging_removes_its_file_on_an_error(tmp_path: Path) -> None:
    def write() -> None:
        with files.staging(tmp_path / "file") as staged:
            staged.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert names(tmp_path) == set()


def test_link_shares_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x")
    target = tmp_path / "new" / "target"
    files.link(tmp_path / "source", target)
    assert target.stat().st_ino == (tmp_path / "source").stat().st_ino


def test_link_replaces_what_is_there(tmp_path: Path) -> None:
    for name in ("source", "target"):
        (tmp_path / name).write_bytes(name.encode())
    files.link(tmp_path / "source", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"source"


def test_link_copies_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    (tmp_path / "source").write_bytes(b"x")
    files.link(tmp_path / "source", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"x"
    assert (tmp_path / "target").stat().st_ino != (tmp_path / "source").stat().st_ino
    assert names(tmp_path) == {"source", "target"}


def test_rewriting_a_name_leaves_its_hard_link_alone(tmp_path: Path) -> None:
    files.write_bytes(tmp_path / "published", b"old")
    files.link(tmp_path / "published", tmp_path / "linked")
    files.write_bytes(tmp_path / "linked", b"new")
    assert (tmp_path / "published").read_bytes() == b"old"


def test_exclusive_waits_for_the_other(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with files.exclusive(tmp_path / "lock"):
            order.append("second")

    other = threading.Thread(target=second)
    with files.exclusive(tmp_path / "lock"):
        other.start()
        other.join(timeout=0.05)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
