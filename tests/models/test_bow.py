from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.embeddings.bow import BagOfWords, BowConfig, BowConfigError, NoTermsError, fit

TEXTS = ["The cat sat; the cat ran.", "A dog ran.", "The end"]
DOCUMENTS = st.lists(st.lists(st.sampled_from("abcdef"), max_size=8), min_size=1, max_size=6).filter(any)


def fitted(texts: list[str | None], **options: Any) -> BagOfWords:
    return fit([pl.Series(texts, dtype=pl.String)], BowConfig(**options))


def by_hand(texts: list[str], text: str, *, sublinear: bool) -> dict[str, float]:
    """The formulas of the module in plain Python."""
    bags = [Counter(one.split()) for one in texts]
    weights = {}
    for term, tf in Counter(text.split()).items():
        df = sum(term in bag for bag in bags)
        weights[term] = (1 + math.log(tf) if sublinear else tf) * (math.log((1 + len(texts)) / (1 + df)) + 1)
    length = math.sqrt(sum(weight**2 for weight in weights.values()))
    return {term: weight / length for term, weight in weights.items()}


def test_terms_are_sorted_and_counted_by_document() -> None:
    model = fitted(TEXTS)
    assert model.terms == ("a", "cat", "dog", "end", "ran", "sat", "the")
    assert (model.frequencies.tolist(), model.documents) == ([1, 1, 1, 1, 2, 1, 2], 3)


def test_counts_alone() -> None:
    rows = fitted(TEXTS, idf=False, normalise=False).transform(pl.Series(["cat the cat zebra", None, ""]))
    assert rows.toarray().tolist() == [[0, 2, 0, 0, 0, 0, 1], [0] * 7, [0] * 7]


def test_idf_is_smooth() -> None:
    model = fitted(TEXTS)
    assert model.idf[model.terms.index("the")] == pytest.approx(math.log(4 / 3) + 1)
    assert model.idf[model.terms.index("cat")] == pytest.approx(math.log(4 / 2) + 1)


@settings(max_examples=25)
@given(DOCUMENTS, st.booleans())
def test_weights_are_those_of_the_formula(documents: list[list[str]], sublinear: bool) -> None:
    texts = [" ".join(words) for words in documents]
    model = fitted(list(texts), sublinear=sublinear)
    rows = model.transform(pl.Series(texts)).toarray()
    for text, row in zip(texts, rows, strict=True):
        found = {term: weight for term, weight in zip(model.terms, row, strict=True) if weight}
        assert found == pytest.approx(by_hand(texts, text, sublinear=sublinear))


@settings(max_examples=25)
@given(DOCUMENTS, st.integers(1, 40))
def test_rows_have_length_one_or_zero_hashed_too(documents: list[list[str]], buckets: int) -> None:
    texts = pl.Series([" ".join(words) for words in documents])
    for model in (fit([texts]), fit([texts], BowConfig(buckets=buckets))):
        lengths = np.sqrt((model.transform(texts).toarray() ** 2).sum(axis=1))
        assert all(length == pytest.approx(1) or length == 0 for length in lengths)


@settings(max_examples=25)
@given(DOCUMENTS, st.integers(0, 5))
def test_how_texts_are_batched_changes_nothing(documents: list[list[str]], cut: int) -> None:
    texts = pl.Series([" ".join(words) for words in documents])
    for config in (BowConfig(), BowConfig(buckets=8)):
        whole, parts = fit([texts], config), fit([texts[:cut], texts[cut:]], config)
        assert (whole.terms, whole.frequencies.tolist()) == (parts.terms, parts.frequencies.tolist())


def test_rows_are_sparse_with_rising_columns() -> None:
    rows = fitted(TEXTS).transform(pl.Series(TEXTS))
    assert (rows.shape, rows.nnz, rows.has_canonical_format) == ((3, 7), 9, True)


def test_rare_and_common_terms_are_left_out() -> None:
    assert fitted(TEXTS, min_df=2).terms == ("ran", "the")
    assert fitted(TEXTS, max_df=0.5, min_df=1).terms == ("a", "cat", "dog", "end", "sat")
    assert fitted(TEXTS, max_terms=3).terms == ("a", "ran", "the")


def test_hashes_are_the_same_in_every_process() -> None:
    model = fitted(TEXTS, buckets=16, idf=False, normalise=False)
    row = model.transform(pl.Series(["cat cat dog"])).toarray()[0]
    assert {column: row[column] for column in row.nonzero()[0].tolist()} == {12: -1.0, 15: 2.0}


def test_terms_that_meet_in_a_bucket_cancel_or_add() -> None:
    model = fitted(TEXTS, buckets=1, idf=False, normalise=False)
    signs = model.transform(pl.Series(["cat", "dog", "the", "sat", "ran"])).toarray()
    assert set(signs[:, 0].tolist()) == {-1.0, 1.0}
    assert model.transform(pl.Series(["cat dog the sat ran"])).toarray()[0, 0] == signs.sum()


def test_documents_of_a_bucket_are_counted_once_each() -> None:
    assert fitted(TEXTS, buckets=1).frequencies.tolist() == [3]


def test_heaviest_terms_of_a_text() -> None:
    found = fitted(TEXTS).heaviest("the cat ran", k=2)
    assert found[0][0] == "cat" and found[1][0] == "ran"


def test_hashed_terms_have_no_words() -> None:
    with pytest.raises(NoTermsError, match="buckets 0"):
        fitted(TEXTS, buckets=8).heaviest("cat")


def test_nearest_texts_come_first() -> None:
    model = fitted(TEXTS)
    found = model.nearest("my dog ran", model.transform(pl.Series(TEXTS)), k=2)
    assert [row for row, _ in found] == [1, 0]
    assert model.nearest(TEXTS[0], model.transform(pl.Series(TEXTS)))[0] == (0, pytest.approx(1.0))


def test_progress_counts_texts() -> None:
    seen: list[tuple[int, int]] = []
    fit([pl.Series(TEXTS), pl.Series(TEXTS)], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(3, 0), (6, 0)]


@pytest.mark.parametrize("options", [{}, {"buckets": 8, "sublinear": True}])
def test_saved_model_loads_equal(options: dict[str, Any], tmp_path: Path) -> None:
    model = fitted(TEXTS, **options)
    model.save(tmp_path)
    loaded = BagOfWords.load(tmp_path)
    assert (loaded.config, loaded.terms, loaded.documents) == (model.config, model.terms, 3)
    assert np.array_equal(loaded.transform(pl.Series(TEXTS)).toarray(), model.transform(pl.Series(TEXTS)).toarray())
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["config.json", "vocabulary.json", "weights.safetensors"]


def test_one_word_is_enough() -> None:
    assert fitted(["word"]).transform(pl.Series(["word"])).toarray().tolist() == [[1.0]]


@pytest.mark.parametrize("texts", [[], [""], [None, "..."]])
def test_texts_without_words_are_an_error(texts: list[str | None]) -> None:
    with pytest.raises(NoTermsError, match="none of 0 words"):
        fitted(texts)
    with pytest.raises(NoTermsError, match="there is no word in"):
        fitted(texts, buckets=8)


def test_no_term_that_is_frequent_enough_is_an_error() -> None:
    with pytest.raises(NoTermsError, match=r"none of 7 words stands in at least 3 .* lower min_df"):
        fitted(TEXTS, min_df=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_df": 0}, "min_df is 0"),
        ({"max_df": 2.0}, r"max_df is 2\.0"),
        ({"buckets": -1}, "buckets is -1"),
        ({"max_terms": -1}, "max_terms is -1"),
    ],
)
def test_bad_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BowConfigError, match=message):
        BowConfig(**options)
