"""The encoder–decoder Transformer in the engine."""

from __future__ import annotations

from models.families import seq2seq
from models.family import Family, TrainingData
from models.learner import Learner
from models.seq2seq.transformer import VERSION, TransformerSeq2Seq, TransformerSeq2SeqConfig
from models.training.config import TrainingConfig


def learner(config: TransformerSeq2SeqConfig, data: TrainingData, seed: int) -> Learner:  # noqa: ARG001 - its sizes stand in config
    """A new model."""
    return seq2seq.Seq2SeqLearner(TransformerSeq2Seq(config, seed=seed), compiled=("encode", "decode"))


FAMILY = Family(
    name="transformer-seq2seq",
    about="encoder–decoder Transformer",
    needs=seq2seq.NEEDS,
    marks=seq2seq.MARKS,
    config=TransformerSeq2SeqConfig,
    version=VERSION,
    learner=learner,
    batches=seq2seq.batches,
    load=TransformerSeq2Seq.load,
    training=TrainingConfig(
        steps=300,
        optimiser="muon",
        precision="auto",
        batch_size=32,
        learning_rate=3e-3,
        embedding_rate=1.0,
        weight_decay=0.01,
        beta2=0.98,
    ),
    sizes=seq2seq.sizes,
    show=seq2seq.show,
)
