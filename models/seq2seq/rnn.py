"""Recurrent encoder–decoder with attention: Sutskever 2014 (arXiv 1409.3215), Cho 2014 (arXiv 1406.1078).

The encoder reads the source in both directions, m_i = [→h_i; ←h_i] (Bahdanau 2015, arXiv 1409.0473). The decoder
attends after its recurrent step, and its output is fed back to it (Luong 2015, arXiv 1508.04025, section 3):

    s_t = cell([E y_{t-1}; o_{t-1}], s_{t-1})        input feeding: the last output o beside the last token
    a_t = softmax_i score(s_t, m_i);  c_t = Σ_i a_ti m_i
    o_t = tanh(W [c_t; s_t]);         p(y_t | y_<t, source) = softmax(U o_t)

Scores stand in `models.layers.attention`. Two parts of See, Liu and Manning 2017 (arXiv 1704.04368) can be added:

- coverage: k_t = Σ_{t' < t} a_t' is what was looked at so far; w k_ti is added under the tanh of the additive
  score, and Σ_i min(a_ti, k_ti) to the loss, times `coverage_loss`
- copying: p(w) = g p_vocab(w) + (1 - g) Σ_{i: x_i = w} a_ti,  g = σ(v [c_t; s_t; E y_{t-1}] + b)

What does not depend on the step before is taken out of the loop over time: products with embeddings and keys before it,
output layer, gate and loss after it; without input feeding and coverage there is no loop at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models import weights
from models.checks import demand, demand_one_of
from models.decoding.beam import Marks
from models.layers.attention import SCORES, Attended, mix, padding_mask, scored
from models.layers.cross_entropy import linear_cross_entropy
from models.layers.dropout import Dropout
from models.layers.recurrent import CELLS, Cell, Recurrent, State
from models.seq2seq.targets import shifted

VERSION = 1
TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class RNNSeq2SeqConfig:
    """What the model is made of.

    `pad`, `begin` and `end` are tokens of the vocabulary, which source and target share. `context` is the most tokens
    of a source, and of a target without its end; `layers` those of encoder and decoder each; `width` is of their states
    (half of it for each direction of the encoder), `embedding_width` of embeddings and of the decoder's outputs.
    `tied`: the output layer is the embedding of source and target. `dropout` is of embeddings, outputs and between
    layers, `word_dropout` of whole tokens (Gal and Ghahramani 2016, arXiv 1512.05287).
    """

    vocab_size: int
    pad: int
    begin: int
    end: int
    context: int = 128
    cell: str = "lstm"
    layers: int = 1
    width: int = 128
    embedding_width: int = 128
    bidirectional: bool = True
    score: str = "additive"
    input_feeding: bool = True
    coverage: bool = False
    coverage_loss: float = 1.0
    copying: bool = False
    tied: bool = True
    dropout: float = 0.1
    word_dropout: float = 0.0
    label_smoothing: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what no model can be."""
        for name in ("vocab_size", "context", "layers", "width", "embedding_width"):
            demand(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("pad", "begin", "end"):
            demand(0 <= getattr(self, name) < self.vocab_size, name, getattr(self, name), "a token of the vocabulary")
        for name in ("dropout", "word_dropout", "label_smoothing"):
            demand(0 <= getattr(self, name) < 1, name, getattr(self, name), "at least 0 and below 1")
        demand_one_of("cell", self.cell, CELLS)
        demand_one_of("score", self.score, SCORES)
        demand(not self.bidirectional or self.width % 2 == 0, "width", self.width, "even, to read in both directions")
        demand(not self.coverage or self.score == "additive", "score", self.score, "additive where coverage is on")
        demand(self.coverage_loss >= 0, "coverage_loss", self.coverage_loss, "at least 0")

    @property
    def marks(self) -> Marks:
        """The special tokens."""
        return Marks(self.pad, self.begin, self.end)


class Memory(NamedTuple):
    """What the encoder made of a source.

    `states` [batch, time, width]; `keys` are these as the score wants them; `mask` of real ones [batch, 1, time].
    """

    source: Tensor
    states: Tensor
    keys: Tensor
    mask: Tensor


class Writing(NamedTuple):
    """The state of a decoder under way.

    `layers` is the state of every layer, `fed` its last output [batch, embedding_width], `covered` how much each source
    token was looked at [batch, source time].
    """

    layers: tuple[State, ...]
    fed: Tensor
    covered: Tensor
    memory: Memory


class Written(NamedTuple):
    """What a decoder made at each time: `outputs` [batch, time, embedding_width], and of what.

    `attention` [batch, time, source time], `mixed` and `states` [batch, time, width], `embedded` as `outputs`.
    """

    outputs: Tensor
    attention: Tensor
    mixed: Tensor
    states: Tensor
    embedded: Tensor


class RNNSeq2Seq(nn.Module):
    """Predicts each token of a target from those before it and from a source."""

    def __init__(self, config: RNNSeq2SeqConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        width, narrow = config.width, config.embedding_width
        self.embedding = nn.Embedding(config.vocab_size, narrow)
        self.encoder = Recurrent(
            config.cell,
            narrow,
            width // 2 if config.bidirectional else width,
            layers=config.layers,
            bidirectional=config.bidirectional,
            dropout=config.dropout,
        )
        states = CELLS[config.cell].states
        self.bridges = nn.ModuleList(nn.Linear(width, width) for _ in range(states))
        self.decoder = Recurrent(config.cell, narrow, width, layers=config.layers, dropout=config.dropout)
        gates = CELLS[config.cell].gates * width
        self.feed = nn.Linear(narrow, gates, bias=False) if config.input_feeding else None
        self.score = scored(config.score, query_width=width, key_width=width)
        self.cover = nn.Linear(1, width, bias=False) if config.coverage else None
        self.combine = nn.Linear(2 * width, narrow, bias=False)
        self.generates = nn.Linear(2 * width + narrow, 1) if config.copying else None
        self.unembedding = None if config.tied else nn.Parameter(torch.empty(config.vocab_size, narrow))
        self.dropout = Dropout(config.dropout)
        initialise(self, seed=seed)

    @property
    def marks(self) -> Marks:
        """The special tokens."""
        return self.config.marks

    @property
    def longest(self) -> int:
        """Most tokens that the decoder can write, the end among them."""
        return self.config.context + 1

    @property
    def output(self) -> Tensor:
        """The output layer [vocab_size, embedding_width]."""
        return self.embedding.weight if self.unembedding is None else self.unembedding

    def forward(self, source: Tensor, lengths: Tensor, tokens: Tensor) -> Tensor:
        """Log-probabilities [batch, time, vocab_size] of what follows each of `tokens` [batch, time].

        The first of these is the begin token; `source` [batch, source time] is padded on the right, `lengths` [batch]
        are its real tokens, at least 1.
        """
        written, _ = self.decode(tokens, self.begin(source, lengths))
        return self.log_probabilities(written, source)

    def begin(self, source: Tensor, lengths: Tensor) -> Writing:
        """Read sources [batch, time] with so many real tokens each; the state before the first token."""
        if source.shape[1] > self.config.context:
            raise ValueError(f"{source.shape[1]} tokens do not fit into a context of {self.config.context}")
        states, ends = self.encoder(self._embed(source), lengths)
        mask = padding_mask(lengths, time=source.shape[1])[:, 0]
        memory = Memory(source, states, self.score.prepare(states), mask)
        parts = [torch.tanh(bridge(self._joined(end)).float()) for bridge, end in zip(self.bridges, ends, strict=True)]
        layers = tuple(tuple(part[layer] for part in parts) for layer in range(self.config.layers))
        fed = states.new_zeros(len(source), self.config.embedding_width)
        return Writing(layers, fed, states.new_zeros(source.shape, dtype=torch.float32), memory)

    def decode(self, tokens: Tensor, state: Writing) -> tuple[Written, Writing]:
        """Write after `tokens` [batch, time], and the state after them."""
        embedded = self._embed(tokens)
        if self.feed is None and self.cover is None:
            return self._at_once(embedded, state)
        found: list[tuple[Tensor, Attended, Tensor]] = []
        for projected in self._first.input(embedded).unbind(1):
            step, state = self._step(projected, state)
            found.append(step)
        outputs = torch.stack([output for output, _, _ in found], dim=1)
        attention, mixed = (torch.cat([getattr(a, name) for _, a, _ in found], dim=1) for name in ("weights", "mixed"))
        return Written(outputs, attention, mixed, torch.stack([top for _, _, top in found], dim=1), embedded), state

    def log_probabilities(self, written: Written, source: Tensor) -> Tensor:
        """Log-probabilities [batch, time, vocab_size], of copies of source tokens too where the model copies."""
        logits = (written.outputs @ self.output.T).float()
        if self.generates is None:
            return logits.log_softmax(dim=-1)
        gate = self._gate(written)  # [batch, time, 1]
        copied = (1 - gate) * written.attention.float()
        places = source.unsqueeze(1).expand_as(copied)
        return (gate * logits.softmax(dim=-1)).scatter_add(2, places, copied).clamp_min(TINY).log()

    def losses(self, source: Tensor, lengths: Tensor, target: Tensor, target_lengths: Tensor) -> dict[str, Tensor]:
        """Mean `loss` in nats per target token, the end among them; while training labels are smoothed.

        With coverage, `coverage` is its mean loss per target token, which the training loss holds too.
        """
        inputs, labels, real = shifted(target, target_lengths, self.marks)
        written, _ = self.decode(inputs, self.begin(source, lengths))
        smoothing = self.config.label_smoothing if self.training else 0.0
        loss = self._cross_entropy(written, source, labels, real, smoothing)
        if self.cover is None:
            return {"loss": loss}
        coverage = coverage_loss(written.attention)[real].mean()
        return {"loss": loss + self.config.coverage_loss * coverage if self.training else loss, "coverage": coverage}

    def _cross_entropy(
        self, written: Written, source: Tensor, labels: Tensor, real: Tensor, smoothing: float
    ) -> Tensor:
        if self.generates is None:
            return linear_cross_entropy(written.outputs[real], self.output, None, labels[real], smoothing=smoothing)
        found = self.log_probabilities(written, source)[real]  # [real tokens, vocab_size]
        label = found.gather(1, labels[real].unsqueeze(1)).mean()
        return -(1 - smoothing) * label - smoothing * found.mean() if smoothing else -label

    def start(self, source: Tensor, lengths: Tensor) -> Writing:
        """The state before the first token (see `models.decoding.beam.Decoder`)."""
        device = self.embedding.weight.device
        return self.begin(source.to(device), lengths.to(device))

    def step(self, state: Writing, tokens: Tensor) -> tuple[Tensor, Writing]:
        """Log-probabilities [rows, vocab_size] of what follows `tokens` [rows]."""
        written, state = self.decode(tokens.to(self.embedding.weight.device).unsqueeze(1), state)
        return self.log_probabilities(written, state.memory.source)[:, 0], state

    def select(self, state: Writing, rows: Tensor) -> Writing:
        """The state of these rows, in this order."""
        layers = tuple(tuple(part[rows] for part in layer) for layer in state.layers)
        return Writing(layers, state.fed[rows], state.covered[rows], Memory(*(part[rows] for part in state.memory)))

    @torch.no_grad()
    def attention(self, source: Tensor, lengths: Tensor, tokens: Tensor) -> Tensor:
        """How much each of `tokens` [batch, time] looks at each source token, [batch, time, source time]."""
        return self.decode(tokens, self.begin(source, lengths))[0].attention

    def save(self, directory: Path) -> None:
        """Write `model.safetensors` and `config.json` into an existing directory."""
        weights.save(self, self.config, directory)

    @classmethod
    def load(cls, directory: Path) -> RNNSeq2Seq:
        """Read what `save` wrote, ready for inference. Raises ConfigError and WeightsError as `models.weights` does."""
        model = cls(weights.read_config(RNNSeq2SeqConfig, directory))
        weights.load(model, directory)
        return model.eval()

    @property
    def _first(self) -> Cell:
        return self._cells[0]

    @property
    def _cells(self) -> list[Cell]:
        """The decoder's cells from bottom to top."""
        return [cell for cell in self.decoder.cells if isinstance(cell, Cell)]

    def _embed(self, tokens: Tensor) -> Tensor:
        hidden: Tensor = self.embedding(tokens)
        if self.training and self.config.word_dropout:
            kept = torch.rand(tokens.shape, device=tokens.device) >= self.config.word_dropout
            hidden = hidden * kept.unsqueeze(-1)
        dropped: Tensor = self.dropout(hidden)
        return dropped

    def _joined(self, end: Tensor) -> Tensor:
        """Ends [layers x directions, batch, ...] of the encoder as [layers, batch, width]."""
        return end.reshape(self.config.layers, -1, *end.shape[1:]).transpose(1, 2).flatten(2)

    def _step(self, projected: Tensor, state: Writing) -> tuple[tuple[Tensor, Attended, Tensor], Writing]:
        """One step after an embedded token, given as W x [batch, gates x width] of the first cell."""
        if self.feed is not None:
            projected = projected + self.feed(state.fed)
        layers = [self._first.step(projected, state.layers[0])]
        for cell, before in zip(self._cells[1:], state.layers[1:], strict=True):
            layers.append(cell(self.dropout(layers[-1][0]), before))
        top = layers[-1][0]  # [batch, width]
        attended = self._attend(top.unsqueeze(1), state.memory, state.covered)
        output = self._combined(attended.mixed[:, 0], top)
        covered = state.covered + attended.weights[:, 0]
        return (output, attended, top), Writing(tuple(layers), output, covered, state.memory)

    def _at_once(self, embedded: Tensor, state: Writing) -> tuple[Written, Writing]:
        """All steps of a decoder that is fed nothing but tokens."""
        begin = tuple(torch.stack(parts) for parts in zip(*state.layers, strict=True))
        tops, ends = self.decoder(embedded, None, begin)
        attended = self._attend(tops, state.memory, state.covered)
        outputs = self._combined(attended.mixed, tops)
        layers = tuple(tuple(end[layer] for end in ends) for layer in range(self.config.layers))
        return Written(outputs, attended.weights, attended.mixed, tops, embedded), state._replace(layers=layers)

    def _attend(self, queries: Tensor, memory: Memory, covered: Tensor) -> Attended:
        keys = memory.keys if self.cover is None else memory.keys + self.cover(covered.unsqueeze(-1))
        return mix(self.score.scores(queries, keys), memory.states, memory.mask)

    def _combined(self, mixed: Tensor, top: Tensor) -> Tensor:
        output: Tensor = self.dropout(torch.tanh(self.combine(torch.cat((mixed, top), dim=-1))))
        return output

    def _gate(self, written: Written) -> Tensor:
        """How much is generated, the rest is copied, [batch, time, 1]."""
        parts = torch.cat((written.mixed, written.states, written.embedded), dim=-1)
        gate: Tensor = self.generates(parts).float().sigmoid()  # type: ignore[misc]
        return gate


def coverage_loss(attention: Tensor) -> Tensor:
    """Σ_i min(a_ti, k_ti) of attention [batch, time, source time], [batch, time]: what is looked at once more."""
    covered = attention.cumsum(dim=1) - attention
    return torch.minimum(attention, covered).sum(dim=-1)


def initialise(model: RNNSeq2Seq, *, seed: int) -> None:
    """Set every weight, from the seed alone.

    Matrices are normal with variance 1 / inputs (recurrent ones orthogonal, gate by gate: Saxe et al. 2014, arXiv
    1312.6120), embeddings with variance 1 / width; biases are 0, but those of an LSTM's forget gate 1 (Jozefowicz et
    al. 2015).
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 1:
                weight.zero_()
            elif name.endswith("recurrent.weight"):
                for gate in torch.split(weight, weight.shape[1]):
                    nn.init.orthogonal_(gate, generator=generator)
            else:
                weight.normal_(std=weight.shape[1] ** -0.5, generator=generator)
        if model.config.cell == "lstm":
            for network in (model.encoder, model.decoder):
                for cell in network.cells:
                    cell.input.bias.chunk(4)[1].fill_(1.0)  # type: ignore[union-attr, operator]
