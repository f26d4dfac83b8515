from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.sources.folders import Entry, Overall, entries, is_many, label
from pipelines.sources.records import SourceError


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def names(folder: Path) -> list[str]:
    return [entry.name for entry in entries(folder)]


def test_order_is_that_of_whole_paths(tmp_path: Path) -> None:
    make(tmp_path, "b.txt", "a/z.txt", "a.txt", "a/b/c.txt", "B.txt", "ї.txt")
    assert names(tmp_path) == ["B.txt", "a.txt", "a/b/c.txt", "a/z.txt", "b.txt", "ї.txt"]


def test_hidden_files_and_folders_are_skipped(tmp_path: Path) -> None:
    make(tmp_path, ".DS_Store", ".git/config", "a.txt")
    assert names(tmp_path) == ["a.txt"]


def test_links_in_circles_end_and_a_folder_is_visited_once(tmp_path: Path) -> None:
    make(tmp_path, "a/one.txt")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "c.txt").symlink_to(tmp_path / "a" / "one.txt")
    assert names(tmp_path) == ["a/one.txt", "c.txt"]


def test_link_to_nowhere_is_an_entry(tmp_path: Path) -> None:
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    assert names(tmp_path) == ["gone.txt"]


def test_name_that_is_not_unicode_is_made_printable(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.txt")).touch()
    assert names(tmp_path) == ["a\\xff.txt"]


def test_file_is_its_own_only_entry(tmp_path: Path) -> None:
    make(tmp_path, "a.txt")
    assert names(tmp_path / "a.txt") == ["a.txt"]


def test_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no files"):
        names(tmp_path)


def test_progress_is_over_all_files(tmp_path: Path) -> None:
    make(tmp_path, "aaaa", "bb")
    heard: list[tuple[int, int]] = []
    overall = Overall(tmp_path, lambda done, total: heard.append((done, total)))
    first, second = [overall.within(entry) for entry in entries(tmp_path)]
    for listen, done, total in ((first, 2, 4), (first, 4, 4), (second, 1, 2), (second, 2, 2)):
        listen(done, total)
    assert heard == [(2, 6), (4, 6), (5, 6), (6, 6)]


def test_listed_files_are_read_under_the_names_they_are_given(tmp_path: Path) -> None:
    make(tmp_path, "x", "y", "z")
    listed = [Entry("b/x.txt", tmp_path / "x"), Entry("a.txt", tmp_path / "y"), Entry("_logs/z", tmp_path / "z")]
    assert [entry.name for entry in entries(listed, hidden=(".", "_"))] == ["b/x.txt", "a.txt"]
    assert is_many(listed)
    assert not is_many(listed[:1])
    assert label(listed) == f"the source of 3 files in {tmp_path}"
    assert label(listed[:1]) == str(tmp_path / "x")
