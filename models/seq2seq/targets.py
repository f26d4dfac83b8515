"""What a decoder reads and what it is to write, from targets padded on the right."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from models.decoding.beam import Marks


class Shifted(NamedTuple):
    """`inputs` [batch, time + 1] begin with the begin token, `labels` end with the end token; `real` bool tells both
    from padding."""

    inputs: Tensor
    labels: Tensor
    real: Tensor


def shifted(target: Tensor, lengths: Tensor, marks: Marks) -> Shifted:
    """A target [batch, time] with so many real tokens each, as input and as labels of a decoder."""
    inputs = torch.cat((target.new_full((len(target), 1), marks.begin), target), dim=1)
    labels = torch.cat((target, target.new_full((len(target), 1), marks.pad)), dim=1)
    labels = labels.scatter(1, lengths.unsqueeze(1), marks.end)
    real = torch.arange(inputs.shape[1], device=target.device) <= lengths.unsqueeze(1)
    return Shifted(inputs, labels, real)
