from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from data.errors import ConfigError
from models.layers.recurrent import CELLS, Recurrent

TORCH: dict[str, Any] = {"lstm": nn.LSTM, "gru": nn.GRU}
SHAPES = [(1, False), (2, False), (2, True)]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def ours(cell: str, layers: int = 1, *, bidirectional: bool = False, fused: bool = False) -> Recurrent:
    model = Recurrent(cell, 5, 7, layers=layers, bidirectional=bidirectional, fused=fused)
    with torch.no_grad():
        for number, weight in enumerate(model.parameters()):
            weight.copy_(noise(*weight.shape, seed=number) * 0.4)
    return model


def torchs(model: Recurrent, cell: str) -> nn.RNNBase:
    """PyTorch's layer with the same weights."""
    built: nn.RNNBase = TORCH[cell](5, 7, model.layers, batch_first=True, bidirectional=model.directions == 2)
    with torch.no_grad():
        for theirs, own in zip(built._flat_weights, model._weights(), strict=True):
            theirs.copy_(own)
    return built


def gradients(weights: list[Tensor], value: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(value, weights))


def assert_close(first: list[Tensor], second: list[Tensor]) -> None:
    for a, b in zip(first, second, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("lengths", [None, [6, 1, 4]])
@pytest.mark.parametrize(("layers", "bidirectional"), SHAPES)
@pytest.mark.parametrize("cell", CELLS)
def test_layers_equal_those_of_torch(
    cell: str, layers: int, *, bidirectional: bool, lengths: list[int] | None, fused: bool
) -> None:
    model = ours(cell, layers, bidirectional=bidirectional, fused=fused)
    other, inputs = torchs(model, cell), noise(3, 6, 5, seed=9)
    output, state = model(inputs, None if lengths is None else torch.tensor(lengths))
    if lengths is None:
        expected, end = other(inputs)
    else:
        packed = nn.utils.rnn.pack_padded_sequence(inputs, torch.tensor(lengths), True, False)
        expected, end = other(packed)
        expected, _ = nn.utils.rnn.pad_packed_sequence(expected, batch_first=True)
    assert_close([output, *state], [expected, *(end if cell == "lstm" else [end])])
    weight = noise(*output.shape, seed=1)
    assert_close(
        gradients(model._weights(), (output * weight).sum() + sum(part.sum() for part in state)),
        gradients(other._flat_weights, (expected * weight).sum() + sum(part.sum() for part in state_of(end))),
    )


def state_of(end: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return end if isinstance(end, tuple) else (end,)


@pytest.mark.parametrize("cell", CELLS)
def test_one_step_equals_the_cell_of_torch(cell: str) -> None:
    model = CELLS[cell](5, 7)
    theirs = {"lstm": nn.LSTMCell, "gru": nn.GRUCell}[cell](5, 7)
    own = (model.input.weight, model.recurrent.weight, model.input.bias, model.recurrent.bias)
    with torch.no_grad():
        for weight, other in zip(
            own, (theirs.weight_ih, theirs.weight_hh, theirs.bias_ih, theirs.bias_hh), strict=True
        ):
            other.copy_(weight)
    state = tuple(noise(3, 7, seed=number) for number in range(model.states))
    expected = theirs(noise(3, 5), state if cell == "lstm" else state[0])
    assert_close(list(model(noise(3, 5), state)), list(state_of(expected)))


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_may_be_read_in_two_pieces(cell: str, *, fused: bool) -> None:
    model, inputs = ours(cell, 2, fused=fused), noise(2, 6, 5)
    whole, end = model(inputs)
    first, state = model(inputs[:, :4])
    second, state = model(inputs[:, 4:], None, state)
    assert_close([torch.cat((first, second), dim=1), *state], [whole, *end])


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.sampled_from(sorted(CELLS)), st.booleans())
@settings(max_examples=20)
def test_padding_changes_no_output_and_gives_zeros(lengths: list[int], cell: str, fused: bool) -> None:
    model = ours(cell, 2, bidirectional=True, fused=fused)
    inputs = noise(len(lengths), 5, 5)
    output, state = model(inputs, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        alone, end = model(inputs[row : row + 1, :length])
        assert_close(
            [output[row, :length], *(part[:, row] for part in state)], [alone[0], *(part[:, 0] for part in end)]
        )
        assert not output[row, length:].any()


def test_dropout_stands_between_layers_alone() -> None:
    one, two = (
        Recurrent("gru", 5, 7, dropout=0.5, fused=False),
        Recurrent("gru", 5, 7, layers=2, dropout=0.5, fused=False),
    )
    assert torch.equal(one(noise(2, 3, 5))[0], one(noise(2, 3, 5))[0])
    assert not torch.equal(two(noise(2, 3, 5))[0], two(noise(2, 3, 5))[0])
    assert torch.equal(two.eval()(noise(2, 3, 5))[0], two(noise(2, 3, 5))[0])


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("lengths", [None, torch.tensor([6, 2])])
@pytest.mark.parametrize("cell", CELLS)
def test_layers_run_in_half_precision(cell: str, lengths: Tensor | None, *, fused: bool) -> None:
    model, inputs = ours(cell, 2, bidirectional=True, fused=fused), noise(2, 6, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output, _ = model(inputs, lengths)
    assert torch.allclose(output.float(), model(inputs, lengths)[0], atol=0.03)
    output.float().sum().backward()
    assert all(weight.grad is not None and weight.grad.dtype == torch.float32 for weight in model.parameters())


def test_unknown_cell_is_an_error() -> None:
    with pytest.raises(ConfigError, match="cell is 'elman'; it must be one of lstm, gru"):
        Recurrent("elman", 5, 7)
