"""Recipes for Multi30k, 28,995 pairs of image captions, tuned on its validation split.

All of it is small data: what counts is how much is dropped, and how many passes there is time for.
"""

from __future__ import annotations

from typing import Any

VOCABULARY = 6_000
"""Tokens of one byte-pair encoding for both languages."""

_LEARNING: dict[str, Any] = {
    "precision": "bfloat16",
    "steps": 5_000,
    "batch_size": 128,
    "schedule": "cosine",
    "final_rate": 0.01,
    "embedding_rate": 1.0,
    "beta2": 0.98,
    "validate_every": 225,
    "validation_batches": 7,
    "checkpoint_every": 100_000,
    "keep_best": False,
}

RECIPES: dict[str, dict[str, Any]] = {
    "transformer-seq2seq": {
        **_LEARNING,
        "context": 96,
        "width": 256,
        "heads": 4,
        "layers": 3,
        "expansion": 2,
        "positions": "rotary",
        "dropout": 0.3,
        "label_smoothing": 0.1,
        "optimiser": "muon",
        "learning_rate": 3e-3,
        "warmup_steps": 200,
        "weight_decay": 0.01,
    },
    "rnn-seq2seq": {
        **_LEARNING,
        "context": 96,
        "cell": "lstm",
        "width": 512,
        "embedding_width": 256,
        "score": "general",
        "dropout": 0.4,
        "label_smoothing": 0.1,
        "learning_rate": 1e-3,
        "warmup_steps": 200,
        "weight_decay": 0.01,
    },
}
SEARCH = {"beam": 5, "length_penalty": 1.0, "max_length": 64}
