from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.rouge import (
    Article,
    articles,
    common_subsequence,
    first_outcomes,
    lead_and_body,
    outcomes,
    random_outcomes,
    rouge_l,
    rouge_n,
    rouge_words,
    scores,
)

TEXT = "Lead one. Lead two.\n\nHistory\nBody one. Body two."
SECTIONS = [
    {"level": 0, "title": "", "start": 0, "end": 21},
    {"level": 1, "title": "History", "start": 21, "end": len(TEXT)},
]


def article(body: str, lead: str) -> Article:
    return Article("a:1", "A", lead, body, ())


def test_rouge_1_of_the_standard_example() -> None:
    found = rouge_n(rouge_words("The cat was found under the bed."), rouge_words("The cat was under the bed."), n=1)
    assert (found.recall, found.precision) == (1.0, pytest.approx(6 / 7))


def test_rouge_2_counts_pairs() -> None:
    found = rouge_n(rouge_words("The cat was found under the bed."), rouge_words("The cat was under the bed."), n=2)
    assert (found.recall, found.precision, found.f1) == pytest.approx((4 / 5, 4 / 6, 8 / 11))


def test_repeated_words_count_as_often_as_the_reference_has_them() -> None:
    assert rouge_n(["the"] * 4, ["the", "cat"], n=1).precision == 0.25


def test_rouge_l_keeps_the_order() -> None:
    reference = rouge_words("police killed the gunman")
    assert rouge_l(rouge_words("police kill the gunman"), reference).f1 == 0.75
    assert rouge_l(rouge_words("the gunman kill police"), reference).f1 == 0.5


def test_words_are_lower_cased_and_punctuation_left_out() -> None:
    assert scores("The CAT!", "the cat.")["rouge2"].f1 == 1.0


def test_nothing_in_common_scores_zero() -> None:
    assert {overlap.f1 for overlap in scores("a b c", "x y z").values()} == {0.0}


def test_empty_candidate_scores_zero() -> None:
    assert {overlap.f1 for overlap in scores("", "x y z").values()} == {0.0}


def test_outcomes_have_one_value_per_document() -> None:
    found = outcomes(["a b", "c"], ["a b", "d"])
    assert found["rouge1_f1"].tolist() == [1.0, 0.0]
    assert sorted(found) == sorted(f"{m}_{p}" for m in ("rouge1", "rouge2", "rougeL") for p in ("f1", "recall"))


def test_lead_is_the_section_of_level_zero() -> None:
    halves = lead_and_body(TEXT, SECTIONS)
    assert halves is not None
    assert halves[:2] == ("Lead one. Lead two.", "History\nBody one. Body two.")


def test_sections_of_the_body_move_with_it() -> None:
    halves = lead_and_body(TEXT, SECTIONS)
    assert halves is not None
    assert [halves[1][part["start"] : part["end"]] for part in halves[2]] == [halves[1]]


@pytest.mark.parametrize("sections", [[], SECTIONS[1:], [{"level": 0, "title": "", "start": 0, "end": len(TEXT)}]])
def test_article_without_lead_or_body_cannot_be_cut(sections: list[dict[str, object]]) -> None:
    assert lead_and_body(TEXT, sections) is None


def test_articles_that_cannot_be_used_are_counted() -> None:
    lead, body = "word " * 20, "word " * 100
    texts = [lead + body, "word " * 120, lead + "short", "tiny. " + body]
    cuts = [len(lead), None, len(lead), 6]
    sections = [None if cut is None else [{"level": 0, "title": "", "start": 0, "end": cut}] for cut in cuts]
    kept, skipped = articles(["a", "b", "c", "d"], ["A", None, "C", "D"], texts, sections)
    assert [found.doc_id for found in kept] == ["a"]
    assert skipped == {"no_lead": 1, "short_body": 1, "short_lead": 1}


def test_random_baseline_is_an_expected_value() -> None:
    found = random_outcomes([article("", "hit")], lambda _: ["hit", "miss"], k=1, draws=400)
    assert found["rouge1_f1"][0] == pytest.approx(0.5, abs=0.1)


def test_random_baseline_follows_the_seed() -> None:
    one, same, other = (
        random_outcomes([article("", "a b c")], lambda _: ["a", "b x", "c y z"], k=2, draws=5, seed=seed)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one["rouge1_f1"], same["rouge1_f1"])
    assert not np.array_equal(one["rouge1_f1"], other["rouge1_f1"])


def test_random_baseline_with_fewer_sentences_than_asked_takes_all() -> None:
    assert random_outcomes([article("", "hit")], lambda _: ["hit"], k=3, draws=2)["rouge1_f1"][0] == 1.0


def test_first_baseline_takes_the_first_sentences() -> None:
    assert first_outcomes([article("", "a b")], lambda _: ["a", "b", "c"], k=2)["rouge2_f1"].tolist() == [1.0]


def slow_subsequence(first: list[str], second: list[str]) -> int:
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


@given(st.lists(st.sampled_from("abcd"), max_size=20), st.lists(st.sampled_from("abcd"), max_size=20))
def test_bit_parallel_subsequence_equals_the_textbook(first: list[str], second: list[str]) -> None:
    assert common_subsequence(first, second) == slow_subsequence(first, second)
