from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.diversity import Point, TooFewSamplesError, bleu, curve, lead, penalised, self_bleu

texts = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), min_size=2, max_size=5)


def slow_matches(sample: list[str], others: list[list[str]], order: int) -> tuple[int, int]:
    """Clipped n-grams, straight from the definition."""

    def grams(text: list[str]) -> Counter[tuple[str, ...]]:
        return Counter(tuple(text[i : i + order]) for i in range(len(text) - order + 1))

    ours = grams(sample)
    return sum(min(n, max(grams(o)[g] for o in others)) for g, n in ours.items()), ours.total()


def slow_self_bleu(samples: list[list[str]], n: int) -> float:
    logs, length = [], 0
    for order in range(1, n + 1):
        found = [slow_matches(s, samples[:i] + samples[i + 1 :], order) for i, s in enumerate(samples)]
        good, total = (sum(each) for each in zip(*found, strict=True))
        if not good:
            return 0.0
        logs.append(math.log(good / total))
    for i, sample in enumerate(samples):
        others = samples[:i] + samples[i + 1 :]
        length += min((abs(len(o) - len(sample)), len(o)) for o in others)[1]
    return math.exp(sum(logs) / n) * min(1.0, math.exp(1 - length / sum(map(len, samples))))


def test_bleu_by_hand() -> None:
    # Papineni's clipping: `the` counts twice at the most. Bigrams: `the the` never. BLEU-1 = 2/7.
    sample = [["the"] * 7]
    references = [["the", "cat", "is", "on", "the", "mat"], ["there", "is", "a", "cat", "on", "the", "mat"]]
    assert bleu(sample, references, n=1) == pytest.approx(2 / 7)
    assert bleu(sample, references, n=2) == 0


def test_bleu_of_two_orders_by_hand() -> None:
    # Unigrams 3 of 4, bigrams 1 of 3 (`a b`), the same length.
    assert bleu([list("abxd")], [list("abcd")], n=2) == pytest.approx(math.sqrt(3 / 4 * 1 / 3))


def test_short_samples_pay_for_brevity() -> None:
    assert bleu([list("ab")], [list("abcd")], n=1) == pytest.approx(math.exp(1 - 4 / 2))


def test_length_is_that_of_the_nearest_reference() -> None:
    assert bleu([list("ab")], [list("abcd"), list("abc")], n=1) == pytest.approx(math.exp(1 - 3 / 2))
    assert bleu([list("abc")], [list("abcd"), list("ab")], n=1) == 1  # of two that are as near, the shorter


def test_bleu_is_of_the_corpus() -> None:
    assert bleu([list("ab"), list("xy")], [list("ab")], n=1) == pytest.approx(0.5)


def test_held_out_text_itself_has_bleu_one() -> None:
    references = [list("abcde"), list("edcba")]
    assert bleu(references, references) == pytest.approx(1)


def test_self_bleu_of_equal_samples_is_one() -> None:
    assert self_bleu([list("abcde")] * 4) == pytest.approx(1)


def test_self_bleu_of_samples_with_nothing_in_common_is_zero() -> None:
    assert self_bleu([list("abcde"), list("fghij"), list("klmno")]) == 0


def test_sample_is_not_compared_with_itself() -> None:
    # `a a` has an `a` more than the other: 1 of 2 and 1 of 2 unigrams are right.
    assert self_bleu([list("aa"), list("ab")], n=1) == pytest.approx(0.5)


@given(texts, st.integers(1, 3))
def test_self_bleu_is_that_of_the_definition(samples: list[list[str]], n: int) -> None:
    assert self_bleu(samples, n=n) == pytest.approx(slow_self_bleu(samples, n))


@given(texts, texts, st.integers(1, 4))
def test_bleu_lies_between_zero_and_one(samples: list[list[str]], references: list[list[str]], n: int) -> None:
    assert 0 <= bleu(samples, references, n=n) <= 1 + 1e-12
    assert 0 <= self_bleu(samples, n=n) <= 1 + 1e-12


def test_curve_has_a_point_for_each_temperature() -> None:
    drawn = {0.5: [list("abcd")] * 2, 1.0: [list("abcd"), list("efgh")]}
    assert curve(drawn.__getitem__, [list("abcd")], temperatures=drawn, n=1) == [
        Point(0.5, 1.0, 1.0, 4.0),
        Point(1.0, 0.5, 0.0, 4.0),
    ]


def test_curve_tells_what_short_samples_would_lose() -> None:
    point = curve(lambda _: [list("ab")] * 2, [list("abcd"), list("ab")], temperatures=[1.0], n=1)[0]
    assert (point.bleu, point.words) == (1.0, 2.0)
    assert point.brevity == pytest.approx(math.exp(1 - 3 / 2))
    assert penalised([point])[0].bleu == pytest.approx(math.exp(-0.5))


def test_lead_is_the_difference_at_the_same_self_bleu() -> None:
    first = [Point(0.5, 0.9, 0.8), Point(1.0, 0.5, 0.4)]  # BLEU = 0.1 + self-BLEU
    second = [Point(0.5, 0.6, 0.6), Point(1.0, 0.2, 0.2)]  # BLEU = self-BLEU
    assert lead(first, second) == pytest.approx(0.1)
    assert lead(second, first) == pytest.approx(-0.1)


def test_curves_that_do_not_meet_have_no_lead() -> None:
    assert lead([Point(1.0, 0.5, 0.9)], [Point(1.0, 0.5, 0.1)]) is None


def test_too_little_to_compare_is_an_error() -> None:
    with pytest.raises(TooFewSamplesError, match="at least two"):
        self_bleu([["a"]])
    with pytest.raises(TooFewSamplesError, match="one reference"):
        bleu([["a"]], [])
