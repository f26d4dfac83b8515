"""What `compile` compiles: the methods that a loss runs, in every family that can, and only while it learns."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_training import Tiny, blocks, options
from torch import nn

from models.families.bert import MaskedLMLearner
from models.families.gpt import LanguageModelLearner
from models.families.seq2seq import Seq2SeqLearner
from models.families.text_gan import GANLearner
from models.families.transformer_seq2seq import learner as transformer
from models.language.bert import BERTConfig, MaskedLM
from models.language.gpt import GPT, GPTConfig
from models.learner import Learner
from models.seq2seq.rnn import RNNSeq2Seq, RNNSeq2SeqConfig
from models.seq2seq.transformer import TransformerSeq2SeqConfig
from models.training import TrainingConfigError, train
from models.training.compiling import compiled

SIZES: dict[str, Any] = {"vocab_size": 12, "context": 8, "layers": 1, "heads": 2, "width": 16}
IDS = torch.randint(3, 12, (2, 9), generator=torch.Generator().manual_seed(0))
MARKS = {"pad": 0, "begin": 1, "end": 2}


def pairs() -> dict[str, torch.Tensor]:
    rows = IDS[:, :8]
    return {
        "source": rows,
        "source_lengths": torch.tensor([8, 8]),
        "target": rows,
        "target_lengths": torch.tensor([8, 8]),
    }


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of compiled methods, each time one is run."""
    heard: list[str] = []

    def compile_(method: Any) -> Any:
        def run(*given: Any, **named: Any) -> Any:
            heard.append(method.__name__)
            return method(*given, **named)

        return run

    monkeypatch.setattr(torch, "compile", compile_)
    return heard


@pytest.mark.parametrize(
    ("learner", "batch", "expected"),
    [
        (LanguageModelLearner(GPT(GPTConfig(**SIZES))), {"ids": IDS}, ["loss"]),
        (MaskedLMLearner(MaskedLM(BERTConfig(**SIZES))), {"tokens": IDS[:, :8], "targets": IDS[:, :8]}, ["forward"]),
        (transformer(TransformerSeq2SeqConfig(**SIZES, **MARKS), None, 0), pairs(), ["encode", "decode"]),  # type: ignore[arg-type]
    ],
)
def test_the_loss_runs_what_was_compiled(
    runs: list[str], learner: Learner, batch: dict[str, torch.Tensor], expected: list[str]
) -> None:
    with compiled(learner, wanted=True):
        learner.loss(batch, step=0)
    assert runs == expected
    learner.loss(batch, step=0)
    assert runs == expected  # a trained model is as it was


def test_a_training_is_compiled_where_it_is_wanted(runs: list[str]) -> None:
    train(Tiny(), blocks(), config=options(steps=2))
    assert runs == []
    train(Tiny(), blocks(), config=options(steps=2, compile=True))
    assert runs == ["forward"] * 4  # two micro-batches a step


@pytest.mark.parametrize(
    "learner",
    [
        Seq2SeqLearner(RNNSeq2Seq(RNNSeq2SeqConfig(vocab_size=12, **MARKS, width=4, embedding_width=4))),
        GANLearner.__new__(GANLearner),
    ],
)
def test_a_model_that_cannot_be_compiled_says_so(learner: Learner) -> None:
    learner.model = getattr(learner, "model", nn.Identity())
    with (
        pytest.raises(TrainingConfigError, match=r"compile is True, but .* cannot be compiled"),
        compiled(learner, True),
    ):
        pass
