"""The recurrent encoder–decoder with attention in the engine."""

from __future__ import annotations

from models.families import seq2seq
from models.family import Family, TrainingData
from models.learner import Learner
from models.seq2seq.rnn import VERSION, RNNSeq2Seq, RNNSeq2SeqConfig
from models.training.config import TrainingConfig


def learner(config: RNNSeq2SeqConfig, data: TrainingData, seed: int) -> Learner:  # noqa: ARG001 - its sizes stand in config
    """A new model."""
    return seq2seq.Seq2SeqLearner(RNNSeq2Seq(config, seed=seed))


FAMILY = Family(
    name="rnn-seq2seq",
    about="LSTM or GRU encoder–decoder with attention",
    needs=seq2seq.NEEDS,
    marks=seq2seq.MARKS,
    config=RNNSeq2SeqConfig,
    version=VERSION,
    learner=learner,
    batches=seq2seq.batches,
    load=RNNSeq2Seq.load,
    training=TrainingConfig(batch_size=32, learning_rate=2e-3, embedding_rate=1.0, weight_decay=0.01, beta2=0.98),
    sizes=seq2seq.sizes,
    show=seq2seq.show,
)
