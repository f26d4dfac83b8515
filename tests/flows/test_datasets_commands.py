"""`textmill datasets …` on a small lake: what it prints, as text and as JSON, its status and its mistakes."""

from __future__ import annotations

import json
import os
import re
import shutil
import xml.etree.ElementTree as ET
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from lakes import PIPELINE, card, chain, put, release
from typer.testing import CliRunner

from data import files, retention
from data.abandoned import lock_of
from data.errors import TextmillError
from data.forgotten import FORGOTTEN, tombstones
from data.hashing import sha256_file
from data.lake import MANIFEST, Lake, LakeError
from data.pins import pin
from data.underway import tell
from flows import commands
from flows.datasets.cli import datasets_app
from flows.datasets.forgetting import untouched
from models.registry import Registry

SECRET = "quetzalcoatlus northropi"
TRAIN, TEST = "w:2", "w:6"  # by the hashes of these ids


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    chain(lake, "aaaa", [{"w:1": "one", TRAIN: SECRET, TEST: "three"}], rejects={"w:9": ("extract", "redirect")})
    chain(lake, "bbbb", [{"w:1": "ONE", TRAIN: SECRET, "w:4": "four"}], rejects={TEST: ("extract", "no_text")})
    release(lake, "aaaa", when="2026-01-01T00:00:00+00:00")
    release(lake, "bbbb", when="2026-01-02T00:00:00+00:00", entities=["wiki-entities", "v000001"])
    card(lake, "wiki-word2vec", "v000001", {"corpus": "aaaa"}, key="kv")
    card(lake, "wiki-summaries", "v000001", {"word2vec": "kv"}, key="ks")
    card(lake, "wiki-entities", "v000001", {"labelled_spans": "gone"}, key="ke")
    return lake


def run(lake: Lake, *words: str, status: int = 0) -> str:
    """What a command prints. An error of ours is raised, as `main` shows it."""
    done = CliRunner().invoke(datasets_app, [*words, "--lake", str(lake.root)], env={"COLUMNS": "200"})
    if isinstance(done.exception, TextmillError):
        raise done.exception
    assert done.exit_code == status, done.output
    return done.output


def told(lake: Lake, *words: str, status: int = 0) -> Any:
    return json.loads(run(lake, *words, "--json", status=status))


def test_list_names_what_is_released_and_with_all_the_rest(lake: Lake) -> None:
    assert {row["version"] for row in told(lake, "list")} == {"bbbb"}
    rows = told(lake, "list", "--all")
    assert {(row["version"], tuple(row["releases"])) for row in rows if row["dataset"] == "corpus"} == {
        ("aaaa", ("r1",)), ("bbbb", ("r2",)),
    }  # fmt: skip
    assert "corpus" in run(lake, "list")
    assert "nothing is published" in run(Lake(lake.root / "none"), "list")


def test_show_tells_versions_counts_and_rows(lake: Lake) -> None:
    text = run(lake, "show", "documents", "r1")
    for part in ("2 versions", "4 in, 3 kept; 1 redirect", "wiki.xml.bz2", SECRET):
        assert part in text
    assert told(lake, "show", "corpus")["version"] == "bbbb"
    assert [one["version"] for one in told(lake, "show", "corpus")["versions"]] == ["bbbb", "aaaa"]


def test_verify_is_quiet_about_a_whole_lake_and_names_a_damaged_file(lake: Lake) -> None:
    files.write_bytes(lake.root / "raw" / "wiki" / "a.txt", b"x")
    files.write_json(lake.root / "raw" / "wiki" / "a.txt.json", {"path": "a.txt", "sha256": "no"})
    (problem,) = told(lake, "verify", status=1)["problems"]
    assert (problem["of"], problem["state"]) == ("raw", "damaged")
    (lake.root / "raw" / "wiki" / "a.txt.json").unlink()
    assert "files are as published" in run(lake, "verify")
    next(lake.version(PIPELINE, "corpus", "aaaa").glob("*.parquet")).write_bytes(b"PAR1")
    text = run(lake, "verify", "--pipeline", PIPELINE, status=1)
    assert "corpus aaaa" in text
    assert "are not as published" in text


def test_show_prints_a_line_for_each_row(lake: Lake) -> None:
    lines = run(lake, "show", "documents", "r1").splitlines()
    assert [line.split()[0] for line in lines[-3:]] == ["w:1", TRAIN, TEST]
    assert not any(mark in lines[-1] for mark in "│┆[{")


@pytest.mark.parametrize("words", [("get", "w:1"), ("show", "corpus"), ("diff",), ("export", "out")])
@pytest.mark.parametrize(("content", "state"), [(b"PAR1", "damaged"), (None, "missing")])
def test_a_part_that_was_damaged_or_removed_is_one_line(
    lake: Lake, words: tuple[str, ...], content: bytes | None, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lake.root)
    for path in lake.version(PIPELINE, "corpus", "bbbb").glob("*.parquet"):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
    with pytest.raises(LakeError, match=f"parquet is {state}; `textmill datasets verify`"):
        run(lake, *words)


def test_verify_of_a_lake_that_is_not_there_is_a_mistake(lake: Lake) -> None:
    with pytest.raises(LakeError, match=r"nothing to verify in .*none; give the lake with --lake"):
        run(Lake(lake.root / "none"), "verify")


def test_verify_hashes_models_and_tokenizers(lake: Lake) -> None:
    path = lake.models / "wiki-word2vec" / "v000001" / "weights.bin"
    files.write_bytes(path, b"weights")
    found = card(lake, "wiki-word2vec", "v000001", {})
    from data.sealing import seal

    files.write_json(
        path.with_name("model.json"), seal({**found, "files": {"weights.bin": {"sha256": sha256_file(path)}}})
    )
    assert told(lake, "verify")["problems"] == []
    path.write_bytes(b"weightz")
    files.write_bytes(lake.tokenizers / PIPELINE / "0123456789abcdef" / "tokenizer.json", b"{}")
    problems = told(lake, "verify", status=1)["problems"]
    assert sorted((one["of"], one["name"]) for one in problems) == [
        ("model", "wiki-word2vec"),
        ("tokenizer", "tokenizer"),
    ]


@pytest.mark.parametrize("words", [(), ("r1",), ("r1", "r2"), ("aaaa", "bbbb", "--dataset", "corpus")])
def test_diff_says_what_the_last_release_changed(lake: Lake, words: tuple[str, ...]) -> None:
    found = told(lake, "diff", *words)
    assert found["counts"] == {"came": 1, "gone": 1, "changed": 1, "same": 1}
    assert found["reasons"]["gone"] == {"no_text": 1}
    text = run(lake, "diff", *words)
    for part in ("- gone", TEST, "no_text", "~ changed", "+ came"):
        assert part in text


def test_lineage_goes_from_a_row_to_the_file_and_to_the_models(lake: Lake, tmp_path: Path) -> None:
    found = told(lake, "lineage", TRAIN, "--all")
    kinds = {(node["kind"], node["name"]) for node in found["nodes"]}
    assert {("source", "wiki.xml.bz2"), ("model", "wiki-word2vec"), ("model", "wiki-summaries")} <= kinds
    picture = tmp_path / "out" / "lineage.svg"
    text = run(lake, "lineage", TRAIN, "--svg", str(picture))
    assert "ab" * 16 in text.replace(" ", "").replace("\n", "")
    root = ET.fromstring(picture.read_text("utf-8"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "holds the document" in picture.read_text("utf-8")


@pytest.mark.parametrize(
    ("word", "nodes"),
    [
        ("wiki-word2vec", {"wiki-word2vec", "corpus"}),
        ("corpus", {"corpus", "entities"}),
        ("wiki-word2vec@v000001", {"documents"}),
    ],
)
def test_lineage_of_models_and_datasets(lake: Lake, word: str, nodes: set[str]) -> None:
    assert nodes <= {node["name"] for node in told(lake, "lineage", word, "--all")["nodes"]}


def test_pin_list_unpin(lake: Lake) -> None:
    assert "nothing of wiki is pinned" in run(lake, "pin")
    run(lake, "pin", "corpus", "aa", "--note", "for the paper")
    run(lake, "pin", "release")
    assert [(one["dataset"], one["version"], one["note"]) for one in told(lake, "pin")] == [
        ("corpus", "aaaa", "for the paper"), ("release", "r2", ""),
    ]  # fmt: skip
    assert "for the paper" in run(lake, "pin")
    assert "pinned: for the paper" in run(lake, "list", "--all")
    assert told(lake, "unpin", "corpus", "aaaa")["pinned"] is False
    assert len(told(lake, "pin")) == 1


def test_gc_says_what_would_go_and_then_it_goes(lake: Lake) -> None:
    options = ("gc", "--keep", "1", "--grace", "0s")
    would = told(lake, *options, "--dry-run")["pipelines"][0]
    assert {one["version"] for one in would["removed"]} == {"aaaa"}
    assert lake.manifest(PIPELINE, "corpus", "aaaa")
    assert "would be removed" in run(lake, *options, "--dry-run")
    done = told(lake, *options)["pipelines"][0]
    assert (done["removed"], done["freed"]) == (would["removed"], would["freed"])
    assert not lake.version(PIPELINE, "corpus", "aaaa").exists()
    assert "0 versions" in run(lake, *options)
    assert "files are as published" in run(lake, "verify")


def test_gc_keeps_all_within_the_grace_period(lake: Lake) -> None:
    assert told(lake, "gc", "--keep", "1")["pipelines"][0]["removed"] == []


def test_gc_sweeps_trainings_that_nobody_went_on_with(lake: Lake) -> None:
    folder = lake.training("killed")
    (folder / "ids.bin").write_bytes(b"1234")
    os.utime(folder / "ids.bin", (0, 0))
    os.utime(folder, (0, 0))
    assert told(lake, "gc", "--pipeline", PIPELINE)["trainings"] == {}
    assert told(lake, "gc", "--dry-run")["trainings"] == {"removed": [str(folder)], "freed": 4}
    assert "1 trainings that were killed and not gone on with: 4 B would come free" in run(lake, "gc", "--dry-run")
    assert folder.exists()
    assert told(lake, "gc")["trainings"]["removed"] == [str(folder)]
    assert not folder.exists()
    assert told(lake, "gc")["trainings"] == {"removed": [], "freed": 0}


def test_gc_waits_for_no_run(lake: Lake) -> None:
    with lake.lock(PIPELINE), pytest.raises(TextmillError, match="another run is working on 'wiki'"):
        run(lake, "gc", "--grace", "0s", "--pipeline", PIPELINE)


def test_gc_of_all_pipelines_goes_on_past_one_at_which_a_run_is(lake: Lake) -> None:
    for name in ("a-first", "z-last"):
        shutil.copytree(lake.pipeline(PIPELINE), lake.pipeline(name))
    with lake.lock(PIPELINE):
        done = told(lake, "gc", "--grace", "0s", "--keep", "1")
        assert f"textmill datasets gc --pipeline {PIPELINE}" in run(lake, "gc", "--grace", "0s")
    assert ([one["pipeline"] for one in done["pipelines"]], done["busy"]) == (["a-first", "z-last"], [PIPELINE])
    assert all(one["removed"] for one in done["pipelines"])
    assert lake.manifest(PIPELINE, "corpus", "aaaa")


def test_forget_writes_a_tombstone_without_text_and_lists_the_models(lake: Lake) -> None:
    found = told(lake, "forget", TRAIN, "--reason", "asked for")
    assert [(one["model"], one["ids"]) for one in found["found"]["models"]] == [
        ("wiki-summaries", [TRAIN]), ("wiki-word2vec", [TRAIN]),
    ]  # fmt: skip
    text = (lake.root / FORGOTTEN).read_text()
    assert TRAIN in text
    assert "asked for" in text
    assert "northropi" not in text
    assert told(lake, "forget", TEST, "--reason", "x")["found"]["models"] == []


def test_forget_says_which_champions_go_on_with_what_they_learned(lake: Lake) -> None:
    Registry(lake.models).promote("wiki-word2vec", "champion", "v000001", expected=None, evidence={}, when="now")
    text = run(lake, "forget", TRAIN, "--reason", "asked for")
    assert "wiki-word2vec    v000001, champion" in text
    assert "A champion predicts until another is promoted" in text
    assert "wiki-summaries   v000001  " in text


@pytest.mark.parametrize("words", [("forget", "w:1", "--reason", "x"), ("gc",), ("pin", "corpus")])
def test_no_folder_is_made_for_a_mistyped_lake(tmp_path: Path, words: tuple[str, ...]) -> None:
    with suppress(TextmillError):
        run(Lake(tmp_path / "other"), *words)
    assert not (tmp_path / "other").exists()


def test_a_champion_that_learnt_what_was_forgotten_is_named_with_the_models(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    Registry(lake.models).promote(
        "wiki-word2vec", "champion", "v000001", expected=None, evidence={}, when="2026-01-01T00:00:00+00:00"
    )
    run(lake, "forget", TRAIN, "--reason", "asked for")
    commands.list_models(lake.root, json=False)
    assert "wiki-word2vec v000001, the champion, was trained on 1 document forgotten" in capsys.readouterr().out
    commands.list_models(lake.root, json=True)
    listed = {row["model"]: row["forgotten"] for row in json.loads(capsys.readouterr().out)}
    assert listed["wiki-summaries"] == {"v000001": [TRAIN]}
    assert listed["wiki-entities"] == {}


def test_a_model_that_was_trained_without_what_is_forgotten_is_not_listed(lake: Lake) -> None:
    card(lake, "wiki-gpt", "v000001", {"corpus": "aaaa", "forgotten": [TRAIN]}, key="kg")
    found = told(lake, "forget", TRAIN, "--reason", "asked for")["found"]["models"]
    assert "wiki-gpt" not in {one["model"] for one in found}


def training(lake: Lake, folder: str, lineage: dict[str, Any]) -> Path:
    """What a training, or a search, that was killed leaves."""
    found = lake.training(folder)
    tell(found, "wiki-gpt", lineage)
    files.write_bytes(found / "data" / "train.bin", b"tokens")
    return found


def test_forget_with_rewrite_names_trainings_that_may_hold_tokens(lake: Lake) -> None:
    lake.training("beef")
    for _ in range(2):  # nothing tells that it reads the document: it is left, also when the command is repeated
        assert "_training/beef may hold its tokens" in run(lake, "forget", TRAIN, "--reason", "asked for", "--rewrite")


def test_forget_lists_the_trainings_that_read_the_document(lake: Lake) -> None:
    for folder, lineage in {"read": {"corpus": "aaaa"}, "without": {"corpus": "aaaa", "forgotten": [TRAIN]}}.items():
        training(lake, folder, lineage)
    training(lake, "other", {"files": {"a.csv": "cd"}})
    training(lake, "begun", {"files": {"a.csv": "cd"}, "start": "wiki-word2vec:v000001"})
    found = told(lake, "forget", TRAIN, TEST, "--reason", "asked for")["found"]
    assert found["trainings"] == [
        {"training": "read", "model": "wiki-gpt", "ids": [TRAIN], "through": ["corpus aaaa"]},
    ]
    assert "read" not in {one["version"] for one in found["models"]}


def test_forget_says_of_a_training_whether_it_is_at_work(lake: Lake) -> None:
    training(lake, "beef", {"corpus": "aaaa"})
    words = ("forget", TRAIN, "--reason", "asked for")
    assert "_training/beef holds its tokens, of a training of wiki-gpt that was killed" in run(lake, *words)
    with lake.lock(lock_of("beef")):
        assert "wiki-gpt is being trained and reads it: nothing will be registered" in run(lake, *words)
        text = run(lake, *words, "--rewrite")
        assert re.search(
            "start it again, and repeat this command, which removes its tokens from .*_training/beef", text
        )
        assert (lake.trainings / "beef" / "data").exists()
    assert "_training/beef, of a training of wiki-gpt that was killed" in run(lake, *words, "--rewrite")


def test_forget_says_of_a_search_that_it_keeps_what_it_found(lake: Lake) -> None:
    training(lake, "search-beef", {"corpus": "aaaa"})
    words = ("forget", TRAIN, "--reason", "asked for")
    assert "_training/search-beef holds its tokens, of a search for wiki-gpt: --rewrite removes" in run(lake, *words)
    with lake.lock("search-beef"):
        assert "a search for wiki-gpt reads it: its results stay\n" in run(lake, *words)
        text = run(lake, *words, "--rewrite")
        assert re.search("results stay. When it has ended, repeat this command, which removes its tokens from", text)
    assert "removed  tokens and weights in" in run(lake, *words, "--rewrite")


def test_forget_with_rewrite_removes_the_tokens_of_killed_trainings_and_searches(lake: Lake) -> None:
    killed, search = training(lake, "beef", {"corpus": "aaaa"}), training(lake, "search-beef", {"corpus": "aaaa"})
    files.write_bytes(search / "trial-3" / "weights", b"learnt")
    files.write_bytes(search / "best.yaml", b"steps: 3")
    other = training(lake, "other", {"corpus": "gone"})
    text = run(lake, "forget", TRAIN, "--reason", "asked for", "--rewrite")
    assert "_training/beef, of a training of wiki-gpt that was killed" in text
    assert not killed.exists()
    assert sorted(path.name for path in search.iterdir()) == ["best.yaml", "reads.json"]
    assert (other / "data" / "train.bin").exists()


def test_forget_with_rewrite_leaves_nothing_of_the_text(lake: Lake) -> None:
    put(lake, "summaries", "bbbb", [{TRAIN: SECRET}])
    page = lake.reports / "r1" / "index.html"
    files.write_bytes(page, f"<p>{SECRET}</p>".encode())
    text = run(lake, "forget", TRAIN, "--reason", "asked for", "--rewrite")
    assert "rewritten  wiki/corpus bbbb: 1 part\n" in text
    left = [one for one in lake.root.rglob("*.parquet") if "northropi" in str(pl.read_parquet(one).to_dicts())]
    assert left == []
    assert lake.manifest(PIPELINE, "corpus", "aaaa")["rewritten"][0]["ids"] == [TRAIN]  # type: ignore[index]
    assert "files are as published" in run(lake, "verify")
    assert SECRET not in page.read_text()
    assert [stone.rewriting for stone in tombstones(lake)] == ["done"]
    run(lake, "forget", TRAIN, "--reason", "asked for", "--rewrite")  # again does no harm
    assert len(tombstones(lake)) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("forget", "w:77", "--reason", "x"), "w:77: no such document in wiki"),
        (("forget", TRAIN, "--reason", " "), "--reason is empty"),
        (("show", "nothing"), "publishes no 'nothing'"),
        (("show", "corpus", "ffff"), "has no version ffff"),
        (("diff", "ffff"), "has no version ffff"),
        (("diff", "--dataset", "tokens"), "has released one version of tokens only"),
        (("lineage", "w:77"), "knows no 'w:77'"),
        (("lineage", "nothing"), "no doc_id"),
        (("gc", "--grace", "soon"), "--grace is 'soon'"),
        (("pin", "release", "r9"), "no release r9"),
        (("unpin", "corpus"), "is not pinned"),
        (("list", "--pipeline", "other"), "no pipeline 'other'; there are wiki"),
    ],
)
def test_a_mistake_is_one_clear_sentence(lake: Lake, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(TextmillError) as error:
        run(lake, *words)
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) <= 2
    assert tombstones(lake) == []


def test_a_version_that_was_removed_halfway_is_no_version(lake: Lake) -> None:
    (lake.version(PIPELINE, "corpus", "aaaa") / MANIFEST).unlink()
    assert [one["version"] for one in told(lake, "show", "corpus")["versions"]] == ["bbbb"]
    assert told(lake, "gc", "--grace", "0s")["pipelines"][0]["remains"] == [
        str(lake.version(PIPELINE, "corpus", "aaaa"))
    ]
    assert not lake.version(PIPELINE, "corpus", "aaaa").exists()


def test_nothing_is_pinned_while_gc_removes_what_is_not(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    removed, remove = [], retention.remove

    def looked_at(folder: Path) -> None:
        with pytest.raises(LakeError, match="another run"), lake.lock(f"_pins.{PIPELINE}", wait=False):
            pass
        remove(folder)
        removed.append(folder)

    monkeypatch.setattr(retention, "remove", looked_at)
    run(lake, "gc", "--keep", "1", "--grace", "0s")
    assert len(removed) == 5
    with pytest.raises(TextmillError, match="has no version aaaa"):
        pin(lake, PIPELINE, "corpus", "aaaa", note="", when="now")
    run(lake, "pin", "corpus", "bbbb")


BRACKETS = "a [/link] and [red]"


def test_what_people_write_is_printed_as_it_is(lake: Lake) -> None:
    chain(lake, "cccc", [{"w:[/1]": BRACKETS}])
    release(lake, "cccc")
    assert BRACKETS in run(lake, "show", "documents")
    run(lake, "pin", "corpus", "cccc", "--note", BRACKETS)
    for words in (("pin",), ("list",), ("show", "corpus")):
        assert BRACKETS in run(lake, *words)
    for words in (("lineage", "w:[/1]"), ("diff",), ("forget", "w:[/1]", "--reason", BRACKETS, "--rewrite")):
        assert "w:[/1]" in run(lake, *words)
    assert f"forgotten, {BRACKETS}" in run(lake, "show", "corpus")


def test_forget_with_rewrite_leaves_no_remains_of_a_killed_removal(lake: Lake) -> None:
    folder = lake.version(PIPELINE, "corpus", "aaaa")
    (folder / MANIFEST).unlink()
    assert list(folder.glob("*.parquet"))
    run(lake, "forget", TRAIN, "--reason", "asked for", "--rewrite")
    assert not folder.exists()


def test_forget_again_does_not_miss_what_it_took_out_of_a_raw_file(lake: Lake) -> None:
    raw = lake.raw / "posts" / "a.jsonl"
    files.write_bytes(raw, b'{"id": "1", "text": "one"}\n{"id": "2", "text": "two"}\n')
    inputs = [{"raw": "posts", "file": "a.jsonl", "sha256": sha256_file(raw)}]
    put(lake, "documents", "cccc", [{"posts:1": "one", "posts:2": "two"}], inputs=inputs)
    for _ in range(2):
        text = run(lake, "forget", "posts:1", "--reason", "asked for", "--rewrite")
        assert "rewritten  raw/posts/a.jsonl: 1 record" in text
        assert "look there yourself" not in text


def test_raw_files_in_which_nothing_was_found_are_named() -> None:
    inputs = {("reviews", True): ["reviews.tar.gz"], ("wiki", False): ["wiki.xml"], ("news", False): ["news.txt"]}
    done = [{"source": "wiki", "file": "wiki.xml", "records": 1}]
    left = [{"source": "reviews", "files": ["reviews.tar.gz"]}]
    assert untouched(inputs, done, ["reviews:ab", "wiki:1"]) == left
    assert untouched(inputs, done, ["wiki:1"]) == []


def test_verify_looks_at_what_is_forgotten(lake: Lake) -> None:
    run(lake, "forget", TRAIN, "--reason", "asked for")
    assert told(lake, "verify")["problems"] == []
    path = lake.root / FORGOTTEN
    path.write_text(path.read_text().replace("asked for", "asked fur"))
    (problem,) = told(lake, "verify", status=1)["problems"]
    assert (problem["of"], problem["path"]) == ("tombstones", str(path))
