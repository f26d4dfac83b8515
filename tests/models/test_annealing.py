from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.generative.annealing import SCHEDULES, kl_weight, with_free_bits

KL = torch.tensor([[0.1, 3.0], [0.3, 5.0]])


def test_without_a_schedule_the_kl_counts_from_the_start() -> None:
    assert kl_weight(0, schedule="none", steps=100) == 1


@pytest.mark.parametrize(("step", "weight"), [(0, 0), (25, 0.25), (99, 0.99), (100, 1), (1 << 62, 1)])
def test_linear_weight_rises_to_one_and_stays(step: int, weight: float) -> None:
    assert kl_weight(step, schedule="linear", steps=100) == weight


@pytest.mark.parametrize(
    ("step", "weight"),
    [(0, 0), (5, 0.5), (10, 1), (19, 1), (20, 0), (25, 0.5), (60, 0), (79, 1), (80, 1), (1 << 62, 1)],
)
def test_cyclical_weight_rises_in_every_cycle_and_ends_at_one(step: int, weight: float) -> None:
    assert kl_weight(step, schedule="cyclical", steps=80, cycles=4, rise=0.5) == weight


@given(st.integers(0, 2000), st.sampled_from(SCHEDULES), st.integers(1, 1000), st.integers(1, 9), st.floats(0.01, 1.0))
def test_weight_lies_between_zero_and_one(step: int, schedule: str, steps: int, cycles: int, rise: float) -> None:
    assert 0 <= kl_weight(step, schedule=schedule, steps=steps, cycles=cycles, rise=rise) <= 1


def test_without_free_bits_all_of_the_kl_counts() -> None:
    assert with_free_bits(KL, free=0.0, per="dimension").tolist() == pytest.approx([3.1, 5.3])


def test_free_bits_of_a_dimension_are_of_its_mean_over_the_batch() -> None:
    assert with_free_bits(KL, free=1.0, per="dimension").tolist() == pytest.approx([5.0, 5.0])  # max(0.2, 1) + 4


def test_free_bits_of_a_sentence_are_of_its_sum() -> None:
    assert with_free_bits(KL, free=4.0, per="sentence").tolist() == pytest.approx([4.0, 5.3])


@pytest.mark.parametrize(("per", "gradient"), [("dimension", [[0, 0.5], [0, 0.5]]), ("sentence", [[0, 0], [0.5, 0.5]])])
def test_what_is_free_has_no_gradient(per: str, gradient: list[list[float]]) -> None:
    kl = KL.clone().requires_grad_()
    with_free_bits(kl, free={"dimension": 1.0, "sentence": 4.0}[per], per=per).mean().backward()
    assert kl.grad is not None
    assert kl.grad.tolist() == gradient


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9)), min_size=1, max_size=5), st.floats(0, 5))
def test_free_bits_never_lower_the_mean(rows: list[tuple[float, float]], free: float) -> None:
    kl = torch.tensor(rows)
    for per in ("dimension", "sentence"):
        assert with_free_bits(kl, free=free, per=per).mean() >= kl.sum(1).mean() - 1e-4
