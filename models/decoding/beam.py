"""Greedy and beam search: the outputs that a model finds most probable for some sources.

A beam search keeps the `beam` most probable beginnings of each source. Finished outputs Y are compared by the score of
Wu et al. 2016 (arXiv 1609.08144, equation 14), which longer ones are not punished by:

    s(Y) = log P(Y | X) / lp(Y),    lp(Y) = ((5 + |Y|) / 6)^α

|Y| counts the end token. The search of a source ends when `beam` outputs are finished, or at the longest length, where
what is unfinished counts as it is. A beam of 1 is greedy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from models.checks import demand

State = TypeVar("State")
IMPOSSIBLE = float("-inf")


class Marks(NamedTuple):
    """Ids of the tokens that fill short sources, begin an output and end it."""

    pad: int
    begin: int
    end: int


class Decoder(Protocol[State]):
    """A model that writes token by token. Its state has one row for each output under way."""

    @property
    def marks(self) -> Marks:
        """Its special tokens."""

    @property
    def longest(self) -> int:
        """Most tokens that it can write, the end among them."""

    def start(self, source: Tensor, lengths: Tensor) -> State:
        """The state before the first token, for source ids [rows, time] with so many real tokens each."""

    def step(self, state: State, tokens: Tensor) -> tuple[Tensor, State]:
        """Log-probabilities [rows, vocab_size] of what follows the last `tokens` [rows], and the state after them.

        The state that was given may be changed; it is not used again.
        """

    def select(self, state: State, rows: Tensor) -> State:
        """The state of these rows [new rows], in this order; rows may be repeated."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """`length_penalty` is α; `max_length` counts tokens with the end, and a model may have a lower limit of its own."""

    beam: int = 5
    length_penalty: float = 1.0
    max_length: int = 128

    def __post_init__(self) -> None:
        """Refuse what finds nothing."""
        for name in ("beam", "max_length"):
            demand(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        demand(self.length_penalty >= 0, "length_penalty", self.length_penalty, "at least 0")

    def score(self, log_probability: float, length: int) -> float:
        """The score of an output of so many tokens."""
        return float(log_probability / ((5 + length) / 6) ** self.length_penalty)


class Output(NamedTuple):
    """Token ids without begin and end, and how probable they are, in nats; `score` is comparable over lengths."""

    tokens: list[int]
    log_probability: float
    score: float


def decode(
    decoder: Decoder[State], sources: Sequence[Sequence[int]], search: Search, *, batch_size: int = 64
) -> list[list[Output]]:
    """At most `beam` outputs of each source (token ids, at least one), the best first.

    Sources of like length share a batch, which changes nothing but the time it takes.
    """
    order = sorted(range(len(sources)), key=lambda number: len(sources[number]))
    found: list[list[Output]] = [[] for _ in sources]
    for first in range(0, len(order), batch_size):
        numbers = order[first : first + batch_size]
        source, lengths = padded([sources[number] for number in numbers], decoder.marks.pad)
        for number, outputs in zip(numbers, beam_search(decoder, source, lengths, search), strict=True):
            found[number] = outputs
    return found


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[Tensor, Tensor]:
    """Ids [rows, longest] filled up on the right, and the length of each [rows]."""
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.full((len(rows), int(lengths.max())), pad)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
    return ids, lengths


@torch.inference_mode()
def greedy(decoder: Decoder[State], source: Tensor, lengths: Tensor, *, max_length: int = 128) -> list[list[int]]:
    """The most probable token at each place, until the end token; ids without it."""
    state = decoder.start(source, lengths)
    tokens = torch.full((len(source),), decoder.marks.begin)
    outputs, running = [], torch.ones(len(source), dtype=torch.bool)
    for _ in range(min(max_length, decoder.longest)):
        log_probabilities, state = decoder.step(state, tokens)
        tokens = _without_marks(log_probabilities, decoder.marks).argmax(dim=-1).cpu()
        outputs.append(tokens)
        running &= tokens != decoder.marks.end
        if not running.any():
            break
    return [_until(row, decoder.marks.end) for row in torch.stack(outputs, dim=1).tolist()]


@torch.inference_mode()
def beam_search(decoder: Decoder[State], source: Tensor, lengths: Tensor, search: Search) -> list[list[Output]]:
    """At most `beam` outputs of each row of source ids [rows, time], the best first."""
    beams = Beams(len(source), search, decoder.marks)
    state = decoder.select(decoder.start(source, lengths), torch.arange(len(source)).repeat_interleave(search.beam))
    last = min(search.max_length, decoder.longest)
    for length in range(1, last + 1):
        log_probabilities, state = decoder.step(state, beams.last)
        rows = beams.grow(_without_marks(log_probabilities, decoder.marks), is_last=length == last)
        if not len(rows):
            break
        state = decoder.select(state, rows)
    return [sorted(outputs, key=lambda output: -output.score)[: search.beam] for outputs in beams.finished]


class Beams:
    """The beginnings that are kept of each source still searched, and the outputs that are finished."""

    def __init__(self, sources: int, search: Search, marks: Marks) -> None:
        self.search, self.marks = search, marks
        self.finished: list[list[Output]] = [[] for _ in range(sources)]
        self.searched = list(range(sources))
        self.tokens = torch.full((sources, search.beam, 1), marks.begin)
        self.totals = torch.full((sources, search.beam), IMPOSSIBLE)  # log-probability of each beginning
        self.totals[:, 0] = 0.0  # at first all beginnings are the same, and one is enough

    @property
    def last(self) -> Tensor:
        """The last token of every beginning, [sources x beam]."""
        return self.tokens[:, :, -1].flatten()

    def grow(self, log_probabilities: Tensor, *, is_last: bool) -> Tensor:
        """Add a token to every beginning; tells which rows [new rows] of the state before are to be kept."""
        beam, (size, sources) = self.search.beam, (log_probabilities.shape[1], len(self.searched))
        sums = (self.totals.unsqueeze(2) + log_probabilities.float().cpu().view(sources, beam, size)).flatten(1)
        best, where = sums.topk(min(2 * beam, sums.shape[1]), dim=1)  # enough, should `beam` of them be ends
        parents, tokens = where // size, where % size
        ended = tokens == self.marks.end
        self._finish(best, parents, ended[:, :beam])
        self.totals, kept = best.masked_fill(ended, IMPOSSIBLE).topk(beam, dim=1)
        parents, tokens = parents.gather(1, kept), tokens.gather(1, kept)
        before = self.tokens.gather(1, parents.unsqueeze(2).expand(-1, -1, self.tokens.shape[2]))
        self.tokens = torch.cat((before, tokens.unsqueeze(2)), dim=2)
        if is_last:
            self._stop()
        return self._keep(parents)

    def _finish(self, best: Tensor, parents: Tensor, ended: Tensor) -> None:
        """Put aside the outputs among the best `beam` that have come to their end."""
        for row, candidate in (ended & (best[:, : ended.shape[1]] > IMPOSSIBLE)).nonzero().tolist():
            written = self.tokens[row, parents[row, candidate], 1:].tolist()
            self._put(row, written, float(best[row, candidate]), len(written) + 1)

    def _stop(self) -> None:
        """What is unfinished at the longest length counts as it is."""
        for row, beam in (self.totals > IMPOSSIBLE).nonzero().tolist():
            written = self.tokens[row, beam, 1:].tolist()
            self._put(row, written, float(self.totals[row, beam]), len(written))
        self.totals.fill_(IMPOSSIBLE)

    def _put(self, row: int, written: list[int], total: float, length: int) -> None:
        self.finished[self.searched[row]].append(Output(written, total, self.search.score(total, length)))

    def _keep(self, parents: Tensor) -> Tensor:
        """Drop the sources whose search is over; the rows of the state that the other beginnings come from."""
        alive = (self.totals > IMPOSSIBLE).any(dim=1).tolist()
        full = [len(self.finished[number]) >= self.search.beam for number in self.searched]
        going = [row for row in range(len(alive)) if alive[row] and not full[row]]
        rows = (torch.tensor(going, dtype=torch.int64).unsqueeze(1) * self.search.beam + parents[going]).flatten()
        self.searched = [self.searched[row] for row in going]
        self.tokens, self.totals = self.tokens[going], self.totals[going]
        return rows


def _without_marks(log_probabilities: Tensor, marks: Marks) -> Tensor:
    """Neither filling nor beginning is ever written."""
    never = torch.tensor([marks.pad, marks.begin], device=log_probabilities.device)
    return log_probabilities.index_fill(-1, never, IMPOSSIBLE)


def _until(row: list[int], end: int) -> list[int]:
    return row[: row.index(end)] if end in row else row
