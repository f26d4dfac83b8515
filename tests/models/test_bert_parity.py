"""Whole small models against those of Hugging Face, on the same weights."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from hugging import built, gradients
from parity import assert_close, assert_same_gradients, copied
from torch import Tensor, nn

from models.language.bert import BERTConfig, MaskedLM
from models.language.bert_heads import Classifier, HeadConfig, Tagger
from models.language.masking import IGNORED

SIZES = {
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 12,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
CONFIG = BERTConfig(vocab_size=30, context=12, layers=2, heads=2, width=16, dropout=0.0)
TOKENS = torch.randint(1, 30, (3, 9), generator=torch.Generator().manual_seed(1))
SEGMENTS = (torch.arange(9) >= torch.tensor([[4], [5], [9]])).long()
LENGTHS = torch.tensor([9, 6, 2])
REAL = torch.arange(9) < LENGTHS.unsqueeze(1)
NAMES = {
    "bert.embeddings.word_embeddings": "encoder.embedding",
    "bert.embeddings.position_embeddings": "encoder.places",
    "bert.embeddings.token_type_embeddings": "encoder.segments",
    "bert.embeddings.LayerNorm": "encoder.embedding_norm",
    "bert.encoder.layer": "encoder.blocks",
    "attention.output.dense": "attention.out",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "feed_forward.rise",
    "output.dense": "feed_forward.output",
    "output.LayerNorm": "feed_forward_norm",
    "attention.out.": "attention.output.",
    "bert.pooler.dense": "pooler",
    "cls.predictions.transform.dense": "dense",
    "cls.predictions.transform.LayerNorm": "norm",
    "cls.predictions.bias": "prior",
    "classifier": "labels",
}


def by_our_names(weights: dict[str, Any]) -> dict[str, Any]:
    """Ours of BERT's weights or gradients; queries, keys and values lie in one matrix here."""
    for theirs, ours in NAMES.items():
        weights = {name.replace(theirs, ours): weight for name, weight in weights.items()}
    for number in range(2):
        for kind in ("weight", "bias"):
            parts = [
                weights.pop(f"encoder.blocks.{number}.attention.self.{part}.{kind}")
                for part in ("query", "key", "value")
            ]
            weights[f"encoder.blocks.{number}.attention.query_key_value.{kind}"] = torch.cat(parts)
    return weights


def head(*labels: str) -> HeadConfig:
    return HeadConfig(**dataclasses.asdict(CONFIG), labels=labels, head_dropout=0.0)


def theirs_of(name: str, **options: Any) -> Any:
    return built(name, "BertConfig", **SIZES, **options)


def same_weights(ours: nn.Module, theirs: nn.Module) -> None:
    ours.eval()
    copied(dict(ours.named_parameters()), by_our_names(dict(theirs.named_parameters())))


def assert_same_learning(ours: nn.Module, loss: Tensor, theirs: nn.Module, expected: Tensor) -> None:
    assert_close([loss], [expected])
    loss.backward()  # type: ignore[no-untyped-call]
    expected.backward()  # type: ignore[no-untyped-call]
    assert_same_gradients(gradients(ours), by_our_names(gradients(theirs)))


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_masked_language_model_equals_that_of_hugging_face(lengths: Tensor | None) -> None:
    ours, theirs = MaskedLM(CONFIG), theirs_of("BertForMaskedLM")
    same_weights(ours, theirs)
    targets = TOKENS.masked_fill(~REAL | (torch.arange(9) % 2 == 0), IGNORED)
    context = {"segments": SEGMENTS} | ({} if lengths is None else {"lengths": lengths})
    attended = None if lengths is None else REAL.long()
    output = theirs(TOKENS, token_type_ids=SEGMENTS, attention_mask=attended, labels=targets)
    real = torch.ones_like(REAL) if lengths is None else REAL
    assert_close([ours(TOKENS, **context)[real]], [output.logits[real]])
    assert_same_learning(ours, ours.loss({"tokens": TOKENS, "targets": targets, **context}), theirs, output.loss)


def test_classifier_equals_that_of_hugging_face() -> None:
    ours = Classifier(head("a", "b", "c"))
    theirs, labels = theirs_of("BertForSequenceClassification", num_labels=3), torch.tensor([2, 0, 1])
    same_weights(ours, theirs)
    output = theirs(TOKENS, token_type_ids=SEGMENTS, attention_mask=REAL.long(), labels=labels)
    batch = {"tokens": TOKENS, "segments": SEGMENTS, "lengths": LENGTHS, "labels": labels}
    assert_close([ours(TOKENS, segments=SEGMENTS, lengths=LENGTHS)], [output.logits])
    assert_same_learning(ours, ours.loss(batch), theirs, output.loss)


def test_tagger_equals_that_of_hugging_face() -> None:
    ours = Tagger(head("O", "B", "I"))
    theirs, labels = theirs_of("BertForTokenClassification", num_labels=3), TOKENS % 3
    same_weights(ours, theirs)
    labels = labels.masked_fill(~REAL, IGNORED)
    output = theirs(TOKENS, attention_mask=REAL.long(), labels=labels)
    batch = {"tokens": TOKENS, "lengths": LENGTHS, "labels": labels}
    assert_close([ours(TOKENS, lengths=LENGTHS)[REAL]], [output.logits[REAL]])
    assert_same_learning(ours, ours.loss(batch), theirs, output.loss)
