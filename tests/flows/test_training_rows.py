"""Rows that a training reads: from files of every kind and from a release, each row in one split."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from training_lake import TITLES, corpus_lake

from data.errors import ConfigError, TextmillError
from data.forgotten import Tombstone, add
from data.lake import Lake
from data.redaction import rewrite_version
from data.splits import split_of
from flows.training.published import Published
from flows.training.rows import File, sentences

TEXTS = [f"text number {number}" for number in range(40)]


def found(rows: File | Published, split: str, column: str = "text") -> list[str]:
    return [value for frame in rows.frames(split) for value in frame[column]]


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_every_row_of_a_file_is_in_the_split_of_its_hash(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"rows.{kind}"
    frame = pl.DataFrame({"body": TEXTS})
    {"parquet": frame.write_parquet, "csv": frame.write_csv, "jsonl": frame.write_ndjson}[kind](path)
    rows = File(path, ("text",), {"text": "body"})
    for split in ("train", "validation", "test"):
        assert found(rows, split) == [text for text in TEXTS if split_of(text) == split]


def test_a_column_split_decides(tmp_path: Path) -> None:
    pl.DataFrame({"text": ["a", "b"], "split": ["validation", "train"]}).write_parquet(tmp_path / "rows.parquet")
    rows = File(tmp_path / "rows.parquet", ("text",))
    assert (found(rows, "train"), found(rows, "validation")) == (["b"], ["a"])


def test_with_a_file_to_validate_on_all_of_the_other_is_for_training(tmp_path: Path) -> None:
    for name, texts in (("train", TEXTS), ("held", ["held out"])):
        pl.DataFrame({"text": texts}).write_parquet(tmp_path / f"{name}.parquet")
    rows = File(tmp_path / "train.parquet", ("text",), validation=tmp_path / "held.parquet")
    assert (found(rows, "train"), found(rows, "validation"), found(rows, "test")) == (TEXTS, ["held out"], [])


def test_of_a_text_alone_the_last_tenth_is_to_validate_on(tmp_path: Path) -> None:
    (tmp_path / "play.txt").write_text("0123456789" * 3, "utf-8")
    rows = File(tmp_path / "play.txt", ("text",))
    assert (found(rows, "train"), found(rows, "validation")) == (["0123456789" * 2 + "0123456"], ["789"])


def test_lineage_is_of_content_and_columns(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"text": ["a"], "other": ["b"]}).write_parquet(path)
    one = File(path, ("text",)).lineage
    assert one != File(path, ("text",), {"text": "other"}).lineage
    pl.DataFrame({"text": ["c"], "other": ["b"]}).write_parquet(path)
    assert one != File(path, ("text",)).lineage


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    pl.DataFrame({"body": ["a"]}).write_parquet(tmp_path / "rows.parquet")
    with pytest.raises(TextmillError, match=r"no column 'text'; it has body.*--columns text="):
        File(tmp_path / "rows.parquet", ("text",))


def test_a_column_that_the_model_does_not_read_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"text": ["a"]}).write_parquet(tmp_path / "rows.parquet")
    with pytest.raises(ConfigError, match="--columns names label; this model reads text"):
        File(tmp_path / "rows.parquet", ("text",), {"label": "text"})


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.xlsx", b"", "give a .parquet"),
        ("rows.parquet", b"no parquet", "is no parquet file"),
        ("", b"", "no file"),
    ],
)
def test_files_that_cannot_be_read_are_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / (name or "missing.csv")
    if name:
        path.write_bytes(content)
    with pytest.raises(TextmillError, match=said):
        File(path, ("text",))


def test_documents_of_a_release(tmp_path: Path) -> None:
    rows = Published.of(corpus_lake(tmp_path), None, ("text",))
    seen = [*found(rows, "train", "doc_id"), *found(rows, "validation", "doc_id"), *found(rows, "test", "doc_id")]
    assert sorted(seen) == sorted(TITLES)
    assert rows.lineage == {"corpus": "v1"}


@pytest.mark.parametrize("rewrite", [False, True])
def test_a_document_that_was_forgotten_is_not_read_again(tmp_path: Path, *, rewrite: bool) -> None:
    lake = corpus_lake(tmp_path)
    forget(lake, "wiki:3", rewrite=rewrite)
    rows = Published.of(lake, None, ("text",))
    seen = [doc_id for split in ("train", "validation", "test") for doc_id in found(rows, split, "doc_id")]
    assert sorted(seen) == sorted(TITLES.keys() - {"wiki:3"})
    assert sum(len(ids) for split in ("train", "validation", "test") for ids in rows.tokens(split)) == len(seen)
    assert rows.lineage == {"corpus": "v1", "forgotten": ["wiki:3"]}
    assert rows.lineage_of("tokens") == {"tokens": "v1", "forgotten": ["wiki:3"]}


def forget(lake: Lake, doc_id: str, *, rewrite: bool = False) -> None:
    add(lake, Tombstone(ids=(doc_id, "other:1"), reason="asked", when="now"))
    for dataset in ("corpus", "tokens") if rewrite else ():
        rewrite_version(lake, lake.manifest("wiki", dataset, "v1") or {}, [doc_id], {"ids": [doc_id]})


def test_what_the_lineage_says_is_what_is_read_whatever_is_forgotten_meanwhile(tmp_path: Path) -> None:
    lake = corpus_lake(tmp_path)
    rows = Published.of(lake, None, ("text",))
    assert rows.lineage == {"corpus": "v1"}
    forget(lake, "wiki:3")
    assert sum(len(found(rows, split)) for split in ("train", "validation", "test")) == len(TITLES)
    assert "forgotten" in Published.of(lake, None, ("text",)).lineage


def test_a_labelled_row_that_was_forgotten_is_not_read_again(tmp_path: Path) -> None:
    lake = corpus_lake(tmp_path, labelled=True)
    forget(lake, "made:c")
    rows = Published.of(lake, None, ("text", "spans"))
    assert found(rows, "train") == ["good parts", "no part"]
    assert rows.lineage == {"labelled_spans": "v1", "forgotten": ["made:c"]}


def test_first_paragraphs_and_titles_of_a_release(tmp_path: Path) -> None:
    rows = Published.of(corpus_lake(tmp_path), "wiki", ("source", "target"))
    pairs = [pair for frame in rows.frames("train") for pair in frame.select("source", "target").rows()]
    assert pairs
    assert set(pairs) <= {(f"{title} is a thing.", title) for title in TITLES.values()}


def test_a_release_without_what_is_needed_says_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(TextmillError, match=r"has no labelled_text; `textmill run`"):
        list(Published.of(corpus_lake(tmp_path), None, ("text", "label")).frames("train"))


def test_sentences_of_documents() -> None:
    frames = iter([pl.DataFrame({"text": ["One is here. Two is there.", None]})])
    assert [value for frame in sentences(frames) for value in frame["text"]] == ["One is here.", "Two is there."]
