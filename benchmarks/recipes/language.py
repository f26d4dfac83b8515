"""Recipes of the language models, tuned on validation splits: there is no test split of these sets here."""

from __future__ import annotations

from typing import Any

SHAKESPEARE: dict[str, Any] = {
    "tokeniser.kind": "characters",
    "tokeniser.min_frequency": 1,
    "tokeniser.vocab_size": 200,
    "context": 256,
    "layers": 6,
    "heads": 6,
    "width": 192,
    "dropout": 0.1,
    "optimiser": "muon",
    "precision": "bfloat16",
    "steps": 950,
    "batch_size": 16,
    "learning_rate": 5e-3,
    "warmup_steps": 100,
    "final_rate": 0.0,
    "weight_decay": 0.1,
    "validate_every": 190,
    "validation_batches": 28,
    "checkpoint_every": 100_000,
}
"""nanoGPT's split: the first nine tenths of the text to learn from, the rest to validate on."""

PTB: dict[str, Any] = {
    "tokeniser.kind": "whitespace",
    "tokeniser.min_frequency": 1,
    "tokeniser.vocab_size": 10_001,
    "context": 128,
    "layers": 4,
    "heads": 4,
    "width": 256,
    "dropout": 0.3,
    "attention_dropout": 0.1,
    "output_dropout": 0.3,
    "optimiser": "muon",
    "precision": "bfloat16",
    "steps": 5_200,
    "batch_size": 16,
    "learning_rate": 3e-3,
    "embedding_rate": 1.0,
    "warmup_steps": 200,
    "final_rate": 0.0,
    "weight_decay": 0.1,
    "validate_every": 400,
    "validation_batches": 20,
    "checkpoint_every": 100_000,
    "keep_best": True,
}
"""A line is a document, and the mark that ends it a token that is predicted, as everybody counts on this set."""
