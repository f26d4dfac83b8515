"""A version is built part by part: what is done is not redone, and a half-built version is never visible."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data import files, writing
from data.contracts import Column, Contract
from data.errors import AccountingError
from data.hashing import sha256_file
from data.lake import MANIFEST, Lake
from data.versions import NOTES, Build, Part, add_counts, check_counts, write_parquet

CONTRACT = Contract(
    "toys", (1, 0), "Toys.", "toy", (Column("doc_id", pa.string(), "id"), Column("n", pa.int32(), "number"))
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def build(lake: Lake, version: str = "v1", contract: Contract = CONTRACT) -> Build:
    return Build(lake, "wiki", contract, version)


def table(*ids: str) -> pa.Table:
    return pa.table({"doc_id": list(ids), "n": range(len(ids))}, schema=CONTRACT.schema)


def counts(n: int, **filtered: int) -> dict[str, Any]:
    return {"in": n + sum(filtered.values()), "kept": n, "filtered": filtered, "failed": {}}


def write(target: Build, index: int = 0, key: str = "k", ids: tuple[str, ...] = ("a", "b")) -> Part:
    rejects = pa.table({"reason": ["too_short"]})
    return target.write(index, key, table(*ids), counts=counts(len(ids), too_short=1), rejects=rejects)


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_write_note_commit(lake: Lake) -> None:
    target = build(lake)
    part = write(target)
    assert target.find(0, "k") == part
    assert target.published is None
    manifest = target.commit([part], {"run": "r1"})
    folder = lake.version("wiki", "toys", "v1")
    assert target.published == manifest
    assert not target.folder.exists()
    assert tree(folder) == {MANIFEST, "part-00000-k.parquet", "_rejects/part-00000-k.parquet"}
    assert pq.read_table(folder / part.file).equals(table("a", "b"))
    assert (manifest["rows"], manifest["run"], manifest["counts"]) == (2, "r1", counts(2, too_short=1))
    assert manifest["parts"][0]["sha256"] == sha256_file(folder / part.file)
    assert manifest["parts"][0]["bounds"] == {"doc_id": ["a", "b"]}


def test_part_without_its_note_is_not_there(lake: Lake) -> None:
    target = build(lake)
    write(target)
    shutil.rmtree(target.folder / NOTES)
    assert target.find(0, "k") is None


@pytest.mark.parametrize("damage", ["missing", "truncated", "rejects missing", "note damaged"])
def test_note_without_its_whole_part_is_not_believed(lake: Lake, damage: str) -> None:
    target = build(lake)
    part = write(target)
    if damage == "missing":
        (target.folder / part.file).unlink()
    elif damage == "truncated":
        (target.folder / part.file).write_bytes(b"PAR1")
    elif damage == "rejects missing":
        (target.folder / str(part.rejects_file)).unlink()
    else:
        next((target.folder / NOTES).iterdir()).write_bytes(b"{")
    assert target.find(0, "k") is None


def test_part_of_another_index_or_key_is_not_found(lake: Lake) -> None:
    target = build(lake)
    write(target)
    assert target.find(1, "k") is None
    assert target.find(0, "other") is None


def test_part_of_an_earlier_version_is_linked_under_its_new_index(lake: Lake) -> None:
    earlier = build(lake, "v1")
    part = write(earlier)
    earlier.commit([part], {})
    later = build(lake, "v2")
    found = later.find(3, "k")
    assert found == replace(part, index=3, file="part-00003-k.parquet", rejects_file="_rejects/part-00003-k.parquet")
    old = lake.version("wiki", "toys", "v1") / part.file
    assert (later.folder / found.file).stat().st_ino == old.stat().st_ino
    later.commit([found], {})
    assert pq.read_table(lake.parts("wiki", "toys", "v2")[0]).equals(table("a", "b"))


def test_part_of_another_contract_is_not_reused(lake: Lake) -> None:
    earlier = build(lake, "v1")
    earlier.commit([write(earlier)], {})
    grown = replace(CONTRACT, columns=(*CONTRACT.columns, Column("x", pa.string(), "new", nullable=True)))
    assert build(lake, "v2", grown).find(0, "k") is None


def test_part_that_an_earlier_version_lost_is_not_reused(lake: Lake) -> None:
    earlier = build(lake, "v1")
    part = write(earlier)
    earlier.commit([part], {})
    (lake.version("wiki", "toys", "v1") / part.file).unlink()
    assert build(lake, "v2").find(0, "k") is None


def test_strays_are_dropped(lake: Lake) -> None:
    target = build(lake)
    part = write(target)
    write(target, 1, "dropped")
    for stray in (".part-00000-k.parquet.0000.tmp", "_rejects/.x.tmp"):
        (target.folder / stray).write_bytes(b"half")
    target.commit([part], {})
    assert tree(lake.version("wiki", "toys", "v1")) == {MANIFEST, part.file, part.rejects_file}


@pytest.mark.parametrize("moment", ["write_json", "rmtree", "rename"])
def test_killed_in_commit_redoes_no_part(lake: Lake, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    target = build(lake)
    part = write(target)

    def kill(*_args: object, **_options: object) -> None:
        if moment == "rmtree":  # the notes are gone, and then the process
            (target.folder / NOTES).rename(target.folder.parent / "gone")
        raise KeyboardInterrupt

    owner: Any = {"write_json": files, "rmtree": shutil, "rename": Path}[moment]
    with monkeypatch.context() as patched:
        patched.setattr(owner, moment, kill)
        with pytest.raises(KeyboardInterrupt):
            target.commit([part], {})
    again = build(lake)
    assert again.published is None
    found = again.find(0, "k")
    assert found == part
    assert again.commit([found], {})["rows"] == 2


def test_killed_twice_in_commit_redoes_no_part(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*_args: object) -> None:
        raise KeyboardInterrupt

    part = write(build(lake))
    for owner, moment in ((Path, "rename"), (files, "write_json")):
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(owner, moment, kill)
            build(lake).commit([part], {})
    assert build(lake).find(0, "k") == part


def test_commit_twice_keeps_the_first(lake: Lake) -> None:
    target = build(lake)
    first = target.commit([write(target)], {"run": "r1"})
    again = build(lake)
    assert again.commit([write(again)], {"run": "r2"}) == first
    assert target.published == first
    assert not again.folder.exists()


def test_commit_that_another_process_overtakes(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    target = build(lake)
    part = write(target)
    place = lake.version("wiki", "toys", "v1")
    real = shutil.rmtree

    def overtaken(path: Path, **options: Any) -> None:
        monkeypatch.setattr(shutil, "rmtree", real)
        files.write_json(place / MANIFEST, {"run": "theirs", "parts": []})

    monkeypatch.setattr(shutil, "rmtree", overtaken)
    assert target.commit([part], {"run": "ours"}) == {"run": "theirs", "parts": []}
    assert not target.folder.exists()


def test_folder_without_a_manifest_is_no_version_and_is_replaced(lake: Lake) -> None:
    files.write_bytes(lake.version("wiki", "toys", "v1") / "half-removed.parquet", b"x")
    target = build(lake)
    part = write(target)
    target.commit([part], {})
    assert tree(lake.version("wiki", "toys", "v1")) == {MANIFEST, part.file, part.rejects_file}


def test_empty_version(lake: Lake) -> None:
    assert build(lake).commit([], {})["rows"] == 0
    assert lake.parts("wiki", "toys", "v1") == []


def test_adopt_links_a_file_of_another_dataset(lake: Lake) -> None:
    source = build(lake, "v0")
    part = write(source)
    target = build(lake)
    adopted = target.adopt(0, "k2", source.folder / part.file, rows=2, sha256=part.sha256)
    assert (adopted.rows, adopted.bytes, adopted.counts) == (2, part.bytes, counts(2))
    assert (target.folder / adopted.file).samefile(source.folder / part.file)


def test_same_table_gives_the_same_bytes_and_metadata_stands_in_the_file(lake: Lake) -> None:
    one, two = build(lake, "v1"), build(lake, "v2")
    options: dict[str, Any] = {"counts": counts(1), "metadata": {"tokenizer": "t1"}}
    assert one.write(0, "k", table("a"), **options).sha256 == two.write(0, "k", table("a"), **options).sha256
    assert pq.read_schema(one.folder / "part-00000-k.parquet").metadata[b"tokenizer"] == b"t1"


@pytest.mark.parametrize(
    ("change", "rejects"),
    [({"in": 4}, 1), ({"in": 2}, 1), ({"kept": 3, "in": 4}, 1), ({"rows": 1}, 1), ({}, 0), ({}, 2)],
)
def test_counts_that_do_not_add_up(lake: Lake, change: dict[str, int], rejects: int) -> None:
    target = build(lake)
    wrong = {**counts(2, too_short=1), **change}
    reasons = pa.table({"reason": ["too_short"] * rejects})
    with pytest.raises(AccountingError, match="toys: "):
        target.write(0, "k", table("a", "b"), counts=wrong, rejects=reasons)
    assert not target.folder.exists()


def test_rows_may_differ_from_records_where_the_step_says_so() -> None:
    check_counts("entities", {"in": 2, "kept": 2, "rows": 5, "filtered": {}, "failed": {}}, 5)


def test_add_counts() -> None:
    total = add_counts([counts(2, too_short=1), counts(1, too_short=2, too_long=1)])
    assert total == counts(3, too_short=3, too_long=1)
    json.dumps(total)


def test_any_reader_reads_it(lake: Lake) -> None:
    target = build(lake)
    target.commit([write(target), write(target, 1, "l", ("c",))], {})
    assert pl.read_parquet(lake.version("wiki", "toys", "v1") / "*.parquet")["doc_id"].to_list() == ["a", "b", "c"]


def test_a_file_depends_on_the_values_and_not_on_how_they_lie_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_ROW_GROUP_BYTES", 1 << 18)
    whole = table(*(f"s:{i * 7919}" for i in range(30_000)))
    numbers = whole["n"].combine_chunks()
    bitmap = pa.Array.from_buffers(numbers.type, len(numbers), [pa.py_buffer(b"\xff" * 3750), numbers.buffers()[1]])
    layouts = {
        "whole": whole,
        "chunked": pa.concat_tables([whole[:7001], whole[7001:20_011], whole[20_011:]]),
        "with_bitmap": whole.set_column(1, CONTRACT.schema.field(1), bitmap),
    }
    for name, layout in layouts.items():
        assert layout.equals(whole)
        write_parquet(tmp_path / name, layout)
    assert pq.ParquetFile(tmp_path / "whole").num_row_groups > 1
    assert len({sha256_file(tmp_path / name) for name in layouts}) == 1
