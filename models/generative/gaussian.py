"""Gaussians with a diagonal covariance, N(μ, σ²): the posterior and the prior of a VAE, and paths between two codes.

Kingma and Welling 2013, "Auto-encoding variational Bayes" (arXiv 1312.6114): reparameterised sampling, and the KL in
closed form (appendix B). Spherical interpolation: Shoemake 1985; White 2016 (arXiv 1609.04468).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from data.errors import ConfigError

PATHS = ("linear", "spherical")


@dataclass(frozen=True)
class Gaussian:
    """N(mean, exp(log_variance)), both [..., latent]; independent in every dimension."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """A value [..., latent] through which gradients flow: z = μ + σ ε with ε ~ N(0, 1)."""
        noise = torch.empty_like(self.mean).normal_(generator=generator)
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def kl(self) -> Tensor:
        """KL(N(μ, σ²) || N(0, 1)) = (μ² + σ² - 1 - log σ²) / 2 in nats, dimension by dimension [..., latent]."""
        return 0.5 * (self.mean.square() + self.log_variance.exp() - 1 - self.log_variance)

    def log_density(self, value: Tensor) -> Tensor:
        """log N(value; μ, σ²) in nats [...], the sum over the dimensions."""
        scaled = (value - self.mean).square() * (-self.log_variance).exp()
        return -0.5 * (scaled + self.log_variance + math.log(2 * math.pi)).sum(-1)


def standard(like: Tensor) -> Gaussian:
    """The prior N(0, 1) for values shaped like this one."""
    return Gaussian(torch.zeros_like(like), torch.zeros_like(like))


def interpolate(first: Tensor, last: Tensor, *, steps: int, path: str = "linear") -> Tensor:
    """Values [steps, latent] on the way from `first` [latent] to `last`, both of them included.

    `linear` is the straight line. `spherical` turns at an even rate and so keeps to the shell where Gaussian values
    of many dimensions lie; where the two point the same or the opposite way it is the straight line.
    Raises ConfigError for another path, and for fewer than two steps.
    """
    if path not in PATHS:
        raise ConfigError(f"path is {path!r}; it must be one of {', '.join(PATHS)}")
    if steps < 2:
        raise ConfigError(f"steps is {steps}; it must be at least 2, for both ends")
    share = torch.linspace(0, 1, steps, dtype=first.dtype, device=first.device).unsqueeze(1)  # [steps, 1]
    angle = torch.acos(torch.cosine_similarity(first, last, dim=0).clamp(-1, 1))
    if path == "linear" or float(angle.sin()) < 1e-4:
        return (1 - share) * first + share * last
    return (((1 - share) * angle).sin() * first + (share * angle).sin() * last) / angle.sin()
