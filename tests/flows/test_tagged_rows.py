"""Labelled mentions to stores of pieces and tags, whatever the tokenizer and the file; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from training_lake import corpus_lake

from data.errors import TextmillError
from data.lake import Lake
from data.splits import split_of
from flows.training.order import Order
from flows.training.preparing import Prepared
from flows.training.published import Published
from flows.training.rows import File
from flows.training.running import run
from models import prepared
from models.families.bert import MARKS
from models.families.bert_pair import FAMILY as PAIR
from models.families.bert_tagger import FAMILY as TAGGER
from models.family import TrainingData
from pipelines.tokenise import KINDS

WORDS = ["Ada", "Lovelace", "saw", "London", "in", "1843", "."]
TAGS = ["B-PER", "I-PER", "O", "B-LOC", "O", "O", "O"]
LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def written(folder: Path, rows: File | Published, **options: Any) -> TrainingData:
    Prepared.of(rows, TAGGER, options).write(folder / "data")
    return prepared.open_data(folder / "data", MARKS)


def tokens_file(folder: Path, *changed: tuple[list[str], list[str], str]) -> File:
    rows = [(WORDS, TAGS, "train"), (WORDS[3:], TAGS[3:], "validation"), *changed]
    path = folder / "rows.jsonl"
    pl.DataFrame(rows, schema=["tokens", "tags", "split"], orient="row").write_ndjson(path)
    return File.of(path, TAGGER.needs, {}, None)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_piece_of_every_word_has_its_tag(tmp_path: Path, kind: str) -> None:
    data = written(tmp_path, tokens_file(tmp_path), kind=kind, min_frequency=1)
    ids, tags = (data.train.columns[name].row(0).tolist() for name in ("text", "tags"))
    assert len(ids) == len(tags)
    assert [LABELS[tag - 1] for tag in tags if tag] == TAGS
    first = [data.vocabulary.decode([ids[place]]).strip() for place, tag in enumerate(tags) if tag]
    assert [piece[:1] for piece in first] == [word[0] for word in WORDS]
    assert data.labels == LABELS


def test_spans_and_tokens_of_one_text_are_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "spans").mkdir()
    text = "Ada Lovelace saw London in 1843 ."
    spans = [{"start": 0, "end": 12, "type": "PER"}, {"start": 17, "end": 23, "type": "LOC"}]
    rows = {"text": [text, text], "spans": [spans, spans], "split": ["train", "validation"]}
    pl.DataFrame(rows).write_parquet(tmp_path / "spans" / "rows.parquet")
    of_spans = written(tmp_path / "spans", File.of(tmp_path / "spans" / "rows.parquet", TAGGER.needs, {}, None))
    of_tokens = written(tmp_path, tokens_file(tmp_path))
    for name in ("text", "tags"):
        assert of_spans.train.columns[name].row(0).tolist() == of_tokens.train.columns[name].row(0).tolist()


def test_a_conll_file_is_read(tmp_path: Path) -> None:
    lines = [f"{word} NN {tag}" for word, tag in zip(WORDS, TAGS, strict=True)]
    for name in ("train", "held"):
        (tmp_path / f"{name}.conll").write_text("\n".join(["-DOCSTART- O", "", *lines, ""]), "utf-8")
    rows = File.of(tmp_path / "train.conll", TAGGER.needs, {}, tmp_path / "held.conll")
    data = written(tmp_path, rows)
    assert (len(data.train), data.labels) == (1, LABELS)


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    pl.DataFrame({"words": [WORDS], "ner": [TAGS], "split": ["train"]}).write_parquet(tmp_path / "rows.parquet")
    columns = {"tokens": "words", "tags": "ner"}
    assert len(written(tmp_path, File.of(tmp_path / "rows.parquet", TAGGER.needs, columns, None)).train) == 1


def test_a_file_with_neither_is_told_both_ways(tmp_path: Path) -> None:
    pl.DataFrame({"text": ["a"]}).write_parquet(tmp_path / "rows.parquet")
    with pytest.raises(TextmillError, match=r"no column 'spans'; it has text.*or give tokens and tags"):
        File.of(tmp_path / "rows.parquet", TAGGER.needs, {}, None)


def test_tokens_are_split_by_the_hash_of_their_text(tmp_path: Path) -> None:
    rows = [[f"word{number}", *["more"] * 20, str(number)] for number in range(60)]
    pl.DataFrame({"tokens": rows, "tags": [["O"] * 22] * 60}).write_parquet(tmp_path / "rows.parquet")
    file = File.of(tmp_path / "rows.parquet", TAGGER.needs, {}, None)
    for split in ("train", "validation", "test"):
        found = [tokens for frame in file.frames(split) for tokens in frame["tokens"].to_list()]
        assert found == [tokens for tokens in rows if split_of(" ".join(tokens)) == split]


def test_labelled_sentences_of_a_release(tmp_path: Path) -> None:
    lake = corpus_lake(tmp_path, labelled=True)
    data = written(tmp_path, Published.of(lake, None, TAGGER.needs))
    assert data.labels == ("O", "B-PART", "I-PART")
    assert (len(data.train), data.validation and len(data.validation)) == (3, 1)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(["x"], ["B-ORG"], "validation")], r"label 'ORG' stands in the validation split but not in .*\(LOC, PER\)"),
    ],
)
def test_a_type_that_is_never_learnt_is_refused(tmp_path: Path, rows: list[Any], said: str) -> None:
    with pytest.raises(TextmillError, match=said):
        written(tmp_path, tokens_file(tmp_path, *rows))


@pytest.mark.parametrize(
    ("tokens", "tags", "said"),
    [
        (["a"], ["O"], "no row of the training split has a mention"),
        (["a"], ["NN"], r"no row is left to learn from \(rows left out: invalid_tag 1\)"),
    ],
)
def test_data_without_a_mention_are_refused(tmp_path: Path, tokens: list[str], tags: list[str], said: str) -> None:
    pl.DataFrame({"tokens": [tokens], "tags": [tags], "split": ["train"]}).write_parquet(tmp_path / "rows.parquet")
    file = File.of(tmp_path / "rows.parquet", TAGGER.needs, {}, None)
    with pytest.raises(TextmillError, match=said):
        written(tmp_path, file, kind="characters")


def test_what_was_left_out_stands_on_the_card(tmp_path: Path) -> None:
    file = tokens_file(tmp_path, (["x"], ["O", "O"], "train"), (["x"], ["?"], "train"), (["y"], ["!"], "validation"))
    options = {"width": 16, "heads": 2, "layers": 1, "context": 32, "steps": 2, "batch_size": 1, "costs": False}
    order = Order(lake=Lake(tmp_path / "lake"), model="bert-tagger", data=str(file.path), options=options)
    result = run(order, created="2026-01-01T00:00:00+00:00")
    card = (result.path / "card.md").read_text("utf-8")
    assert "3 rows were left out: 2 as invalid_tag, 1 as lengths_differ." in card
    assert [score["metric"] for score in result.scores] == ["f1", "loss", "accuracy", "precision", "recall"]
    shown = json.loads((result.path / "shown.json").read_text("utf-8"))["Mentions"]
    assert (shown[0]["text"], shown[0]["labelled"]) == ("London in 1843 .", "LOC: London")


def test_pairs_of_a_release_are_made_of_titles_and_paragraphs(tmp_path: Path) -> None:
    rows = Published.of(corpus_lake(tmp_path), None, PAIR.needs)
    for split in ("train", "validation"):
        found = pl.concat(list(rows.frames(split)))
        own = {f"{title} is a thing.": title for title in found.filter(label="same")["first"]}
        assert all(
            own[second] == first for first, second in found.filter(label="same").select("first", "second").rows()
        )
        others = found.filter(label="other")
        assert others.height == len(own)
        assert all(first in own.values() and own[second] != first for first, second, _ in others.rows())
