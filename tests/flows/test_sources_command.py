"""`textmill sources`: the catalogue on a terminal and for machines, and fetching from it."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dumps import article, page, write
from rich.console import Console
from webserver import Script, serving

from data.catalogue import catalogue
from data.errors import TextmillError
from flows import commands, show
from flows.job import Job, make_job
from flows.plan import plan
from flows.recipe import Recipe
from flows.stages import corpus, labels, versions
from pipelines import labelled


@pytest.fixture
def server() -> Iterator[Script]:
    with serving() as script:
        yield script


@pytest.mark.parametrize("width", [80, 120])
def test_catalogue_fits_a_terminal(width: int) -> None:
    screen = io.StringIO()
    show.sources(Console(file=screen, width=width, force_terminal=True, color_system=None), list(catalogue().values()))
    lines = screen.getvalue().splitlines()
    assert max(len(line) for line in lines) <= width
    assert all(name in screen.getvalue() for name in catalogue())
    assert len(lines) < 7 * len(catalogue())
    row = next(number for number, line in enumerate(lines) if line.startswith("conll2003"))
    assert "by hand" in lines[row]
    assert "size unknown" in lines[row + 1]


def test_catalogue_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    commands.list_sources(json=True)
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert found.keys() == catalogue().keys()
    assert (found["imdb"]["get"], found["imdb"]["bytes"]) == ("download", 84125825)
    assert found["imdb"]["files"][0]["md5"] == "7c2ac02c03563afcf9b574c7e56c153a"
    assert found["conll2003"]["get"] == "by hand"
    assert found["sentiment-sample"]["get"] == "included"


def test_source_is_fetched_and_told(server: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands.get_source(tmp_path, server.address, None, refresh=False, json=False)
    told = capsys.readouterr()
    assert f"{tmp_path}/raw/dump/dump.txt  5,000 bytes  sha256 " in told.out
    assert "1 file, 5.0 kB; no checksum is published. Licence: unknown." in told.out
    assert "Download dump: 5.0 of 5.0 kB" in told.err


def test_source_is_fetched_for_machines(server: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands.get_source(tmp_path, server.address, None, refresh=False, json=True)
    told = capsys.readouterr()
    assert [file["bytes"] for file in json.loads(told.out)] == [5000]
    assert told.err == ""


def test_file_handed_over_and_upstream_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "eng.train"
    own.write_text("EU B-ORG\n")
    commands.get_source(tmp_path / "lake", "conll2003", own, refresh=False, json=False)
    commands.get_source(tmp_path / "lake", "conll2003", None, refresh=False, json=False)
    assert capsys.readouterr().out.count(f"{tmp_path}/lake/raw/conll2003/eng.train") == 2


def test_refresh_of_a_url_that_is_gone_is_noted(
    server: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.get_source(tmp_path, server.address, None, refresh=False, json=True)
    server.pages.clear()
    capsys.readouterr()
    commands.get_source(tmp_path, server.address, None, refresh=True, json=False)
    told = capsys.readouterr()
    assert "answered 404" in told.err
    assert "Using what the lake has" in told.err
    assert "dump.txt" in told.out


def test_mirror_and_contact_come_from_the_environment(
    server: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTMILL_WIKIMEDIA", server.base)
    monkeypatch.setenv("TEXTMILL_CONTACT", "mailto:me@example.org")
    with pytest.raises(Exception, match="there is no wiki ukwiki"):
        commands.get_source(tmp_path, "wikipedia:uk", None, refresh=False, json=True)
    assert server.paths == ["/ukwiki/"]
    assert "(mailto:me@example.org)" in str(server.asked("User-Agent")[0])


def job_of(lake: Path, *words: str) -> Job:
    return make_job(
        lake=lake, sources=list(words), pipeline="p", recipe=Recipe(), limit=None, run_id="r", started="2026-11-24"
    )


def documents_version(job: Job) -> str:
    raw = [file for source in job.sources for file in corpus.fetch(job, source)]
    return versions.documents(job, raw)


def test_versions_hash_contents_in_order_and_neither_paths_nor_dates(tmp_path: Path) -> None:
    for place, names in (("x", ("wiki-20261101-1.bz2", "wiki-20261101-2.bz2")), ("y", ("a2.bz2", "a10.bz2"))):
        (tmp_path / place / "wiki").mkdir(parents=True)
        for number, name in enumerate(names):
            write(tmp_path / place / "wiki" / name, page(number + 1, article(number + 1)))
    found = [documents_version(job_of(tmp_path / f"lake-{place}", f"{tmp_path}/{place}/wiki")) for place in "xy"]
    assert found[0] == found[1]
    (tmp_path / "y" / "wiki" / "a10.bz2").rename(tmp_path / "y" / "wiki" / "a1.bz2")
    assert documents_version(job_of(tmp_path / "lake-y", f"{tmp_path}/y/wiki")) != found[0]


def test_plan_waits_for_a_source_that_is_not_in_the_lake_and_writes_nothing(tmp_path: Path) -> None:
    step = plan(job_of(tmp_path / "lake", "wikipedia:uk")).steps[0]
    assert (step.name, step.state) == ("raw ukwiki", "to do")
    assert not (tmp_path / "lake").exists()


def test_every_step_of_a_plan_has_a_name_of_its_own(tmp_path: Path) -> None:
    write(tmp_path / "wiki.bz2", page(1, article(1)))
    job = job_of(tmp_path / "lake", f"{tmp_path}/wiki.bz2")
    for _ in range(2):  # without and with the source in the lake
        names = [step.name for step in plan(job).steps]
        assert len(names) == len(set(names))
        assert {"model sentiment", "sentiment"} < set(names)
        corpus.fetch(job, job.sources[0])


def test_plan_knows_the_files_of_a_glob(tmp_path: Path) -> None:
    (tmp_path / "dumps").mkdir()
    for number in (1, 2):
        write(tmp_path / "dumps" / f"wiki{number}.bz2", page(number, article(number)))
    job = job_of(tmp_path / "lake", f"{tmp_path}/dumps/*.bz2")
    assert not plan(job).steps[0].done
    documents = corpus.documents(job, corpus.fetch(job, job.sources[0]))
    assert documents.rows == 2
    assert plan(job).steps[0].done
    assert {step.name: step.version for step in plan(job).steps}["documents"] == documents.version


def labelled_job(tmp_path: Path, labelled_text: str) -> Job:
    return make_job(
        lake=tmp_path / "lake",
        sources=["wikipedia-sample"],
        pipeline="p",
        recipe=Recipe(labelled_text=labelled_text),
        limit=None,
        run_id="r",
        started="2026-11-24",
    )


def reviews(path: Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for number, tone in enumerate(["pos", "neg", "pos", "neg"]):
            info = tarfile.TarInfo(f"aclImdb/train/{tone}/{number}_{1 + 8 * (tone == 'pos')}.txt")
            info.size = len(data := f"Film {number} was {tone}.".encode())
            archive.addfile(info, io.BytesIO(data))


def test_archive_of_the_catalogue_becomes_a_labelled_dataset(tmp_path: Path) -> None:
    own = tmp_path / "aclImdb_v1.tar.gz"
    reviews(own)
    job = labelled_job(tmp_path, str(own))
    made = labels.dataset_of(job, "labelled_text")
    assert made.rows == 4
    rows = corpus.read(job, made).sort("text").select("text", "label").rows()
    assert rows[:2] == [("Film 0 was pos.", "positive"), ("Film 1 was neg.", "negative")]
    corpus.fetch(job, job.sources[0])
    step = {step.name: step for step in plan(job).steps}["labelled_text"]
    assert (step.version, step.done) == (made.version, True)
    assert labels.dataset_of(job, "labelled_text").reused


def test_labelled_set_of_the_catalogue_names_its_reader() -> None:
    readers = {name: source.reader for name, source in catalogue().items() if source.kind != "corpus"}
    assert {name for name, reader in readers.items() if reader not in labelled.READERS} == set()
    assert readers["imdb"] == "imdb"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("reviews.tar.gz", "is fetched, but is no JSONL file that textmill can learn from"),
        ("cnn_stories.tgz", "has a summary for each text and no label; take sentiment-sample, imdb, sst2 or a JSONL"),
        ("SST-2.zip", "SST-2.zip is damaged or no archive"),
    ],
)
def test_labelled_set_that_cannot_be_learnt_from_is_told(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(b"reviews")
    with pytest.raises(TextmillError, match=message):
        labels.dataset_of(labelled_job(tmp_path, str(tmp_path / name)), "labelled_text")
