"""The smallest learners for tests of the training engine: no model of the catalogue, every mechanism of the loop."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import Tensor, nn

from models.batching.blocks import Blocks, pack
from models.learner import Batch, Learner, Loss
from models.training import TrainingConfig

CONTEXT, WIDTH = 8, 16


class Network(nn.Module):
    """Predicts each token from the one before it, with dropout."""

    def __init__(self, *, seed: int = 0, width: int = WIDTH, dropout: float = 0.2) -> None:
        super().__init__()
        self.embedding = nn.Embedding(12, width)
        self.hidden = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, 12)
        random = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weight in self.parameters():
                weight.normal_(std=0.2, generator=random)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [batch, time, 12] of ids [batch, time]."""
        logits: Tensor = self.output(self.dropout(torch.relu(self.hidden(self.embedding(ids)))))
        return logits


class Tiny(Learner):
    """Learns the next token; `uneven` rows count by their first token, some of them nothing."""

    def __init__(self, *, uneven: bool = False, **options: Any) -> None:
        self.model = Network(**options)
        self.uneven = uneven

    def weights(self, batch: Batch) -> Tensor:
        """Tokens predicted by each row."""
        ids = batch["ids"]
        if self.uneven:
            return (ids[:, 0] % 3).float() * (ids[:, 1] % 2)
        return torch.full((len(ids),), float(CONTEXT))

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:
        """Mean cross-entropy over the rows, by their weights; `squares` is a part for the record."""
        logits = self.model(batch["ids"][:, :-1])
        each = nn.functional.cross_entropy(logits.transpose(1, 2), batch["ids"][:, 1:], reduction="none").mean(1)
        weights = self.weights(batch).to(each.device)
        return Loss((each * weights).sum() / weights.sum(), {"squares": each.detach().square().mean()})


def blocks(rows: int = 40, context: int = CONTEXT) -> Blocks:
    """Some blocks of a pattern that is not too easy."""
    return pack([[1 + (i * i) % 11 for i in range(rows * context)]], separator=0, context=context)


def options(**changed: Any) -> TrainingConfig:
    """Few steps, everything on: validation, checkpoints, accumulation."""
    usual: dict[str, Any] = {
        "steps": 12, "batch_size": 4, "accumulate": 2, "warmup_steps": 2, "validate_every": 5, "validation_batches": 2,
        "checkpoint_every": 3, "learning_rate": 0.01, "costs": False,
    }  # fmt: skip
    return TrainingConfig(**{**usual, **changed})


def digest(model: nn.Module) -> str:
    """Of all weights."""
    found = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        found.update(name.encode() + weight.numpy().tobytes())
    return found.hexdigest()
