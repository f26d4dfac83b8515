"""What both encoder–decoders have in common in the engine: the learner, batches of pairs, and what a report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from models.batching.rows import Rows
from models.decoding.beam import Marks, Search, decode
from models.family import DataConfig, Split, TrainingData
from models.learner import Batch, Learner, Loss, perplexity

MARKS = ("pad", "begin")
NEEDS = ("source", "target")
_SHOWN, _LONGEST_SHOWN = 5, 60


class Sizes(Protocol):
    """The part of a config that batches need."""

    @property
    def context(self) -> int:
        """Most tokens of a source or a target."""

    @property
    def marks(self) -> Marks:
        """The special tokens."""


class Seq2SeqLearner(Learner):
    """Learns to write each token of a target, and then its end, from those before it and from the source."""

    headline = "perplexity"

    def __init__(self, model: nn.Module, compiled: Sequence[str] = ()) -> None:
        self.model = model
        self.compiled = compiled

    def weights(self, batch: Batch) -> Tensor:
        """Target tokens of each row, the end among them."""
        return batch["target_lengths"].float() + 1

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:  # noqa: ARG002 - the same at every step
        """Mean loss in nats per target token, of smoothed labels while the model is in training."""
        parts = self.model.losses(  # type: ignore[operator]
            batch["source"], batch["source_lengths"], batch["target"], batch["target_lengths"]
        )
        return Loss(parts.pop("loss"), parts)

    def figures(self, means: Mapping[str, float]) -> dict[str, float]:
        """With the perplexity of the targets."""
        return {**means, "perplexity": perplexity(means["loss"])}


def sizes(data: TrainingData) -> dict[str, Any]:
    """What the data decide of a config."""
    vocabulary = data.vocabulary
    marks = {"pad": vocabulary.mark("pad"), "begin": vocabulary.mark("begin"), "end": vocabulary.end}
    return {"vocab_size": vocabulary.size, **marks}


def batches(config: Sizes, options: DataConfig, data: TrainingData, split: Split, seed: int) -> Rows:  # noqa: ARG001
    """Pairs of a split; sources and targets longer than the context are treated by the policy, and counted."""
    columns = {name: split.columns[name] for name in NEEDS}
    return Rows(columns, config.marks.pad, config.context, seed, options.too_long)


def show(model: Any, data: TrainingData, seed: int) -> dict[str, Any]:  # noqa: ARG001 - the first pairs, every time
    """What the model writes for some held-out sources, and where it looks while it writes the first of them.

    A heat map is plain data: tokens of its `columns` (the source) and `rows` (the output), and `values` [rows][columns]
    that sum to 1 in each row.
    """
    split = data.validation or data.train
    pairs = [
        tuple(split.columns[name].row(i).tolist()[: model.config.context] for name in NEEDS) for i in _shown(split)
    ]
    sources = [source for source, _ in pairs]
    outputs = [found[0].tokens for found in decode(model, sources, Search(max_length=_LONGEST_SHOWN))]
    text = data.vocabulary.decode
    written = [
        {"source": text(source), "target": text(target), "output": text(output)}
        for (source, target), output in zip(pairs, outputs, strict=True)
    ]
    return {"Outputs": written, "Attention": heat_map(model, data, sources[0], outputs[0])}


def heat_map(model: Any, data: TrainingData, source: list[int], output: list[int]) -> dict[str, Any]:
    """How much each token of an output looks at each token of its source."""
    tokens = torch.tensor([[model.marks.begin, *output][: model.longest]])  # an output may have no end
    weights = model.attention(torch.tensor([source]), torch.tensor([len(source)]), tokens)[0]
    name = data.vocabulary.token
    return {
        "columns": [name(token) for token in source],
        "rows": [name(token) for token in [*output, model.marks.end][: model.longest]],
        "values": [[round(value, 4) for value in row] for row in weights.tolist()],
    }


def _shown(split: Split) -> list[int]:
    """The first rows that have a source and a target."""
    there = [i for i in range(min(len(split), 100)) if all(len(split.columns[name].row(i)) for name in NEEDS)]
    return there[:_SHOWN]
