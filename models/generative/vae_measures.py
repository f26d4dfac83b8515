"""What a sentence VAE has learnt, in nats and in bits of structure, on held-out sentences.

A VAE whose posterior collapsed has a good ELBO and tells nothing by its codes, hence the KL, the active units (Burda,
Grosse and Salakhutdinov 2016, arXiv 1509.00519) and the mutual information of sentences and codes (Hoffman and Johnson
2016, "ELBO surgery"). The importance-weighted bound (IWAE, the same Burda et al.) is nearer to log p(x) than the ELBO.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.generative.gaussian import Gaussian, standard
from models.generative.text_vae import TextVAE
from models.learner import Batch

ACTIVE = 0.01
"""A unit is active when the variance of its mean over sentences is larger."""

_BLOCK = 256


@dataclass(frozen=True)
class Measures:
    """Means over sentences in nats, and per word where it says so; words count the end of each sentence.

    `nll_bound` is -ELBO, the sum of `reconstruction` and `kl`; `perplexity_bound` is exp(-ELBO per word).
    `mutual_information` is at most `kl`, and at most the log of the number of sentences.
    """

    sentences: int
    words: int
    nll_bound: float
    reconstruction: float
    kl: float
    nll_bound_per_word: float
    kl_per_word: float
    perplexity_bound: float
    active_units: int
    mutual_information: float


@torch.no_grad()
def measures(model: TextVAE, batches: Iterable[Batch]) -> Measures:
    """Measures over all sentences of some batches, one code drawn for each; the model should be in evaluation mode."""
    found = [(model(batch["text"], batch["text_lengths"]), predicted(batch)) for batch in batches]
    terms, words = [each for each, _ in found], sum(int(count.sum()) for _, count in found)
    posterior = joined([each.posterior for each in terms])
    sentences = len(posterior.mean)
    reconstruction = float(torch.cat([each.reconstruction for each in terms]).double().mean())
    kl = float(torch.cat([each.kl.sum(1) for each in terms]).double().mean())
    per_word = (reconstruction + kl) * sentences / words
    return Measures(
        sentences=sentences,
        words=words,
        nll_bound=reconstruction + kl,
        reconstruction=reconstruction,
        kl=kl,
        nll_bound_per_word=per_word,
        kl_per_word=kl * sentences / words,
        perplexity_bound=math.exp(min(per_word, 700.0)),
        active_units=active_units(posterior.mean),
        mutual_information=mutual_information(posterior, posterior.sample()),
    )


def predicted(batch: Batch) -> Tensor:
    """Words that are predicted of each sentence, with its end, float [batch]."""
    return batch["text_lengths"].float() + 1


def joined(posteriors: Sequence[Gaussian]) -> Gaussian:
    """The posteriors of several batches as one."""
    return Gaussian(
        torch.cat([each.mean for each in posteriors]), torch.cat([each.log_variance for each in posteriors])
    )


def active_units(means: Tensor) -> int:
    """Dimensions of the code whose mean [sentences, latent] varies over the sentences: Var_x(E[z | x]) > 0.01."""
    return int((means.var(0, correction=0) > ACTIVE).sum())


def mutual_information(posterior: Gaussian, codes: Tensor) -> float:
    """I(x; z) under q in nats: E[log q(z | x)] - E[log q(z)], with one code [sentences, latent] for each posterior.

    q(z) is the mixture of the posteriors of these very sentences, so that the estimate is at most the log of their
    number.
    """
    own = posterior.log_density(codes)
    mixed = [_log_mixture(posterior, block) for block in torch.split(codes, _BLOCK)]
    return float((own - torch.cat(mixed)).double().mean())


def _log_mixture(posterior: Gaussian, codes: Tensor) -> Tensor:
    """log q(z) [block] for codes [block, latent]."""
    densities = posterior.log_density(codes.unsqueeze(1))  # [block, sentences]
    return torch.logsumexp(densities, dim=1) - math.log(len(posterior.mean))


@torch.no_grad()
def importance_weighted(model: TextVAE, batch: Batch, *, codes: int) -> Tensor:
    """The IWAE bound of -log p(x) of each sentence in nats [batch], from so many codes each.

    -log 1/k Σ p(x, zᵢ) / q(zᵢ | x); one code gives the ELBO, more a bound that is lower in expectation.
    """
    posterior = model.encode(batch["text"], batch["text_lengths"])
    prior = standard(posterior.mean)
    found = []
    for _ in range(codes):
        z = posterior.sample()
        nats = model.reconstruction(batch["text"], batch["text_lengths"], z)
        found.append(prior.log_density(z) - posterior.log_density(z) - nats)
    return math.log(codes) - torch.logsumexp(torch.stack(found), dim=0)
