from __future__ import annotations

import hashlib
import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.conform import conform
from data.contracts import CONTRACTS
from data.errors import AccountingError, ConfigError
from pipelines.dedup import DedupConfig, apply, find_duplicates
from pipelines.minhash import MinHashConfig, signatures

WORDS = [f"word{i}" for i in range(200)]
BASE = " ".join(WORDS)
NEAR = " ".join([*WORDS, "more"])
GOLDEN = [905694749, 302577602, 613061731, 253666436]
OTHER = " ".join(f"other{i}" for i in range(200))


def frame(texts: dict[str, str]) -> pl.DataFrame:
    made = signatures(list(texts.values()))
    return pl.DataFrame(
        {
            "doc_id": list(texts),
            "source": "s",
            "text_sha256": [hashlib.sha256(text.encode()).hexdigest() for text in texts.values()],
            "n_chars": [len(text) for text in texts.values()],
            "minhash": pl.Series(made, dtype=pl.Array(pl.UInt32, 112)).cast(pl.List(pl.UInt32)),
        }
    )


def chain(steps: int, change: int) -> dict[str, str]:
    """Texts that each differ a little from the one before and much from the first."""
    words, texts = list(WORDS), {}
    for step in range(steps):
        texts[f"s:{step}"] = " ".join(words)
        for i in range(step * change, (step + 1) * change):
            words[i] = f"new{i}"
    return texts


def test_signature_is_the_same_on_every_machine() -> None:
    assert signatures(["The river carries water past the castle."])[0, :4].tolist() == GOLDEN


def test_capitals_and_punctuation_do_not_count() -> None:
    both = signatures(["The cat, sat on the mat.", "the cat sat on the mat"])
    assert np.array_equal(both[0], both[1])


def test_share_of_equal_values_estimates_the_jaccard_similarity() -> None:
    left, right = " ".join(WORDS[:150]), " ".join(WORDS[50:])
    both = signatures([left, right], config=MinHashConfig(permutations=1024))
    assert (both[0] == both[1]).mean() == pytest.approx(96 / 196, abs=0.06)


def test_texts_do_not_influence_each_other() -> None:
    together = signatures([BASE, "", "short text", OTHER * 20])
    assert all(
        np.array_equal(row, signatures([text])[0])
        for row, text in zip(together, [BASE, "", "short text", OTHER * 20], strict=True)
    )


def test_exact_copies_keep_the_smallest_id() -> None:
    found = find_duplicates(frame({"s:2": BASE, "s:1": BASE, "s:3": OTHER}))
    assert found.rows() == [("s:2", "s:1", "s:1", 1.0)]


def test_near_copies_keep_the_longest() -> None:
    found = find_duplicates(frame({"s:1": BASE, "s:2": NEAR, "s:3": BASE, "s:4": OTHER}))
    assert found["doc_id"].to_list() == ["s:1", "s:3"]
    assert found["kept_doc_id"].unique().to_list() == ["s:2"]
    assert found["cluster_id"].unique().to_list() == ["s:1"]
    assert found["similarity"].is_between(0.9, 0.999).all()


def test_texts_that_differ_have_a_similarity_below_one() -> None:
    found = find_duplicates(frame({"s:1": BASE.upper() + "!", "s:2": BASE}))
    assert found["similarity"].item() < 1


def test_chain_removes_nothing_unlike_what_is_kept() -> None:
    texts = chain(12, 8)
    table = frame(texts)
    found = find_duplicates(table)
    rows = dict(zip(table["doc_id"], signatures(list(texts.values())), strict=True))
    assert 0 < found.height < len(texts) - 1
    for doc_id, kept, _, similarity in found.iter_rows():
        assert (rows[doc_id] == rows[kept]).mean() == pytest.approx(similarity, abs=0.01)
        assert similarity >= 0.8


@given(st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(rng: random.Random) -> None:
    texts = {**chain(6, 6), "t:1": OTHER, "t:2": OTHER, "t:3": OTHER + " end"}
    rows = list(texts.items())
    rng.shuffle(rows)
    assert find_duplicates(frame(dict(rows))).equals(find_duplicates(frame(texts)))


def test_result_keeps_the_contract() -> None:
    conform(find_duplicates(frame({"s:1": BASE, "s:2": NEAR})), CONTRACTS["duplicates"])
    conform(find_duplicates(frame({"s:1": BASE}).clear()), CONTRACTS["duplicates"])


def test_rejects_say_what_was_kept() -> None:
    table = frame({"s:1": BASE, "s:2": BASE, "t:1": OTHER, "t:2": OTHER + " end"})
    corpus, rejects = apply(table, find_duplicates(table))
    assert corpus["doc_id"].to_list() == ["s:1", "t:2"]
    assert "minhash" not in corpus.columns
    assert rejects.select("doc_id", "reason", "detail").rows() == [
        ("s:2", "exact_duplicate", "kept s:1"),
        ("t:1", "near_duplicate", "kept t:2"),
    ]
    conform(rejects, CONTRACTS["rejects"])


def test_duplicates_of_other_parts_are_passed_over() -> None:
    table = frame({"s:1": BASE, "s:2": BASE})
    corpus, rejects = apply(table.filter(pl.col("doc_id") == "s:1"), find_duplicates(table))
    assert (corpus.height, rejects.height) == (1, 0)


def test_document_named_twice_is_an_error() -> None:
    table = frame({"s:1": BASE, "s:2": BASE})
    found = find_duplicates(table)
    with pytest.raises(AccountingError, match="named twice"):
        apply(table, pl.concat([found, found]))


def test_bands_beyond_the_signature_are_an_error() -> None:
    with pytest.raises(ConfigError, match="120"):
        find_duplicates(frame({"s:1": BASE}), config=DedupConfig(bands=15))
