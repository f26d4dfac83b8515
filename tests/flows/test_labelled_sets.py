"""A training on a labelled set of the catalogue: its rows, its publisher's splits, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from data.catalogue import catalogue
from data.errors import ConfigError, TextmillError
from data.forgotten import Tombstone, add
from data.lake import Lake
from data.splits import row_id_of, split_of
from flows.training.labelled_set import LabelledSet
from flows.training.order import Order
from flows.training.running import run
from models.registry import Registry
from pipelines.download import download

PAIRS = {
    "train": [("a dog", "ein Hund"), ("two cats", "zwei Katzen")],
    "val": [("a cat", "eine Katze")],
    "test_2016_flickr": [("a bird", "ein Vogel"), ("", "")],
}
CONLL = "Ada B-person\nlives O\nin O\nRome B-location\n\n"
TRANSLATION, SPANS = ("source", "target"), ("text", "spans")
SMALL = {"steps": 2, "batch_size": 2, "width": 16, "layers": 1, "heads": 2, "validate_every": 1}


def fetched(lake: Lake, name: str, folder: Path) -> Lake:
    """A lake into which somebody put the files of a set."""
    download(catalogue()[name], lake.raw / name, by_hand=folder)
    return lake


@pytest.fixture
def pairs(tmp_path: Path) -> Lake:
    folder = tmp_path / "multi30k"
    folder.mkdir()
    for split, rows in PAIRS.items():
        for side, language in enumerate(("en", "de")):
            text = "".join(f"{row[side]}\n" for row in rows)
            (folder / f"{split}.{language}.gz").write_bytes(gzip.compress(text.encode()))
    return fetched(Lake(tmp_path / "lake"), "multi30k", folder)


def rows(found: LabelledSet, split: str) -> list[tuple[object, ...]]:
    return pl.concat(found.frames(split)).rows()


def test_translations_are_read_in_the_splits_of_their_publisher(pairs: Lake) -> None:
    found = LabelledSet.of(pairs, "multi30k", TRANSLATION, {})
    splits = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
    assert {split: rows(found, split)[0] for split in splits} == {one: PAIRS[name][0] for one, name in splits.items()}


def test_columns_turn_the_direction(pairs: Lake) -> None:
    found = LabelledSet.of(pairs, "multi30k", TRANSLATION, {"source": "translation", "target": "text"})
    assert rows(found, "validation") == [("eine Katze", "a cat")]


def test_where_files_do_not_tell_the_split_the_hash_of_the_text_does(tmp_path: Path) -> None:
    (tmp_path / "conll").mkdir()
    for name in ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated"):
        (tmp_path / "conll" / name).write_text(CONLL + name.replace(".", " ") + " O\n")
    lake = fetched(Lake(tmp_path / "lake"), "wnut17", tmp_path / "conll")
    found = LabelledSet.of(lake, "wnut17", SPANS, {})
    spans = [{"start": 0, "end": 3, "type": "PER"}, {"start": 13, "end": 17, "type": "LOC"}]
    assert rows(found, "train")[0] == ("Ada lives in Rome", spans)
    some = LabelledSet(found.source, found.raw[:2], SPANS)  # without the test
    assert len(rows(some, split_of("Ada lives in Rome"))) >= 2


def test_an_example_without_text_is_a_row_that_is_counted(pairs: Lake) -> None:
    found = LabelledSet.of(pairs, "multi30k", TRANSLATION, {})
    assert rows(found, "test")[1] == (None, "")


def test_a_row_that_was_forgotten_is_left_out_and_named(pairs: Lake) -> None:
    gone = f"multi30k:{row_id_of('a dog')}"
    add(pairs, Tombstone(ids=(gone,), reason="asked", when="t"))
    add(pairs, Tombstone(ids=(f"multi30k:{row_id_of('two cats')}",), reason="asked", when="t", pipeline="other"))
    found = LabelledSet.of(pairs, "multi30k", TRANSLATION, {})
    assert rows(found, "train") == [("two cats", "zwei Katzen")]
    assert found.lineage["forgotten"] == [gone]


def test_a_model_is_trained_on_a_set_and_names_it(pairs: Lake) -> None:
    order = Order(lake=pairs, model="transformer-seq2seq", data="multi30k", options=SMALL)
    result = run(order, created="2026-01-01T00:00:00+00:00")
    lineage = Registry(pairs.models).load(result.model, "candidate").card["lineage"]
    assert (result.model, lineage["set"]) == ("multi30k-transformer-seq2seq", "multi30k")
    assert len(lineage["files"]) == 6


@pytest.mark.parametrize(
    ("name", "needs", "columns", "said"),
    [
        ("multi30k", ("text", "label"), {}, "multi30k has text and translation, and no label.*--columns label="),
        ("multi30k", TRANSLATION, {"label": "text"}, "--columns names label"),
        ("multi30k", TRANSLATION, {"source": "summary"}, "no summary"),
        ("sst2", ("text", "label"), {}, "`textmill sources get sst2` brings it there"),
        ("conll2003", SPANS, {}, "`textmill sources get conll2003 --path FILE`"),
        ("simplewiki", ("text",), {}, "a labelled set .*multi30k"),
        ("nothing", ("text",), {}, "a labelled set .*multi30k"),
    ],
)
def test_what_cannot_be_read_is_told(
    pairs: Lake, name: str, needs: tuple[str, ...], columns: dict[str, str], said: str
) -> None:
    with pytest.raises(TextmillError, match=said):
        LabelledSet.of(pairs, name, needs, columns)


def test_a_set_has_its_own_validation(pairs: Lake, tmp_path: Path) -> None:
    order = Order(lake=pairs, model="transformer-seq2seq", data="multi30k", validation=tmp_path / "v.csv")
    with pytest.raises(ConfigError, match="leave --validation out"):
        order.rows()
