"""How much the KL of a VAE counts while it learns: schedules of its weight, and bits that are free.

A decoder that can predict words by itself lets the posterior collapse onto the prior early in training. Bowman et al.
2016 (arXiv 1511.06349) raise the weight of the KL from 0 to 1; Fu et al. 2019 (arXiv 1903.10145) do so again and again;
Kingma et al. 2016 (arXiv 1606.04934, section 6) take no gradient from what lies below a floor. All follow from the
number of the step.
"""

from __future__ import annotations

import torch
from torch import Tensor

SCHEDULES = ("none", "linear", "cyclical")
FLOORS = ("dimension", "sentence")


def kl_weight(step: int, *, schedule: str, steps: int, cycles: int = 4, rise: float = 0.5) -> float:
    """The weight of the KL in step `step` (from 0), between 0 and 1; after the first `steps` it is 1.

    `none`: always 1. `linear`: from 0, rising by 1 / steps. `cyclical`: the steps are cut into `cycles`, and in each
    the weight rises from 0 to 1 over its first part, `rise`, and stays there.
    """
    if schedule == "none" or step >= steps:
        return 1.0
    if schedule == "linear":
        return step / steps
    inside = (step * cycles % steps) / steps  # how far the cycle is, 0 to 1
    return min(1.0, inside / rise)


def with_free_bits(kl: Tensor, *, free: float, per: str) -> Tensor:
    """The KL of each sentence in nats [batch] as it is minimised, from that of each dimension [batch, latent].

    Per `dimension`, the mean over the batch counts at least `free` nats in each (and that much in all sentences alike,
    so that the mean over the batch is that of the paper); per `sentence`, the sum over the dimensions counts at least
    `free`. What lies below has no gradient.
    """
    if free == 0:
        return kl.sum(1)
    if per == "sentence":
        return kl.sum(1).clamp(min=free)
    floored: Tensor = torch.clamp(kl.mean(0), min=free).sum()
    return floored.expand(kl.shape[0])
