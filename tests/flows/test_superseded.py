"""Two dumps of one wiki in one job: each page once, in its latest revision, and the other accounted for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path

import polars as pl
import pytest
from dumps import HEAD, article, page, write
from hypothesis import given
from hypothesis import strategies as st

from data.progress import Listener, Progress, silent
from flows.job import make_job
from flows.recipe import Recipe
from flows.stages import corpus, documents
from flows.stages import superseded as module
from flows.stages.superseded import Range, overlapping, superseded
from pipelines.sources import SourceError
from pipelines.validate import ValidationError

RECIPE = Recipe(part_pages=2)


def pages(rows: list[tuple[str, int | None, int, str]]) -> pl.DataFrame:
    times = [
        (name, None if year is None else datetime(year, 1, 1, tzinfo=UTC), part, file)
        for name, year, part, file in rows
    ]
    schema = {"doc_id": pl.String, "published_at": pl.Datetime("us", "UTC"), "part": pl.Int32, "file": pl.String}
    return pl.DataFrame(times, schema=schema, orient="row")


@pytest.mark.parametrize(
    ("rows", "losers"),
    [
        ([("w:1", 2020, 0, "a"), ("w:1", 2021, 1, "b")], [("w:1", "a", "b")]),
        ([("w:1", 2021, 0, "a"), ("w:1", 2020, 1, "b")], [("w:1", "b", "a")]),
        ([("w:1", 2020, 0, "a"), ("w:1", 2020, 1, "b")], [("w:1", "b", "a")]),
        ([("w:1", None, 0, "a"), ("w:1", 2020, 1, "b")], [("w:1", "a", "b")]),
        ([("w:1", None, 0, "a"), ("w:1", None, 1, "b")], [("w:1", "b", "a")]),
        ([("w:1", 2020, 0, "a"), ("w:1", 2021, 1, "a")], []),
        ([("w:1", 2020, 0, "a"), ("w:2", 2021, 1, "b")], []),
    ],
)
def test_the_latest_revision_wins_then_the_earlier_file(
    rows: list[tuple[str, int | None, int, str]], losers: list[tuple[str, str, str]]
) -> None:
    assert superseded(pages(rows)).select("doc_id", "file", "winner").rows() == losers


A, B, BOTH = frozenset("a"), frozenset("b"), frozenset("ab")


@pytest.mark.parametrize(
    ("ranges", "beside"),
    [
        ([Range(A, 1, 5), Range(A, 6, 9)], [[0], [1]]),
        ([Range(A, 1, 6), Range(A, 6, 9)], [[0, 1], [0, 1]]),
        ([Range(A, 6, 9), Range(A, 1, 6)], [[0, 1], [0, 1]]),
        ([Range(A, 1, 6), Range(B, 6, 9), Range(BOTH, 0, 2)], [[0, 2], [1], [0, 2]]),
        ([Range(A, 1, 9), Range(A, 2, 3), Range(A, 5, 6)], [[0, 1, 2], [0, 1], [0, 2]]),
        ([Range(A, -inf, inf), Range(A, 5, 6)], [[0, 1], [0, 1]]),
        ([Range(A, inf, -inf), Range(A, 5, 6)], [[0], [1]]),
    ],
)
def test_parts_meet_where_they_may_hold_the_same_id(ranges: list[Range], beside: list[list[int]]) -> None:
    assert overlapping(ranges) == beside


@given(st.lists(st.tuples(st.sampled_from([A, B, BOTH]), st.integers(0, 20), st.integers(0, 5)), max_size=12))
def test_every_pair_that_meets_is_found(given_ranges: list[tuple[frozenset[str], int, int]]) -> None:
    ranges = [Range(sources, first, first + length) for sources, first, length in given_ranges]
    wanted = [[i for i, other in enumerate(ranges) if one.meets(other)] for one in ranges]
    assert overlapping(ranges) == wanted


def test_parts_are_settled_beside_those_they_meet_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    monkeypatch.setattr(module, "superseded", lambda pages: (held.append(pages.height), superseded(pages))[1])
    old = write(tmp_path / "old.xml.bz2", "".join(page(i, article(i)) for i in range(1, 21)))
    new = write(tmp_path / "new.xml.bz2", "".join(page(i, article(i)).replace("2020-", "2021-") for i in range(20, 41)))
    ids, _, counts = made(tmp_path, old, new)
    assert len(ids) == 40
    assert counts["filtered"] == {"superseded": 1}
    assert held == [4, 4]  # of the twenty-one parts of two pages, the two that hold page 20


def made(
    tmp_path: Path, *dumps: Path, recipe: Recipe = RECIPE, listen: Listener = silent
) -> tuple[list[str], pl.DataFrame, dict[str, object]]:
    job = make_job(
        lake=tmp_path / "lake",
        sources=[str(path) for path in dumps],
        pipeline="p",
        recipe=recipe,
        limit=None,
        run_id="r",
        started="",
        workers=0,
        listen=listen,
    )
    ref = documents.documents(job, [file for source in job.sources for file in corpus.fetch(job, source)])
    rejects = sorted(job.path(ref).glob("_rejects/*.parquet"))
    return (
        corpus.read(job, ref, ["doc_id"])["doc_id"].to_list(),
        pl.concat(map(pl.read_parquet, rejects)) if rejects else pl.DataFrame(),
        job.manifest(ref)["counts"],
    )


def test_pages_of_two_dumps_are_published_once(tmp_path: Path) -> None:
    old = write(tmp_path / "old.xml.bz2", "".join(page(i, article(i)) for i in (1, 2, 3)))
    new = write(tmp_path / "new.xml.bz2", "".join(page(i, article(i)).replace("2020-", "2021-") for i in (2, 3, 4)))
    ids, rejects, counts = made(tmp_path, old, new)
    assert sorted(ids) == ["enwiki:1", "enwiki:2", "enwiki:3", "enwiki:4"]
    assert counts == {"in": 6, "kept": 4, "filtered": {"superseded": 2}, "failed": {}}
    assert rejects.select("doc_id", "origin", "detail").sort("doc_id").rows() == [
        ("enwiki:2", "old.xml.bz2#page=2", "by new.xml.bz2"),
        ("enwiki:3", "old.xml.bz2#page=3", "by new.xml.bz2"),
    ]


def test_a_page_twice_in_one_dump_breaks_the_contract(tmp_path: Path) -> None:
    twice = write(tmp_path / "a.xml.bz2", page(1, article(1)) + page(1, article(2)))
    other = write(tmp_path / "b.xml.bz2", page(5, article(5)))
    with pytest.raises(ValidationError, match="unique"):
        made(tmp_path, twice, other)


def test_a_file_that_is_no_dump_is_a_reject_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    for i in (1, 2):
        write(folder / f"{i}-multistream.xml.bz2", page(i, article(i)))
    (folder / "1-multistream-index.txt.bz2").write_bytes(b"562:1:Subject 1")
    ids, rejects, counts = made(tmp_path, folder)
    assert ids == ["enwiki:1", "enwiki:2"]
    assert counts == {"in": 3, "kept": 2, "filtered": {"other_format": 1}, "failed": {}}
    assert rejects.select("doc_id", "source", "origin").rows() == [(None, "dumps", "1-multistream-index.txt.bz2")]


def test_a_file_that_is_no_use_is_an_error_or_a_reject_when_salvaging(tmp_path: Path) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    write(folder / "a.xml.bz2", page(1, article(1)))
    (folder / "b.xml").write_text("Not found\n")
    with pytest.raises(SourceError, match=r"b\.xml is neither bz2"):
        made(tmp_path, folder)
    ids, rejects, counts = made(tmp_path, folder, recipe=Recipe(on_bad_file="salvage", max_failed_share=1))
    assert ids == ["enwiki:1"]
    assert counts == {"in": 2, "kept": 1, "filtered": {}, "failed": {"not_xml": 1}}
    ((origin, detail),) = rejects.select("origin", "detail").rows()
    assert origin == "b.xml"
    assert detail.startswith("b.xml is neither bz2")


def test_a_damaged_dump_tells_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "cut.xml").write_text(HEAD + page(1, article(1)))
    with pytest.raises(SourceError, match=r"truncated.*on_bad_file: salvage"):
        made(tmp_path, tmp_path / "cut.xml")


def test_progress_of_a_folder_of_dumps_goes_over_all_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    for i in (1, 2, 3):
        write(folder / f"{i}.xml.bz2", page(i, article(i)))
    (folder / "index.txt").write_text("no dump")
    heard: list[tuple[int, int]] = []

    def listen(name: str, /, *, unit: str = "") -> Progress:
        return lambda done, total: heard.append((done, total)) if name == "Extract" else None

    made(tmp_path, folder, listen=listen)
    total = sum(path.stat().st_size for path in folder.iterdir())
    assert {of for _, of in heard} == {total}
    assert heard == sorted(heard)
    assert heard[-1] == (total, total)


def test_a_limit_holds_for_all_files_of_a_source(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{i}.xml.bz2", page(i, article(i)) + page(i + 1, article(i + 1))) for i in (1, 3, 5)]
    job = make_job(
        lake=tmp_path / "lake",
        sources=[str(paths[0])],
        pipeline="p",
        recipe=Recipe(part_pages=2),
        limit=3,
        run_id="r",
        started="",
        workers=0,
    )
    raw = corpus.fetch(job, job.sources[0])[0]
    ref = documents.documents(job, [replace(raw, path=path, name=path.name, sha256=path.name) for path in paths])
    assert corpus.read(job, ref, ["doc_id"])["doc_id"].to_list() == ["enwiki:1", "enwiki:2", "enwiki:3"]


def rows(folder: Path, **files: list[int]) -> None:
    """JSON Lines files of a folder, of rows with these ids."""
    folder.mkdir(exist_ok=True)
    for name, ids in files.items():
        lines = [f'{{"id": {i}, "text": "Words of {name} and {i}.", "published_at": "2020"}}' for i in ids]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))


def test_rows_of_one_source_supersede_none_whatever_was_built_before(tmp_path: Path) -> None:
    rows(tmp_path / "rows", a=[1, 2])
    made(tmp_path, tmp_path / "rows")
    rows(tmp_path / "rows", b=[2, 3])
    with pytest.raises(ValidationError, match="unique"):
        made(tmp_path, tmp_path / "rows")


def test_a_page_twice_in_one_dump_and_later_in_another_is_accounted_for(tmp_path: Path) -> None:
    twice = write(tmp_path / "a.xml.bz2", page(1, article(1)) + page(1, article(2)) + page(2, article(3)))
    other = write(tmp_path / "b.xml.bz2", page(1, article(5)).replace("2020-", "2021-"))
    ids, _, counts = made(tmp_path, twice, other)
    assert ids == ["enwiki:2", "enwiki:1"]
    assert counts == {"in": 4, "kept": 2, "filtered": {"superseded": 2}, "failed": {}}


def test_files_without_a_name_of_their_own_keep_their_equal_page_ids_apart(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    head = HEAD.replace("<dbname>enwiki</dbname>", "")
    for name in ("red-20230501", "blue-20230501"):
        write(folder / f"{name}.xml.bz2", page(1, article(1)) + page(2, article(2)), head=head)
    ids, _, counts = made(tmp_path, folder)
    assert sorted(ids) == ["exports-blue:1", "exports-blue:2", "exports-red:1", "exports-red:2"]
    assert counts["filtered"] == {}


def test_a_file_alone_keeps_the_name_of_its_source(tmp_path: Path) -> None:
    head = HEAD.replace("<dbname>enwiki</dbname>", "")
    ids, _, _ = made(tmp_path, write(tmp_path / "red.xml.bz2", page(1, article(1)), head=head))
    assert ids == ["red:1"]


def test_a_part_that_a_limit_leaves_whole_is_kept_without_it(tmp_path: Path) -> None:
    dump = write(tmp_path / "d.xml.bz2", "".join(page(i, article(i)) for i in range(1, 5)))
    keys = []
    for limit in (3, 4, None):
        job = make_job(
            lake=tmp_path / "lake",
            sources=[str(dump)],
            pipeline="p",
            recipe=RECIPE,
            limit=limit,
            run_id="r",
            started="",
            workers=0,
        )
        ref = documents.documents(job, corpus.fetch(job, job.sources[0]))
        keys.append([part["key"] for part in job.manifest(ref)["parts"]])
    assert keys[0][0] == keys[1][0]
    assert keys[0][1] != keys[1][1]
    assert keys[1] == keys[2]
