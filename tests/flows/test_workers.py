"""Worker processes: the same bytes whatever their number, clear errors, and none left behind."""

from __future__ import annotations

import bz2
import ctypes
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from unittest import mock

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from dumps import HEAD, TAIL, article, page, write

from data.contracts import CONTRACTS
from data.errors import ConfigError, TextmillError
from data.lake import Lake
from data.versions import Build
from flows.build import Unit, finish, make
from flows.drafts import Output, draft
from flows.job import Job, Ref, make_job
from flows.recipe import Recipe
from flows.stages import corpus, documents, extraction, tokens
from flows.workers import OutOfTimeError, Pool, WorkerError, count_workers
from pipelines import extract, validate
from pipelines.extract import ExtractConfig
from pipelines.sources.records import Record, SourceError

RECIPE = {"part_pages": 8, "tokeniser": {"vocab_size": 400}}
STREAMS = [HEAD, *("".join(page(i, article(i, sentences=12)) for i in range(n, n + 4)) for n in range(1, 17, 4)), TAIL]


def job(root: Path, source: Path, workers: int, **recipe: object) -> Job:
    return make_job(
        lake=root,
        sources=[str(source)],
        pipeline="p",
        recipe=Recipe.model_validate({**RECIPE, **recipe}),
        limit=None,
        run_id="r",
        started="2020-01-01T00:00:00+00:00",
        workers=workers,
    )


def read(job: Job) -> Ref:
    """The documents."""
    return documents.documents(job, [file for source in job.sources for file in corpus.fetch(job, source)])


def stages(job: Job) -> None:
    """Every corpus dataset."""
    with closing(job):
        found = read(job)
        candidates = corpus.candidates(job, found)
        kept = corpus.corpus(job, candidates, corpus.duplicates(job, candidates))
        tokens.rejects(job, [found, candidates, kept], kept)
        tokens.tokens(job, kept, tokens.tokenizer(job, kept))


def content(job: Job) -> dict[str, str]:
    folder = job.lake.root / "datasets"
    files = [path for path in folder.rglob("*.parquet") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def multistream(path: Path) -> Path:
    path.write_bytes(b"".join(bz2.compress(stream.encode()) for stream in STREAMS))
    return path


def single(path: Path) -> Path:
    return write(path, "".join(STREAMS[1:-1]))


def test_any_number_of_workers_writes_the_same_bytes(tmp_path: Path) -> None:
    dump = multistream(tmp_path / "d.xml.bz2")
    made = {}
    for workers in (1, 3):
        one = job(tmp_path / str(workers), dump, workers)
        stages(one)
        made[workers] = content(one)
    assert made[1] == made[3]
    assert sum("documents" in name for name in made[1]) > 2


def test_a_corpus_that_rejected_nothing_has_a_file_of_rejects_for_any_reader(tmp_path: Path) -> None:
    one = job(tmp_path / "lake", multistream(tmp_path / "d.xml.bz2"), 0)
    stages(one)
    (manifest,) = one.lake.manifests("p", "rejects")
    found = duckdb.read_parquet(f"{one.lake.version('p', 'rejects', manifest['version'])}/*.parquet")
    assert (manifest["counts"]["in"], found.columns) == (0, CONTRACTS["rejects"].schema.names)
    assert found.fetchall() == []


@pytest.mark.parametrize("kind", [multistream, single])
def test_documents_are_the_same_with_workers_and_without(tmp_path: Path, kind: Callable[[Path], Path]) -> None:
    jobs = [job(tmp_path / str(workers), kind(tmp_path / "d.xml.bz2"), workers) for workers in (0, 2)]
    for one in jobs:
        with closing(one):
            assert len(one.manifest(read(one))["parts"]) > 1
    assert content(jobs[0]) == content(jobs[1])


def test_a_corrupt_stream_is_salvaged_with_workers(tmp_path: Path) -> None:
    packed = [bz2.compress(stream.encode()) for stream in STREAMS]
    packed[2] = packed[2][:40] + bytes(30) + packed[2][70:]
    path = tmp_path / "d.xml.bz2"
    path.write_bytes(b"".join(packed))
    with closing(job(tmp_path / "a", path, 1)) as one, pytest.raises(SourceError, match="corrupt bz2"):
        read(one)
    with closing(job(tmp_path / "b", path, 1, on_bad_file="salvage", max_failed_share=0.2)) as one:
        counts = one.manifest(read(one))["counts"]
    assert (counts["in"], counts["kept"], counts["failed"]) == (13, 12, {"corrupt_bz2": 1})


def test_streams_that_cut_a_page_are_read_in_one_go_after_all(tmp_path: Path) -> None:
    cut = [*STREAMS[:3], STREAMS[3][:90], STREAMS[3][90:], *STREAMS[4:]]
    path = tmp_path / "d.xml.bz2"
    path.write_bytes(b"".join(bz2.compress(stream.encode()) for stream in cut))
    one = job(tmp_path / "a", path, 0, part_chars=1000)
    assert one.manifest(read(one))["counts"]["in"] == 16


def test_results_and_errors_come_back_as_they_are() -> None:
    with closing(Pool(1)) as pool:
        assert pool.submit(os.path.join, "a", "b").result() == "a/b"
        with pytest.raises(SourceError, match="no such file") as error:
            pool.submit(_read_nothing).result()
        assert error.value.reason == "missing"
        with pytest.raises(WorkerError, match="report this as a bug") as bug:
            pool.submit(int, "x").result()
        assert "ValueError" in str(bug.value)


def test_a_worker_that_dies_is_told_and_replaced() -> None:
    with closing(Pool(1)) as pool:
        with pytest.raises(WorkerError, match=r"ended by SIGKILL.*memory"):
            pool.submit(_kill_self, 9).result()
        with pytest.raises(OutOfTimeError):
            pool.submit(_kill_self, 24).result()
        assert pool.submit(len, "abc").result() == 3


def test_a_light_call_starts_no_second_worker() -> None:
    with closing(Pool(3)) as pool:
        started = []
        for light in (True, False, True, False):
            pool.submit(re.match, "(a+)+$", "a" * 60 + "b", light=light)
            started.append(len(pool._workers))
        assert started == [1, 1, 1, 2]


def test_parts_without_a_row_are_light(tmp_path: Path) -> None:
    one = job(tmp_path / "lake", multistream(tmp_path / "d.xml.bz2"), 2)
    with mock.patch.object(Pool, "submit", autospec=True, side_effect=Pool.submit) as submit:
        stages(one)
    (found,) = (one.lake.root / "datasets").rglob("documents/*/_manifest.json")
    rows = [part["rows"] for part in json.loads(found.read_text("utf-8"))["parts"]]
    flags = [call.kwargs["light"] for call in submit.call_args_list]
    assert flags == [not found for found in rows] * 4


def test_resting_ends_idle_workers_and_the_next_call_starts_another() -> None:
    with closing(Pool(1)) as pool:
        before = pool.submit(os.getpid).result()
        assert pool.submit(os.getpid).result() == before
        pool.rest()
        with pytest.raises(ProcessLookupError):
            os.kill(before, 0)
        assert pool.submit(os.getpid).result() != before


def test_resting_leaves_a_busy_worker_alone() -> None:
    with closing(Pool(1)) as pool:
        before = pool.submit(os.getpid).result()
        waiting = pool.submit(re.match, "(a+)+$", "a" * 60 + "b")
        pool.rest()
        assert not waiting.done()
        os.kill(before, 0)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the allocator of glibc alone keeps it")
def test_a_worker_gives_back_what_a_call_needed() -> None:
    with closing(Pool(1)) as pool:
        before = pool.submit(_resident_mb).result()
        assert pool.submit(_pin_the_heap).result() > before + 100
        assert pool.submit(_resident_mb).result() < before + 50


_PINS: list[bytes] = []


def _pin_the_heap() -> float:
    """Megabytes at the peak of a call that leaves a block above all that it needed, so that the heap cannot shrink."""
    blocks = [bytes(2000) for _ in range(60_000)]
    _PINS.append(bytes(2000))
    peak = _resident_mb()
    del blocks
    return peak


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _kill_self(number: int) -> None:
    os.kill(os.getpid(), number)


def _read_nothing() -> None:
    from pipelines.sources import wikipedia

    list(wikipedia.read(Path("nowhere.xml")))


def one_document() -> Output:
    record = Record(doc_id="w:1", source="w", origin="d", text="'''One''' \n== Two ==\nthree", markup="wikitext")
    options = extraction.Options(extract=ExtractConfig(), lang="en", page_seconds=9, deadly=False, file="d")
    return extraction.extract_records([record], options)


def test_a_worker_loads_nothing_heavy_and_uses_one_thread(tmp_path: Path) -> None:
    target = Build(Lake(tmp_path), "p", CONTRACTS["documents"], "v")
    with closing(Pool(1)) as pool:
        assert pool.submit(draft, target, 0, "k", one_document).result().part
        heavy = {"prefect", "torch", "great_expectations", "gensim", "pandas", "transformers"}
        assert heavy & pool.submit(_modules).result() == set()
        assert pool.submit(pl.thread_pool_size).result() == 1


def _modules() -> set[str]:
    return set(sys.modules)


ORPHANS = """
import os, re, signal, sys
from flows.workers import Pool
pool = Pool(2)
print(*[pool.submit(os.getpid).result() for _ in range(1)], flush=True)
pool.submit(re.match, "(a+)+$", "a" * 60 + "b")
pool.submit(re.match, "(a+)+$", "a" * 60 + "b")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_end_with_their_parent_even_amid_a_call_into_c() -> None:
    """The read end of the children's common output closes when the last of them is gone."""
    read, write_end = os.pipe()
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stderr=write_end, stdout=subprocess.PIPE) as parent:
        os.close(write_end)
        assert parent.stdout is not None
        assert re.fullmatch(rb"\d+\n", parent.stdout.readline())
        assert os.read(read, 1) == b""  # ends when no process holds the other end
    os.close(read)


def test_a_worker_starts_only_when_those_that_there_are_have_work(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr("flows.workers._Worker", started.append)
    pool = Pool(2)
    pool.submit(abs, -1).set_result(1)
    assert pool.submit(abs, -2) and len(started) == 1
    assert pool.submit(abs, -3) and len(started) == 2
    assert pool.submit(abs, -4) and len(started) == 2


def test_closing_ends_a_worker_that_is_busy() -> None:
    pool = Pool(1)
    future = pool.submit(re.match, "(a+)+$", "a" * 60 + "b")
    pool.close()
    with pytest.raises(WorkerError, match="stopped"):
        future.result()


@pytest.mark.parametrize(("wanted", "count"), [(0, 0), (3, 3)])
def test_number_of_workers_is_what_is_asked_for(wanted: int, count: int) -> None:
    assert count_workers(wanted) == count


def test_by_default_there_is_a_worker_for_every_cpu() -> None:
    assert count_workers(None) >= 1


def test_a_negative_number_of_workers_is_refused() -> None:
    with pytest.raises(ConfigError, match="workers is -1"):
        count_workers(-1)


def token_rows(ids: list[list[int] | None]) -> Output:
    lengths = [0 if item is None else len(item) for item in ids]
    frame = pl.DataFrame(
        {"doc_id": [f"w:{i}" for i in range(len(ids))], "input_ids": ids, "n_tokens": lengths},
        schema={"doc_id": pl.String, "input_ids": pl.List(pl.UInt32), "n_tokens": pl.Int32},
    )
    return Output(frame, {"in": len(ids), "kept": len(ids), "filtered": {}, "failed": {}})


@pytest.mark.parametrize("ids", [[[1], [2, 3]], [[1], [], [2]], [[1], None, [4]]])
def test_drafts_are_judged_as_parts_made_here(tmp_path: Path, ids: list[list[int] | None]) -> None:
    """Rows that break the contract, and rows that do not even fit its schema, are quarantined alike."""
    unit = Unit(0, "k", partial(token_rows, ids))
    here, there = (Build(Lake(tmp_path / name), "p", CONTRACTS["tokens"], "v") for name in ("here", "there"))
    drafted = draft(there, 0, "k", unit.compute)
    judged = validate.validate_light(drafted.light, drafted.ids, there.contract)
    assert finish(there, unit, drafted, *judged) == make(here, unit)


def slow_text(text: str, **options: object) -> object:
    re.match("(a+)+$", "a" * 60 + "b")  # no signal handler runs before this ends
    raise AssertionError("never reached")


def slow_part(deadly: bool, careful: bool) -> Output:
    """Two pages, of which the second never ends and cannot be interrupted."""
    from pipelines import watchdog

    original = extract.to_text
    quick = Record(doc_id="w:1", source="w", origin="d", text="quick", markup="wikitext")
    slow = Record(doc_id="w:2", source="w", origin="d", text="slow", markup="wikitext")

    def to_text(text: str, **options: object) -> object:
        return slow_text(text) if text == "slow" else original(text, **options)  # type: ignore[arg-type]

    options = extraction.Options(extract=ExtractConfig(), lang=None, page_seconds=0.1, deadly=deadly, file="d")
    with mock.patch.object(extract, "to_text", to_text), mock.patch.object(watchdog, "_GRACE", 0):
        return extraction.extract_records([quick, slow], options, careful=careful)


def test_a_page_that_cannot_be_interrupted_is_rejected_in_a_second_attempt(tmp_path: Path) -> None:
    from flows.build import build

    one = job(tmp_path / "lake", single(tmp_path / "d.xml.bz2"), 1, max_failed_share=0.6)
    unit = Unit(0, "k", partial(slow_part, True, False), retry=partial(slow_part, True, True))
    with closing(one):
        ref = build(one, "documents", "v", [unit], inputs=[], config={}, pool=one.pool)
    assert one.manifest(ref)["counts"]["failed"] == {"page_timeout": 1}
    assert ref.rows == 1


def for_ever(*_: object, **__: object) -> None:
    while True:
        pass


def test_an_attempt_in_a_forked_process_leaves_polars_alone() -> None:
    """Polars' threads are not forked: whatever waits for them waits for ever, using no CPU time."""
    from pipelines import watchdog

    record = Record(doc_id="w:1", source="w", origin="d", text="quick", markup="wikitext")
    options = extraction.Options(extract=ExtractConfig(), lang=None, page_seconds=60, deadly=False, file="d")
    with mock.patch("polars.DataFrame", for_ever), mock.patch.object(watchdog, "_GRACE", 0):
        assert extraction._tried(record, options) is record


def test_an_error_of_one_part_ends_the_stage(tmp_path: Path) -> None:
    path = write(tmp_path / "d.xml.bz2", page(1, article(1)) + page(2, "<b>") + page(3, article(3)))
    with pytest.raises(TextmillError, match=r"d\.xml\.bz2 is not well-formed XML at line"):
        read(job(tmp_path / "lake", path, 0))


def test_a_worker_gives_memory_back_that_arrow_took() -> None:
    """Arrow's own pools keep it for the next time."""
    with closing(Pool(1)) as pool:
        assert pool.submit(memory_pool).result() == "system"


def memory_pool() -> str:
    return str(pa.default_memory_pool().backend_name)
