from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from data.errors import ConfigError
from models.decoding.beam import Marks, Output, Search, beam_search, decode, greedy

TOKENS = 3  # 0 ends, 1 and 2 are words; marks follow
MARKS = Marks(pad=3, begin=4, end=0)
SEEDS = st.integers(0, 10_000)


class Prefix(NamedTuple):
    """A state that holds the whole past."""

    source: Tensor
    tokens: Tensor


class Table:
    """Probabilities drawn at random for every source and every beginning of an output, `longest` tokens at most."""

    marks = MARKS

    def __init__(self, seed: int, longest: int = 3) -> None:
        self.seed, self.longest = seed, longest
        self.known: dict[tuple[int, ...], Tensor] = {}

    def start(self, source: Tensor, lengths: Tensor) -> Prefix:
        return Prefix(source, torch.empty(len(source), 0, dtype=torch.int64))

    def step(self, state: Prefix, tokens: Tensor) -> tuple[Tensor, Prefix]:
        state = Prefix(state.source, torch.cat((state.tokens, tokens.unsqueeze(1)), dim=1))
        rows = [
            self.after(int(source[0]), past[1:])
            for source, past in zip(state.source, state.tokens.tolist(), strict=True)
        ]
        return torch.stack(rows), state

    def select(self, state: Prefix, rows: Tensor) -> Prefix:
        return Prefix(state.source[rows], state.tokens[rows])

    def after(self, source: int, past: list[int]) -> Tensor:
        """Log-probabilities after what is written; the marks are the most probable, and never to be taken."""
        key = (source, *past)
        if key not in self.known:
            logits = np.random.default_rng((self.seed, *key)).normal(scale=2, size=TOKENS + 2)
            logits[TOKENS:] = 9.0
            self.known[key] = torch.from_numpy(logits).float().log_softmax(dim=-1)
        return self.known[key]

    def best(self, source: int, search: Search) -> list[Output]:
        """Every output there is, the best first."""
        found = []
        for length in range(1, self.longest + 1):
            for tokens in itertools.product(range(1, TOKENS), repeat=length - 1):
                ends = [[0], [1], [2]] if length == self.longest else [[0]]
                for written in ([*tokens, *end] for end in ends):
                    total = sum(float(self.after(source, written[:i])[token]) for i, token in enumerate(written))
                    kept = [token for token in written if token]
                    found.append(Output(kept, total, search.score(total, length)))
        return sorted(found, key=lambda output: -output.score)


def rows(*sources: int) -> tuple[Tensor, Tensor]:
    return torch.tensor(sources).unsqueeze(1), torch.ones(len(sources), dtype=torch.int64)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(1, 3), st.sampled_from([0.0, 0.6, 1.0, 2.0]))
def test_a_beam_of_all_beginnings_finds_the_optimum(seed: int, longest: int, penalty: float) -> None:
    search = Search(beam=TOKENS**longest, length_penalty=penalty)
    table = Table(seed, longest)
    for number, found in enumerate(beam_search(table, *rows(5, 6), search), start=5):
        expected = table.best(number, search)
        assert [output.tokens for output in found] == [output.tokens for output in expected]
        assert [output.score for output in found] == pytest.approx([output.score for output in expected], abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(1, 8))
def test_beam_of_one_is_greedy(seed: int, longest: int) -> None:
    table = Table(seed, longest)
    found = beam_search(table, *rows(1, 2, 3), Search(beam=1))
    assert [output[0].tokens for output in found] == greedy(table, *rows(1, 2, 3))


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(1, 4))
def test_a_source_finds_the_same_alone_as_among_others(seed: int, beam: int) -> None:
    table, search = Table(seed, 6), Search(beam=beam)
    together = beam_search(table, *rows(1, 2, 3), search)
    assert together == [beam_search(table, *rows(number), search)[0] for number in (1, 2, 3)]


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(1, 4))
def test_outputs_are_ordered_and_as_probable_as_said(seed: int, beam: int) -> None:
    table, search = Table(seed, 5), Search(beam=beam)
    (found,) = beam_search(table, *rows(1), search)
    assert 1 <= len(found) <= beam
    assert [output.score for output in found] == sorted((output.score for output in found), reverse=True)
    for tokens, total, score in found:
        ended = [*tokens, 0][: table.longest]
        expected = sum(float(table.after(1, ended[:i])[token]) for i, token in enumerate(ended))
        assert total == pytest.approx(expected, abs=1e-4)
        assert score == pytest.approx(search.score(total, len(ended)), abs=1e-4)


def test_score_is_that_of_wu() -> None:
    assert Search(length_penalty=0.6).score(-3.0, 10) == pytest.approx(-3.0 * 6**0.6 / 15**0.6)


def test_without_penalty_short_outputs_win_and_with_it_long_ones() -> None:
    class Tied(Table):
        """Ending now costs 2 nats; every word costs one."""

        def after(self, source: int, past: list[int]) -> Tensor:
            return torch.tensor([-2.0 if len(past) < 4 else -0.1, -1.0, -9.0, -9.0, -9.0])

    lengths = [
        len(beam_search(Tied(0, 5), *rows(1), Search(beam=3**5, length_penalty=penalty))[0][0].tokens)
        for penalty in (0.0, 3.0)
    ]
    assert lengths == [0, 4]


def test_no_output_is_longer_than_the_limit() -> None:
    found = beam_search(Table(1, 9), *rows(1, 2), Search(beam=3, max_length=2))
    assert max(len(output.tokens) for outputs in found for output in outputs) <= 2
    assert max(map(len, greedy(Table(1, 9), *rows(1, 2), max_length=2))) <= 2


def test_decoding_keeps_the_order_of_the_sources() -> None:
    table, search = Table(3, 4), Search(beam=2)
    sources = [[1, 1, 1], [2], [6, 6], [5, 5, 5, 5]]
    found = decode(table, sources, search, batch_size=2)
    assert found == [beam_search(table, *rows(source[0]), search)[0] for source in sources]


@pytest.mark.parametrize("options", [{"beam": 0}, {"max_length": 0}, {"length_penalty": -1.0}])
def test_searches_that_find_nothing_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        Search(**options)  # type: ignore[arg-type]
