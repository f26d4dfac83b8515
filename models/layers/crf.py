"""A linear-chain conditional random field over the labels of a sequence (Lafferty, McCallum and Pereira 2001).

Batches are padded on the right: emissions float [batch, time, labels], lengths int64 [batch]. The score
of a path is the sum of its emissions, its transitions and its first and last label.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FORBIDDEN = -1e4


class LinearChain(nn.Module):
    """Transition scores between labels; `allowed` bool [labels + 1, labels] refuses some, its last row for the first.

    All parameters start at zero.
    """

    allowed: Tensor

    def __init__(self, allowed: Tensor) -> None:
        super().__init__()
        labels = allowed.shape[1]
        self.transitions = nn.Parameter(torch.zeros(labels, labels, dtype=torch.float64))  # from, to
        self.first = nn.Parameter(torch.zeros(labels, dtype=torch.float64))
        self.last = nn.Parameter(torch.zeros(labels, dtype=torch.float64))
        self.register_buffer("allowed", allowed)

    def log_likelihood(self, emissions: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
        """Log-probability of the label paths int64 [batch, time] (padding: any label), float [batch]."""
        return self.path_score(emissions, labels, lengths) - self.log_partition(emissions, lengths)

    def path_score(self, emissions: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
        """Unnormalised log-score of each label path, float [batch]."""
        transitions, first = self._scores()
        inside = _mask(emissions, lengths)
        emitted = emissions.gather(2, labels.unsqueeze(2)).squeeze(2) * inside
        moved = transitions[labels[:, :-1], labels[:, 1:]] * inside[:, 1:]
        final = labels.gather(1, (lengths - 1).unsqueeze(1)).squeeze(1)
        return emitted.sum(1) + moved.sum(1) + first[labels[:, 0]] + self.last[final]

    def log_partition(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Log of the summed scores of all paths, float [batch]: the forward algorithm."""
        transitions, first = self._scores()
        alpha = first + emissions[:, 0]
        for t in range(1, emissions.shape[1]):
            step = torch.logsumexp(alpha.unsqueeze(2) + transitions, dim=1) + emissions[:, t]
            alpha = torch.where((t < lengths).unsqueeze(1), step, alpha)
        return torch.logsumexp(alpha + self.last, dim=1)

    def marginals(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Posterior probability of every label at every place, [batch, time, labels]; 0 in the padding.

        They are the gradient of the log-partition by the emissions.
        """
        with torch.enable_grad():
            leaf = emissions.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.log_partition(leaf, lengths).sum(), leaf)
        return gradient

    @torch.no_grad()
    def viterbi(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """The best label path of each sequence, int64 [batch, time]; the padding repeats the last label."""
        transitions, first = self._scores()
        stay = torch.arange(emissions.shape[2]).expand(emissions.shape[0], -1)
        best = first + emissions[:, 0]
        back = []
        for t in range(1, emissions.shape[1]):
            scores, sources = (best.unsqueeze(2) + transitions).max(dim=1)
            live = (t < lengths).unsqueeze(1)
            best = torch.where(live, scores + emissions[:, t], best)
            back.append(torch.where(live, sources, stay))
        path = [(best + self.last).argmax(dim=1)]
        for sources in reversed(back):
            path.append(sources.gather(1, path[-1].unsqueeze(1)).squeeze(1))
        return torch.stack(path[::-1], dim=1)

    def _scores(self) -> tuple[Tensor, Tensor]:
        """Transitions and first labels, with what is not allowed out of reach."""
        return (
            self.transitions.masked_fill(~self.allowed[:-1], FORBIDDEN),
            self.first.masked_fill(~self.allowed[-1], FORBIDDEN),
        )


def _mask(emissions: Tensor, lengths: Tensor) -> Tensor:
    return torch.arange(emissions.shape[1]) < lengths.unsqueeze(1)
