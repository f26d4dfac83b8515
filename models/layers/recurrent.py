"""LSTM and GRU, from the cell to stacked layers that read in both directions.

LSTM, Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000:
    i, f, o = σ(W x + U h + b);  g = tanh(W x + U h + b);  c ← f c + i g;  h ← o tanh(c)
GRU, Cho et al. 2014 (arXiv 1406.1078), with the reset gate behind the product as cuDNN has it:
    r, z = σ(W x + U h + b);  n = tanh(W x + b + r (U h + b'));  h ← (1 - z) n + z h
Bidirectional: Schuster and Paliwal 1997. The products W x of all times are taken at once, before the loop.
Batches are padded on the right; padding gives zeros and leaves the state as it is.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from data.errors import ConfigError

State = tuple[Tensor, ...]
"""(hidden, cell) of an LSTM, (hidden,) of a GRU: [batch, width] each; of stacked layers [layers x directions, ...]."""


class Cell(nn.Module):
    """One step of a recurrent network; `gates` products of `width` are taken of inputs and of the state."""

    gates: ClassVar[int]
    states: ClassVar[int]

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.input = nn.Linear(inputs, self.gates * width)
        self.recurrent = nn.Linear(width, self.gates * width)

    def start(self, batch: int) -> State:
        """The state before the first step: zeros."""
        return tuple(self.input.weight.new_zeros(batch, self.width) for _ in range(self.states))

    def step(self, projected: Tensor, state: State) -> State:
        """The next state, from `input(x)` [batch, gates x width]."""
        raise NotImplementedError

    def forward(self, inputs: Tensor, state: State) -> State:
        """The next state, from inputs [batch, inputs]."""
        return self.step(self.input(inputs), state)


class LSTMCell(Cell):
    """Input, forget and output gates around a cell that is only added to."""

    gates = 4
    states = 2

    def step(self, projected: Tensor, state: State) -> State:
        """The next (hidden, cell)."""
        hidden, cell = state
        enter, forget, new, leave = (projected + self.recurrent(hidden)).chunk(4, dim=-1)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        return leave.sigmoid() * cell.tanh(), cell


class GRUCell(Cell):
    """A reset and an update gate; the state is a moving average."""

    gates = 3
    states = 1

    def step(self, projected: Tensor, state: State) -> State:
        """The next (hidden,)."""
        (hidden,) = state
        reset_x, update_x, new_x = projected.chunk(3, dim=-1)
        reset_h, update_h, new_h = self.recurrent(hidden).chunk(3, dim=-1)
        update = (update_x + update_h).sigmoid()
        new = (new_x + (reset_x + reset_h).sigmoid() * new_h).tanh()
        return (new + update * (hidden - new),)


CELLS: dict[str, type[Cell]] = {"lstm": LSTMCell, "gru": GRUCell}


class Recurrent(nn.Module):
    """Layers of LSTM or GRU cells over [batch, time, inputs]; both directions side by side if `bidirectional`.

    `fused` runs PyTorch's kernel on the same weights: the same numbers, faster.
    """

    def __init__(
        self,
        cell: str,
        inputs: int,
        width: int,
        *,
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        fused: bool = True,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ConfigError(f"cell is {cell!r}; it must be one of {', '.join(CELLS)}")
        self.directions = 2 if bidirectional else 1
        self.layers = layers
        self.dropout = dropout
        self.fused = fused
        wide = width * self.directions
        sizes = [inputs if layer == 0 else wide for layer in range(layers) for _ in range(self.directions)]
        self.cells = nn.ModuleList(CELLS[cell](size, width) for size in sizes)  # a layer's directions side by side

    def forward(
        self, inputs: Tensor, lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Outputs [batch, time, directions x width] and the last state, each [layers x directions, batch, width].

        `lengths` [batch] are the real inputs of each row (at least 1), None = all.
        """
        state = state or self.start(inputs.shape[0])
        return (self._run_fused if self.fused else self._run)(inputs, lengths, state)

    def start(self, batch: int) -> State:
        """The state before the first input: zeros."""
        starts = [cell.start(batch) for cell in self._cells()]
        return tuple(torch.stack(parts) for parts in zip(*starts, strict=True))

    def _cells(self) -> list[Cell]:
        return [cell for cell in self.cells if isinstance(cell, Cell)]

    def _run(self, inputs: Tensor, lengths: Tensor | None, state: State) -> tuple[Tensor, State]:
        ends: list[State] = []
        for layer in range(self.layers):
            if layer:
                inputs = F.dropout(inputs, self.dropout, self.training)
            first = layer * self.directions
            outputs = []
            for number, cell in enumerate(self._cells()[first : first + self.directions], start=first):
                begin = tuple(part[number] for part in state)
                output, end = _scan(cell, inputs, lengths, begin, backward=number > first)
                outputs.append(output)
                ends.append(end)
            inputs = torch.cat(outputs, dim=-1)
        return inputs, tuple(torch.stack(parts) for parts in zip(*ends, strict=True))

    def _run_fused(self, inputs: Tensor, lengths: Tensor | None, state: State) -> tuple[Tensor, State]:
        settings = (self._weights(), True, self.layers, self.dropout, self.training, self.directions == 2)
        if lengths is None:
            output, *end = _kernel(inputs, state, *settings, True)
            return output, tuple(end)
        packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
        begin = tuple(part[:, packed.sorted_indices] for part in state)  # the kernel wants long rows first
        data, *end = _kernel(packed.data, packed.batch_sizes, begin, *settings)
        output, _ = pad_packed_sequence(packed._replace(data=data), batch_first=True, total_length=inputs.shape[1])
        return output, tuple(part[:, packed.unsorted_indices] for part in end)

    def _weights(self) -> list[Tensor]:
        """The weights in the order that PyTorch's kernels want."""
        return [
            weight
            for cell in self._cells()
            for weight in (cell.input.weight, cell.recurrent.weight, cell.input.bias, cell.recurrent.bias)
        ]


def _kernel(*arguments: Any) -> tuple[Tensor, ...]:
    """PyTorch's own kernel for the kind of state among `arguments`; where oneDNN has no bfloat16, in float32."""
    if torch.is_autocast_enabled("cpu") and not getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", bool)():
        with torch.autocast("cpu", enabled=False):  # its LSTM ends with an error on processors without AVX-512
            return _kernel(*map(_single, arguments))
    state = next(argument for argument in arguments if isinstance(argument, tuple))
    if len(state) == 2:
        return torch.lstm(*arguments)
    return torch.gru(*(state[0] if argument is state else argument for argument in arguments))


def _single(argument: Any) -> Any:
    """Tensors in float32, also those of a list or tuple; anything else as it is."""
    if isinstance(argument, list | tuple):
        return type(argument)(map(_single, argument))
    return argument.float() if isinstance(argument, Tensor) and argument.is_floating_point() else argument


def _scan(cell: Cell, inputs: Tensor, lengths: Tensor | None, state: State, *, backward: bool) -> tuple[Tensor, State]:
    """Outputs [batch, time, width] and the last state of one direction of one layer."""
    projected = cell.input(inputs)
    if backward:
        projected = _reversed(projected, lengths)
    real = None if lengths is None else _real(lengths, inputs.shape[1])  # [batch, time, 1]
    outputs = []
    for time, now in enumerate(projected.unbind(1)):
        after = cell.step(now, state)
        if real is not None:
            after = tuple(torch.where(real[:, time], new, old) for new, old in zip(after, state, strict=True))
        state = after
        outputs.append(state[0])
    output = torch.stack(outputs, dim=1)
    if real is not None:
        output = output * real
    return (_reversed(output, lengths) if backward else output), state


def _real(lengths: Tensor, time: int) -> Tensor:
    return (torch.arange(time, device=lengths.device) < lengths.unsqueeze(1)).unsqueeze(-1)


def _reversed(states: Tensor, lengths: Tensor | None) -> Tensor:
    """The real part of each row of [batch, time, width] from its end to its beginning; padding stays on the right."""
    if lengths is None:
        return states.flip(1)
    places = torch.arange(states.shape[1], device=states.device)
    mirrored = lengths.unsqueeze(1) - 1 - places  # [batch, time]
    return states.gather(1, torch.where(mirrored >= 0, mirrored, places).unsqueeze(-1).expand_as(states))
