import pytest
import torch

from models.convex import minimise


def test_it_finds_the_minimum_and_tells_its_progress() -> None:
    at = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    goal = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    seen: list[tuple[int, int]] = []
    value = minimise(
        lambda: ((at - goal) ** 4).sum() + 5, [at], iterations=200, progress=lambda *step: seen.append(step)
    )
    assert value == pytest.approx(5, abs=1e-4)
    assert at.detach().tolist() == pytest.approx(goal.tolist(), abs=0.1)
    assert seen[-1] == (200, 200)
