from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from data.errors import ConfigError
from models.generative.gaussian import Gaussian, interpolate, standard

numbers = st.floats(-4, 4, width=32)


@given(mean=numbers, log_variance=numbers)
def test_kl_is_that_of_torch(mean: float, log_variance: float) -> None:
    ours = Gaussian(torch.tensor([mean]), torch.tensor([log_variance])).kl()
    theirs = kl_divergence(Normal(torch.tensor([mean]), math.exp(log_variance / 2)), Normal(0.0, 1.0))
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert ours.item() >= -1e-6


@given(mean=numbers, log_variance=numbers, value=numbers)
def test_log_density_is_that_of_torch(mean: float, log_variance: float, value: float) -> None:
    ours = Gaussian(torch.tensor([mean, 0.0]), torch.tensor([log_variance, 0.0])).log_density(torch.tensor([value, 1]))
    theirs = Normal(mean, math.exp(log_variance / 2)).log_prob(torch.tensor(value)) + Normal(0, 1).log_prob(
        torch.tensor(1.0)
    )
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-4, abs=1e-4)


def test_samples_have_mean_and_deviation() -> None:
    gaussian = Gaussian(torch.full((20_000,), 3.0), torch.full((20_000,), math.log(4.0)))
    drawn = gaussian.sample(torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(3.0, abs=0.05)
    assert drawn.std().item() == pytest.approx(2.0, abs=0.05)


def test_gradient_flows_through_samples() -> None:
    mean, log_variance = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    Gaussian(mean, log_variance).sample(torch.Generator().manual_seed(0)).sum().backward()
    assert mean.grad is not None and log_variance.grad is not None
    assert torch.equal(mean.grad, torch.ones(4))
    assert (log_variance.grad != 0).all()


def test_standard_is_the_prior() -> None:
    assert standard(torch.ones(3)).log_density(torch.zeros(3)).item() == pytest.approx(-1.5 * math.log(2 * math.pi))


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_paths_begin_and_end_where_they_should(path: str) -> None:
    first, last = torch.tensor([1.0, 2.0, 0.5]), torch.tensor([-1.0, 0.5, 3.0])
    found = interpolate(first, last, steps=5, path=path)
    assert found.shape == (5, 3)
    assert torch.allclose(found[0], first, atol=1e-6)
    assert torch.allclose(found[-1], last, atol=1e-6)


def test_linear_path_is_straight() -> None:
    assert interpolate(torch.tensor([0.0, 0.0]), torch.tensor([4.0, 8.0]), steps=5)[1].tolist() == [1.0, 2.0]


def test_spherical_path_keeps_its_length_and_turns_evenly() -> None:
    found = interpolate(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), steps=4, path="spherical")
    assert torch.allclose(found.norm(dim=1), torch.full((4,), 2.0))
    assert found[1].tolist() == pytest.approx([2 * math.cos(math.pi / 6), 2 * math.sin(math.pi / 6)])


def test_spherical_path_between_equal_directions_is_straight() -> None:
    found = interpolate(torch.tensor([1.0, 1.0]), torch.tensor([3.0, 3.0]), steps=3, path="spherical")
    assert found[1].tolist() == pytest.approx([2.0, 2.0])


@pytest.mark.parametrize(("options", "name"), [({"steps": 1}, "steps is 1"), ({"steps": 3, "path": "bent"}, "bent")])
def test_bad_option_is_named(options: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        interpolate(torch.zeros(2), torch.ones(2), **options)  # type: ignore[arg-type]
