"""An export: few large files with the same rows, of which a later one writes what changed alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
import readers_lake
from hypothesis import given
from hypothesis import strategies as st

from data import export as module
from data import files
from data.export import LIST, export, grouped
from data.release import Release, open_release


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return open_release(readers_lake.make(tmp_path / "lake"), "simplewiki")


def parts(sizes: list[int]) -> list[dict[str, Any]]:
    return [{"bytes": size, "number": number} for number, size in enumerate(sizes)]


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 100))
def test_groups_hold_every_part_in_order_and_are_large_enough(sizes: list[int], size: int) -> None:
    groups = grouped(parts(sizes), size)
    assert [part["number"] for group in groups for part in group] == list(range(len(sizes)))
    totals = [sum(part["bytes"] for part in group) for group in groups]
    assert all(size <= total < size + 30 + size / 2 for total in totals[:-1])
    assert all(total >= size / 2 for total in totals[1:])


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(1, 100))
def test_a_part_more_changes_the_last_groups_alone(sizes: list[int], size: int) -> None:
    before, after = grouped(parts(sizes), size), grouped(parts([*sizes, 7]), size)
    assert after[: len(before) - 1] == before[:-1]


def test_an_export_is_one_file_with_the_rows_of_all_parts_in_order(release: Release, tmp_path: Path) -> None:
    (made,) = export(release, "corpus", tmp_path / "out")
    assert pl.read_parquet(made.path).equals(release.scan("corpus").collect())
    assert (made.rows, made.bytes, made.written) == (20, made.path.stat().st_size, True)
    assert sorted(path.name for path in (tmp_path / "out" / "corpus").iterdir()) == sorted([LIST, made.path.name])


def test_metadata_and_schema_are_those_of_the_parts(release: Release, tmp_path: Path) -> None:
    (made,) = export(release, "tokens", tmp_path)
    assert pq.read_schema(made.path).equals(pq.read_schema(release.files("tokens")[0]), check_metadata=True)


def test_row_groups_are_gathered_up_to_their_size(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (made,) = export(release, "corpus", tmp_path / "one")
    assert pq.ParquetFile(made.path).num_row_groups == 1
    monkeypatch.setattr(module, "_ROW_GROUP_BYTES", 1)
    (made,) = export(release, "corpus", tmp_path / "two")
    assert pq.ParquetFile(made.path).num_row_groups == 2


def test_the_same_export_again_writes_nothing(release: Release, tmp_path: Path) -> None:
    first = export(release, "corpus", tmp_path)
    again = export(release, "corpus", tmp_path)
    assert [one.path for one in again] == [one.path for one in first]
    assert not any(one.written for one in again)


def test_a_later_export_writes_what_changed_and_removes_what_went(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "grouped", lambda parts, _size: [[part] for part in parts])
    export(release, "corpus", tmp_path)
    (tmp_path / "corpus" / "mine.txt").write_text("kept")
    readers_lake.publish(release.lake, readers_lake.SECOND, again=True)
    now = open_release(release.lake, "simplewiki")
    made = export(now, "corpus", tmp_path)
    assert [one.written for one in made] == [False, True, True]
    there = {path.name for path in (tmp_path / "corpus").iterdir()}
    assert there == {"mine.txt", LIST, *(one.path.name for one in made)}
    assert files.read_json(tmp_path / "corpus" / LIST)["version"] == now.versions["corpus"]
    assert pl.read_parquet(tmp_path / "corpus" / "*.parquet").height == 24


def test_equal_parts_give_equal_bytes(release: Release, tmp_path: Path) -> None:
    one, two = (export(release, "corpus", tmp_path / name)[0].path for name in "ab")
    assert one.read_bytes() == two.read_bytes()


def test_a_part_that_was_rewritten_under_its_name_is_exported_again(release: Release, tmp_path: Path) -> None:
    (first,) = export(release, "corpus", tmp_path)
    release.manifest("corpus")["parts"][1]["sha256"] = "another"
    (second,) = export(release, "corpus", tmp_path)
    assert second.written
    assert second.path != first.path
    assert not first.path.exists()


def test_a_dataset_without_rows_is_a_file_without_rows(release: Release, tmp_path: Path) -> None:
    part, folder = release.manifest("corpus")["parts"][0], release.files("corpus")[0].parent
    pq.write_table(pq.read_table(folder / part["file"]).slice(0, 0), folder / "none.parquet")
    release.manifest("corpus")["parts"][:] = [{**part, "file": "none.parquet", "rows": 0}]
    (made,) = export(release, "corpus", tmp_path)
    assert pq.read_table(made.path).num_rows == 0
    assert pq.read_schema(made.path).names[0] == "doc_id"


def test_killed_before_the_old_files_went_the_next_export_removes_them(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = export(release, "corpus", tmp_path)
    release.manifest("corpus")["parts"][1]["sha256"] = "another"
    unlink, killed = Path.unlink, [first.path]

    def kill(path: Path, missing_ok: bool = False) -> None:
        if path in killed:
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", kill)
    with pytest.raises(KeyboardInterrupt):
        export(release, "corpus", tmp_path)
    killed.clear()
    (second,) = export(release, "corpus", tmp_path)
    assert list((tmp_path / "corpus").glob("*.parquet")) == [second.path]
