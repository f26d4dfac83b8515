"""A release held open: which files it names, what a lookup reads, and what changed since."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import readers_lake
from hypothesis import given
from hypothesis import strategies as st

from data.contracts import CONTRACTS
from data.lake import Lake, LakeError
from data.parts import bounds_of, may_hold
from data.release import NotFoundError, Release, find_in, open_release
from data.versions import NUMBER


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return readers_lake.make(tmp_path_factory.mktemp("release") / "lake")


@pytest.fixture
def release(lake: Lake) -> Release:
    return open_release(lake, "simplewiki")


class Counted(io.BytesIO):
    """A file that counts the bytes that are read of it."""

    read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.read_bytes += len(found)
        return found


def parquet(columns: dict[str, list[Any]], rows: int) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, row_group_size=rows, compression="none")
    return file.getvalue()


def opened(content: bytes, file: list[Counted]) -> Any:
    def open_it() -> BinaryIO:
        file.append(Counted(content))
        return file[-1]

    return open_it


def test_paths_are_those_of_the_version_in_order(release: Release) -> None:
    version = release.versions["corpus"]
    assert release.paths("corpus") == [str(path) for path in release.lake.parts("simplewiki", "corpus", version)]


def test_paths_of_a_document_are_those_whose_range_holds_it(release: Release) -> None:
    first, second = release.paths("corpus")
    assert release.paths("corpus", doc_id="simplewiki:2") == [first]  # though as text it lies within `13`…`20`
    assert release.paths("corpus", doc_id="simplewiki:13") == [second]  # though as text it lies within `1`…`9`
    for other in ("other:8", "simplewiki:21", "simplewiki:8a", "simplewiki:" + "1" * 5000):
        assert release.paths("corpus", doc_id=other) == []


@given(st.lists(st.from_regex(r"(a|b):([0-9]{1,3}|[0-9]{18,20}|[a-c0-9]{2})", fullmatch=True), min_size=1), st.data())
def test_ranges_of_a_part_hold_every_id_in_it(ids: list[str], data: st.DataObject) -> None:
    bounds = bounds_of(pa.table({"doc_id": ids}), CONTRACTS["corpus"])
    assert may_hold({"rows": len(ids), "bounds": bounds}, "doc_id", data.draw(st.sampled_from(ids)))


@pytest.mark.parametrize(
    ("ids", "numbers"),
    [
        (["w:9", "w:10"], [9, 10]),
        (["w:9", "v:10"], None),
        (["w:9", "w:010"], None),
        (["w:9", "w:x"], None),
        (["w:9", "w:" + "1" * 19], None),
        (["w:0", "w:" + "9" * 18], [0, 10**18 - 1]),
    ],
)
def test_a_part_of_numbers_of_one_source_has_their_range(ids: list[str], numbers: list[int] | None) -> None:
    bounds = bounds_of(pa.table({"doc_id": ids}), CONTRACTS["corpus"])
    assert bounds.get(NUMBER) == numbers
    assert bounds["doc_id"] == [min(ids), max(ids)]


def test_a_part_without_a_range_may_hold_everything(release: Release) -> None:
    bare = Release(release.lake, "simplewiki", release.content)
    for part in bare.manifest("corpus")["parts"]:
        part["bounds"] = {}
    assert bare.paths("corpus", doc_id="other:8") == bare.paths("corpus")
    assert bare.find("other:8") == []


@pytest.mark.parametrize("number", [1, 9, 10, 12, 13, 20])
def test_every_document_is_found(release: Release, number: int) -> None:
    (row,) = release.find(f"simplewiki:{number}")
    assert row["title"] == f"Title {number}"
    assert release.scan("corpus", doc_id=f"simplewiki:{number}").collect()["title"].to_list() == [f"Title {number}"]


def test_a_document_that_no_file_may_hold_is_an_empty_frame_of_the_same_columns(release: Release) -> None:
    assert release.scan("corpus", doc_id="other:8").collect().schema == release.scan("corpus").collect_schema()


def test_a_document_that_is_not_there_is_an_error_that_tells_what_an_id_is(release: Release) -> None:
    with pytest.raises(NotFoundError, match=r"has no 'simplewiki:99'; an id is <source>:<native id>; .*--all"):
        release.get("simplewiki:99")
    assert release.get("simplewiki:9") == release.find("simplewiki:9")


def test_a_document_that_was_rejected_is_an_error_that_tells_why(release: Release) -> None:
    with pytest.raises(NotFoundError, match=r"it was rejected by clean: redirect \(filtered\)"):
        release.get("simplewiki:1001")
    with pytest.raises(NotFoundError, match="an id is"):
        release.get("simplewiki:1", "rejects")


def test_a_dataset_that_the_release_does_not_name_is_refused(release: Release) -> None:
    with pytest.raises(LakeError, match="publishes no 'vectors'; it publishes corpus, entities"):
        release.paths("vectors")


def test_a_lookup_in_rows_that_are_no_documents_is_refused(release: Release) -> None:
    release.manifest("corpus")["contract"]["columns"] = [["row_id", "string", False]]
    with pytest.raises(LakeError, match="rows of corpus have no doc_id; read it with scan"):
        release.find("simplewiki:1")


def test_no_release_names_the_pipelines_there_are(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=r"enwiki has no release in .*; published there: simplewiki"):
        open_release(lake, "enwiki")
    with pytest.raises(LakeError, match="nothing; `textmill run`"):
        open_release(str(tmp_path), "enwiki")


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(1, 8), st.integers(0, 40))
def test_find_gives_the_rows_that_a_filter_gives(numbers: list[int], rows: int, wanted: int) -> None:
    columns = {"doc_id": [f"w:{number}" for number in numbers], "place": list(range(len(numbers)))}
    table = pa.table(columns, schema=pa.schema([("doc_id", pa.string()), ("place", pa.int64())]))
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=rows)
    found = list(find_in(opened(file.getvalue(), []), f"w:{wanted}"))
    assert found == pl.DataFrame(table).filter(doc_id=f"w:{wanted}").to_dicts()


def test_ids_of_row_groups_that_cannot_hold_a_document_are_not_read() -> None:
    content, files = parquet({"doc_id": [f"w:{n:06d}" for n in range(50_000)]}, rows=1_000), []
    assert list(find_in(opened(content, files), "w:030000")) == [{"doc_id": "w:030000"}]
    assert files[0].read_bytes < 0.3 * len(content)


def test_row_groups_that_cannot_hold_a_document_are_not_read() -> None:
    columns = {"doc_id": [f"w:{n:03d}" for n in range(100)], "text": ["long " * 9_000 + str(n) for n in range(100)]}
    content, files = parquet(columns, rows=10), []
    assert [row["doc_id"] for row in find_in(opened(content, files), "w:055")] == ["w:055"]
    assert files[0].read_bytes < 0.2 * len(content)
    assert files[0].closed


def test_of_row_groups_that_may_hold_a_document_and_do_not_the_ids_alone_are_read() -> None:
    columns = {"doc_id": [f"w:{n}" for n in (1, 9) * 50], "text": ["long " * 9_000 + str(n) for n in range(100)]}
    content, files = parquet(columns, rows=10), []
    assert list(find_in(opened(content, files), "w:5")) == []
    assert files[0].read_bytes < 0.1 * len(content)


def test_changes_are_files_that_came_and_went(tmp_path: Path) -> None:
    lake = readers_lake.make(tmp_path / "lake")
    before = open_release(lake, "simplewiki")
    readers_lake.publish(lake, readers_lake.SECOND, again=True)
    now = open_release(lake, "simplewiki")
    changes = now.changes("corpus", since=before)
    assert changes.added == now.paths("corpus")[1:]
    assert changes.removed == before.paths("corpus")[1:]
    same = now.changes("corpus", since=now.versions["corpus"])
    assert (same.added, same.removed) == ([], [])


def test_a_release_that_is_held_stays_through_a_later_one(tmp_path: Path) -> None:
    lake = readers_lake.make(tmp_path / "lake")
    held = open_release(lake, "simplewiki")
    readers_lake.publish(lake, readers_lake.SECOND, again=True)
    assert held.scan("corpus").collect().height == 20
    assert open_release(lake, "simplewiki").scan("corpus").collect().height == 24


def test_a_version_that_is_gone_is_told(tmp_path: Path) -> None:
    lake = readers_lake.make(tmp_path / "lake")
    held = open_release(lake, "simplewiki")
    readers_lake.publish(lake, readers_lake.SECOND, again=True)
    shutil.rmtree(lake.version("simplewiki", "corpus", held.versions["corpus"]))
    with pytest.raises(LakeError, match="is gone from the lake; open the release again"):
        held.paths("corpus")
    with pytest.raises(LakeError, match="is gone; read the whole of"):
        open_release(lake, "simplewiki").changes("corpus", since=held)
