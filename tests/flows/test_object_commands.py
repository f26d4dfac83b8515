"""Every command that needs no flow, on a small lake in an object store."""

from __future__ import annotations

import bz2
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dumps import page, write
from lakes import PIPELINE, RAW, card, put, ref
from objectstore import SECRETS, Proxy
from typer.testing import CliRunner

from data import files
from data.lake import Lake
from data.storage import cache
from flows.cli import app

TEXT = "quetzalcoatlus northropi"
GONE = "enwiki:2"
MOVES = ((None, "v000001"), ("v000001", "v000002"))


@pytest.fixture
def lake(cloud: Proxy, tmp_path: Path) -> Lake:
    """Two releases, a model with two champions, a raw dump and a report."""
    lake = Lake(Path(cloud.lake))
    for version, last in (("aaaa", "three"), ("bbbb", "four")):
        parts = [{"enwiki:1": "one", GONE: TEXT, "enwiki:3": last}]
        put(lake, "documents", version, parts, inputs=RAW)
        put(lake, "corpus", version, parts, inputs=[ref("documents", version)])
        lake.publish(PIPELINE, {"datasets": {"documents": version, "corpus": version}, "models": {}, "published": ""})
    put(lake, "summaries", "bbbb", [{GONE: TEXT}])  # which a report shows
    for _, version in MOVES:
        card(lake, "wiki-word2vec", version, {"corpus": "aaaa"}, key=version)
    moves = [
        {"action": "promote", "alias": "champion", "from": a, "to": b, "when": "", "evidence": {}} for a, b in MOVES
    ]
    log = "".join(json.dumps(move) + "\n" for move in moves)
    files.write_bytes(lake.models / "wiki-word2vec" / "log.jsonl", log.encode())
    dump = write(tmp_path / "wiki.xml.bz2", page(1, "one") + page(2, TEXT))
    files.write_bytes(lake.raw / "wiki" / dump.name, dump.read_bytes())
    files.write_bytes(lake.reports / "r" / "index.html", f"<p>{TEXT}</p>".encode())
    return lake


def textmill(lake: Lake, *words: str, status: int = 0) -> str:
    """What a command prints."""
    done = CliRunner().invoke(app, [*words, "--lake", str(lake.root)], env={"COLUMNS": "200"})
    assert done.exit_code == status, (done.output, done.exception)
    assert not any(secret in done.output for secret in SECRETS)
    assert not re.search(r"\b(s3|gs|az):/b", done.output)
    return done.output


def told(lake: Lake, *words: str) -> Any:
    return json.loads(textmill(lake, *words, "--json"))


def test_datasets_are_looked_at_compared_and_traced(lake: Lake, tmp_path: Path) -> None:
    assert {row["version"] for row in told(lake, "datasets", "list")} == {"bbbb"}
    assert "northropi" in textmill(lake, "datasets", "show", "documents", "r1")
    assert json.loads(textmill(lake, "datasets", "get", GONE))["text"] == TEXT
    assert told(lake, "datasets", "diff")["counts"] == {"came": 0, "gone": 0, "changed": 1, "same": 2}
    kinds = {node["kind"] for node in told(lake, "datasets", "lineage", GONE, "--all")["nodes"]}
    assert kinds == {"source", "dataset", "model"}
    assert "as published" in textmill(lake, "datasets", "verify")
    (row,) = told(lake, "datasets", "export", str(tmp_path / "out"), "--dataset", "corpus")
    assert pl.read_parquet(row["path"]).height == 3
    (row,) = told(lake, "datasets", "export", str(lake.root.parent / "out"), "--dataset", "corpus")
    assert row["path"].startswith(f"{lake.root.parent}/out/")


@pytest.mark.long
def test_versions_are_pinned_and_collected(lake: Lake) -> None:
    textmill(lake, "datasets", "pin", "corpus", "aaaa", "--note", "for the paper")
    options = ("datasets", "gc", "--keep", "1", "--grace", "0s")
    would = told(lake, *options, "--dry-run")["pipelines"][0]["removed"]
    assert would
    textmill(lake, "datasets", "unpin", "corpus", "aaaa")
    assert len(told(lake, *options)["pipelines"][0]["removed"]) >= len(would)
    assert "as published" in textmill(lake, "datasets", "verify")


@pytest.mark.long
def test_a_forgotten_text_is_nowhere_in_the_store_nor_in_the_cache(lake: Lake) -> None:
    textmill(lake, "datasets", "show", "corpus")
    files.local(next(lake.version(PIPELINE, "corpus", "aaaa").glob("*.parquet")))
    assert holding_text(cache.home())
    textmill(lake, "datasets", "forget", GONE, "--reason", "asked for", "--rewrite")
    assert holding_text(cache.home()) == []
    assert holding_text(lake.root) == []
    assert "as published" in textmill(lake, "datasets", "verify")


def holding_text(folder: Path) -> list[Path]:
    """Files below a folder that hold the text, however they are packed."""
    return [path for path in folder.rglob("*") if path.is_file() and TEXT in content(path)]


def content(path: Path) -> str:
    if path.suffix == ".parquet":
        return str(pl.read_parquet(path).to_dicts())
    found = path.read_bytes()
    return (bz2.decompress(found) if path.suffix == ".bz2" else found).decode("utf-8", errors="replace")


def test_models_sources_plan_and_report(lake: Lake, tmp_path: Path) -> None:
    assert [row["champion"] for row in told(lake, "models", "list")] == ["v000002"]
    assert '"v000002"' in textmill(lake, "models", "show", "wiki-word2vec")
    assert "champion is v000001 again" in textmill(lake, "models", "rollback", "wiki-word2vec")
    dump = tmp_path / "wiki.xml.bz2"
    (row,) = told(lake, "sources", "get", str(dump))
    assert row["path"] == f"{lake.raw}/wiki/wiki.xml.bz2"
    assert told(lake, "plan", "--source", str(dump))["nothing_to_do"] is False
    before = lake.release(PIPELINE) or {}
    lake.publish(PIPELINE, {**before, "report": "reports/r/index.html"})
    assert textmill(lake, "report").strip() == f"{lake.root}/reports/r/index.html"
