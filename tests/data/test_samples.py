"""The labelled samples that ship with the package are well-formed, balanced and as their README says."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest

from data.contracts.labels import ENTITY_TYPES, SPLITS
from data.splits import split_of

SAMPLES = files("data") / "samples"
LABELS = ("positive", "neutral", "negative")
NAMES = ("sentiment.jsonl", "entities.jsonl")


@cache
def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()]


def table(header: str) -> dict[str, list[str]]:
    """Rows of the README table under `header`: first cell → the other cells."""
    _, found, rest = (SAMPLES / "README.md").read_text(encoding="utf-8").partition(header)
    assert found, f"no table {header!r} in the README"
    body = rest.splitlines()[2:]
    end = next((i for i, line in enumerate(body) if not line.startswith("|")), len(body))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in body[:end]]
    return {first: others for first, *others in cells}


@pytest.mark.parametrize(("name", "least"), [("sentiment.jsonl", 400), ("entities.jsonl", 130)])
def test_enough_rows(name: str, least: int) -> None:
    assert len(rows(name)) >= least


@pytest.mark.parametrize(("name", "keys"), [(NAMES[0], {"text", "label", "domain"}), (NAMES[1], {"text", "spans"})])
def test_every_row_has_the_same_keys(name: str, keys: set[str]) -> None:
    assert [row for row in rows(name) if set(row) != keys] == []


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_unique_whatever_the_case(name: str) -> None:
    counts = Counter(row["text"].casefold() for row in rows(name))
    assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_clean(name: str) -> None:
    texts = [row["text"] for row in rows(name)]
    assert [text for text in texts if not text or text != " ".join(unicodedata.normalize("NFC", text).split())] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_split_has_rows(name: str) -> None:
    assert {split_of(row["text"]) for row in rows(name)} == set(SPLITS)


def test_labels_are_the_three_and_balanced() -> None:
    counts = Counter(row["label"] for row in rows("sentiment.jsonl"))
    assert set(counts) == set(LABELS)
    assert max(counts.values()) <= 1.1 * min(counts.values())


def test_every_domain_has_every_label() -> None:
    found = Counter((row["domain"], row["label"]) for row in rows("sentiment.jsonl"))
    domains = {domain for domain, _ in found}
    assert len(domains) >= 8
    assert [(domain, label) for domain in domains for label in LABELS if found[domain, label] < 5] == []


def test_every_entity_type_occurs_often() -> None:
    counts = Counter(span["type"] for row in rows("entities.jsonl") for span in row["spans"])
    assert set(counts) == set(ENTITY_TYPES)
    assert min(counts.values()) >= 40


def test_some_sentences_have_no_entity() -> None:
    assert sum(not row["spans"] for row in rows("entities.jsonl")) >= 10


def test_spans_lie_inside_the_text_without_surrounding_white_space() -> None:
    spans = [(row["text"], span["start"], span["end"]) for row in rows("entities.jsonl") for span in row["spans"]]
    assert [s for s in spans if not 0 <= s[1] < s[2] <= len(s[0])] == []
    assert [s for s in spans if s[0][s[1] : s[2]] != s[0][s[1] : s[2]].strip()] == []


def test_spans_begin_and_end_at_word_edges() -> None:
    spans = [(row["text"], span["start"], span["end"]) for row in rows("entities.jsonl") for span in row["spans"]]
    cut = [s for s in spans if s[0][: s[1]][-1:].isalnum() or s[0][s[2] :][:1].isalnum()]
    assert cut == []


def test_spans_are_in_order_and_do_not_overlap() -> None:
    pairs = [pair for row in rows("entities.jsonl") for pair in pairwise(row["spans"])]
    assert [(left, right) for left, right in pairs if left["end"] > right["start"]] == []


@pytest.mark.parametrize(("start", "end", "kind"), [(0, 12, "PER"), (25, 31, "LOC"), (35, 51, "DATE")])
def test_offsets_count_code_points(start: int, end: int, kind: str) -> None:
    text = "Ada Lovelace was born in London on 10 December 1815."
    (row,) = [row for row in rows("entities.jsonl") if row["text"] == text]
    assert {"start": start, "end": end, "type": kind} in row["spans"]


def test_readme_counts_the_labels() -> None:
    found = Counter((row["domain"], row["label"]) for row in rows("sentiment.jsonl"))
    said = table("| domain | positive | neutral | negative | all |")
    total = said.pop("all")
    counted = {d: [found[d, label] for label in LABELS] for d in {d for d, _ in found}}
    assert {d: [int(n) for n in cells] for d, cells in said.items()} == {d: [*n, sum(n)] for d, n in counted.items()}
    assert [int(n) for n in total] == [
        sum(column) for column in zip(*([*n, sum(n)] for n in counted.values()), strict=True)
    ]


def test_readme_counts_the_entity_types() -> None:
    found = Counter(span["type"] for row in rows("entities.jsonl") for span in row["spans"])
    said = {kind: int(cells[0]) for kind, cells in table("| type | spans | what it covers |").items()}
    assert said == {**found, "all": found.total()}
