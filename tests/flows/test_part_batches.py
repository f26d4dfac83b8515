"""Several batches in a part: the rows, rejects and counts of one batch, at the memory of one."""

from __future__ import annotations

import bz2
import re
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from dumps import article, page
from test_workers import STREAMS, job, multistream, read, stages

from data import tables, writing
from data.contracts import CONTRACTS
from data.lake import Lake
from data.versions import REJECTS, Build, Part
from flows.build import Unit, make
from flows.drafts import Output
from flows.job import Job
from flows.stages import documents

DATASETS = ("documents", "candidates", "duplicates", "corpus", "rejects", "tokens")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of any size are row groups, and are read one by one."""
    monkeypatch.setattr(writing, "_LEAST_BYTES", 0)
    monkeypatch.setattr(tables, "_BATCH_BYTES", 1)


def built(root: Path, **recipe: Any) -> Job:
    root.mkdir()
    more = [page(17, article(2, sentences=12)), page(18, ""), page(19, article(19, sentences=12))]
    streams = [*STREAMS[:-1], *more, STREAMS[-1]]
    (root / "d.xml.bz2").write_bytes(b"".join(bz2.compress(stream.encode()) for stream in streams))
    one = job(root / "lake", root / "d.xml.bz2", **recipe)
    stages(one)
    return one


def manifests(job: Job) -> dict[str, dict[str, Any]]:
    return {name: job.lake.manifests(job.pipeline, name)[0] for name in DATASETS}


def rows(job: Job, manifest: dict[str, Any]) -> pl.DataFrame:
    return pl.read_parquet(job.lake.parts(job.pipeline, manifest["dataset"], manifest["version"]))


@pytest.mark.usefixtures("tiny")
def test_several_batches_give_what_one_gives(tmp_path: Path) -> None:
    one, several = (built(tmp_path / str(n), workers=0, part_batches=n) for n in (1, 3))
    alone, together = manifests(one), manifests(several)
    for name in DATASETS:
        assert rows(several, together[name]).equals(rows(one, alone[name])), name
        for fact in ("rows", "counts", "profile", "validation"):
            assert together[name].get(fact) == alone[name].get(fact), (name, fact)
    assert alone["rejects"]["rows"] == 2
    assert len(together["documents"]["parts"]) < len(alone["documents"]["parts"])
    for name in ("documents", "candidates", "corpus", "tokens"):
        paths = several.lake.parts("p", name, together[name]["version"])
        assert len(tables.groups_of(paths[0])) == 3, name


def test_any_number_of_workers_writes_the_same_bytes_in_batches(tmp_path: Path) -> None:
    found = []
    for workers in (0, 1, 2):
        made = manifests(built(tmp_path / str(workers), workers=workers, part_batches=2))
        parts = [part for name in DATASETS for part in made[name]["parts"]]
        found.append([(part["sha256"], part["rejects_sha256"]) for part in parts])
    assert found[0] == found[1] == found[2]


def test_batches_are_part_of_the_key(tmp_path: Path) -> None:
    jobs = [job(tmp_path / "lake", multistream(tmp_path / "d.xml.bz2"), 0, part_batches=n) for n in (2, 3)]
    keys = [{part["key"] for part in one.manifest(read(one))["parts"]} for one in jobs]
    assert not keys[0] & keys[1]


def batch(ids: list[list[int] | None], first: int = 0) -> Output:
    lengths = [0 if item is None else len(item) for item in ids]
    frame = pl.DataFrame(
        {"doc_id": [f"w:{first + i}" for i in range(len(ids))], "input_ids": ids, "n_tokens": lengths},
        schema={"doc_id": pl.String, "input_ids": pl.List(pl.UInt32), "n_tokens": pl.Int32},
    )
    facts = {"file": "d", "sums": {"documents": len(ids)}}
    return Output(frame, {"in": len(ids), "kept": len(ids), "filtered": {}, "failed": {}}, facts=facts)


def batches(ids: list[list[list[int] | None]]) -> Iterator[Output]:
    first = 0
    for some in ids:
        yield batch(some, first)
        first += len(some)


def made(root: Path, compute: Any) -> tuple[Build, Part]:
    target = Build(Lake(root), "p", CONTRACTS["tokens"], "v")
    return target, make(target, Unit(0, "k", compute))


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    "ids", [[[[1]], [[2, 3]]], [[[1], []], [[2], []]], [[[1], []], [[4], None]], [[[1]], [], [[5]]]]
)
def test_rows_that_fail_are_set_apart_in_every_batch(tmp_path: Path, ids: list[list[list[int] | None]]) -> None:
    target, several = made(tmp_path / "several", partial(batches, ids))
    other, one = made(tmp_path / "one", partial(batch, list(chain.from_iterable(ids))))
    for name in ("rows", "counts", "bounds", "facts"):
        assert getattr(several, name) == getattr(one, name), name
    assert pl.read_parquet(target.folder / several.file).equals(pl.read_parquet(other.folder / one.file))
    assert (several.rejects_file is None) == (one.rejects_file is None)
    if several.rejects_file and one.rejects_file:
        found, wanted = (pl.read_parquet(b.folder / p.rejects_file) for b, p in ((target, several), (other, one)))
        assert found.equals(wanted)
    assert pq.ParquetFile(target.folder / several.file).num_row_groups >= 2


class StopError(Exception):
    """What ends a part in the middle."""


@pytest.mark.usefixtures("tiny")
def test_a_part_that_ends_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[Output]:
        yield batch([[1], [2]])
        raise StopError

    target = Build(Lake(tmp_path), "p", CONTRACTS["tokens"], "v")
    with pytest.raises(StopError):
        make(target, Unit(0, "k", broken))
    assert [path for path in target.folder.rglob("*") if path.is_file()] == []
    assert target.find(0, "k") is None


def test_a_part_is_tried_with_care_where_one_of_its_pages_never_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a part of several batches, as of one, the slow page alone is lost."""
    from pipelines import extract
    from pipelines.wikitext import to_text

    def never(text: str, **options: Any) -> Any:
        if article(6, sentences=12)[:40] in text:
            re.match("(a+)+$", "a" * 27 + "b")
        return to_text(text, **options)

    monkeypatch.setattr(extract, "to_text", never)
    one = job(
        tmp_path / "lake", multistream(tmp_path / "d.xml.bz2"), 0, part_batches=9, page_seconds=0.1, max_failed_share=1
    )
    units = list(documents._units(one, one_raw(one), "c", apart=True))
    assert len(units) == 1
    retry = units[0].retry
    assert retry is not None
    assert retry.keywords == {"careful": True}  # type: ignore[attr-defined]
    outputs = list(retry())  # type: ignore[arg-type]
    assert sum(each.counts["kept"] for each in outputs) == 15
    assert [each.counts["failed"] for each in outputs if each.counts["failed"]] == [{"page_timeout": 1}]


def one_raw(job: Job) -> list[Any]:
    from flows.stages import corpus

    return [file for source in job.sources for file in corpus.fetch(job, source)]


def test_the_rejects_of_all_batches_are_in_one_file(tmp_path: Path) -> None:
    target = Build(Lake(tmp_path), "p", CONTRACTS["tokens"], "v")
    part = make(target, Unit(0, "k", partial(batches, [[[1], []], [[2], []]])))
    assert part.counts["failed"] and len(list((target.folder / REJECTS).glob("*.parquet"))) == 1


def test_a_forgotten_document_goes_from_its_batch(tmp_path: Path, tiny: None) -> None:
    from data.redaction import redacted

    target, part = made(tmp_path, partial(batches, [[[1], [2]], [[3], [4]], [[5]]]))
    less = redacted(target, target.folder, part, ["w:2", "w:4"])
    found = pl.read_parquet(target.folder / less.file)
    assert found["doc_id"].to_list() == ["w:0", "w:1", "w:3"]
    assert (less.rows, less.counts["in"]) == (3, 3)
