import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.layers.crf import LinearChain

LABELS = 3


def chain(seed: int, *, allowed: torch.Tensor | None = None) -> LinearChain:
    generator = torch.Generator().manual_seed(seed)
    built = LinearChain(torch.ones(LABELS + 1, LABELS, dtype=torch.bool) if allowed is None else allowed)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return built


def emissions(seed: int, batch: int, time: int) -> torch.Tensor:
    return torch.randn(batch, time, LABELS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def path_score(model: LinearChain, scores: torch.Tensor, path: tuple[int, ...]) -> float:
    total = model.first[path[0]] + model.last[path[-1]] + sum(scores[t, label] for t, label in enumerate(path))
    return float((total + sum(model.transitions[a, b] for a, b in itertools.pairwise(path))).detach())


@given(st.integers(0, 10_000), st.lists(st.integers(1, 4), min_size=1, max_size=3))
@settings(max_examples=20, deadline=None)
def test_every_quantity_equals_the_sum_over_all_paths(seed: int, sizes: list[int]) -> None:
    model, scores, lengths = chain(seed), emissions(seed, len(sizes), max(sizes)), torch.tensor(sizes)
    partition, marginals, best = (
        model.log_partition(scores, lengths),
        model.marginals(scores, lengths),
        model.viterbi(scores, lengths),
    )
    for row, size in enumerate(sizes):
        paths = {p: path_score(model, scores[row], p) for p in itertools.product(range(LABELS), repeat=size)}
        total = math.log(sum(math.exp(score) for score in paths.values()))
        assert float(partition[row].detach()) == pytest.approx(total)
        assert tuple(best[row, :size].tolist()) == max(paths, key=lambda path: paths[path])
        for t, label in itertools.product(range(size), range(LABELS)):
            share = sum(math.exp(score - total) for path, score in paths.items() if path[t] == label)
            assert float(marginals[row, t, label]) == pytest.approx(share, abs=1e-9)
        assert marginals[row, size:].abs().sum() == 0


def test_the_likelihoods_of_all_paths_sum_to_one() -> None:
    model, scores = chain(1), emissions(2, 1, 3)
    paths = torch.tensor(list(itertools.product(range(LABELS), repeat=3)))
    lengths = torch.full((len(paths),), 3)
    likelihood = model.log_likelihood(scores.expand(len(paths), -1, -1), paths, lengths)
    assert float(likelihood.detach().exp().sum()) == pytest.approx(1.0)


def test_padding_changes_nothing() -> None:
    model, scores, labels = chain(3), emissions(4, 1, 2), torch.tensor([[1, 2]])
    alone = model.log_likelihood(scores, labels, torch.tensor([2]))
    padded = torch.cat([scores, torch.full((1, 3, LABELS), 7.0, dtype=torch.float64)], dim=1)
    longer = torch.cat([labels, torch.tensor([[0, 1, 2]])], dim=1)
    assert float(model.log_likelihood(padded, longer, torch.tensor([2])).detach()) == pytest.approx(
        float(alone.detach())
    )


def test_what_is_not_allowed_has_no_probability() -> None:
    allowed = torch.ones(LABELS + 1, LABELS, dtype=torch.bool)
    allowed[0, 2] = allowed[-1, 2] = False  # label 2 neither first nor after label 0
    model, scores = chain(5, allowed=allowed), emissions(6, 4, 5)
    scores[:, :, 2] += 3
    lengths = torch.tensor([5, 5, 5, 5])
    assert model.marginals(scores, lengths)[:, 0, 2].max() == 0
    for path in model.viterbi(scores, lengths).tolist():
        assert path[0] != 2
        assert (0, 2) not in set(itertools.pairwise(path))


def test_parameters_start_at_zero() -> None:
    fresh = LinearChain(torch.ones(LABELS + 1, LABELS, dtype=torch.bool))
    assert all(bool((parameter == 0).all()) for parameter in fresh.parameters())
