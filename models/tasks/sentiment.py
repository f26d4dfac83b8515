"""The tone of a text: a linear softmax classifier over hashed words and pieces of words.

TF-IDF features (see `tone_features`) and multinomial logistic regression with an L2 penalty, the strong
baseline of Wang and Manning 2012, "Baselines and bigrams". Probabilities are calibrated by one
temperature fitted on validation rows (Guo et al. 2017, arXiv 1706.04599). It works for any set of labels.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from data import segment
from data.errors import ConfigError
from data.progress import Progress, ignore
from models.features import Floats, Ints, Sparse
from models.tasks import tone_features
from models.tasks.tone_features import ToneConfig

if TYPE_CHECKING:
    from torch import Tensor

VERSION = 1
WEIGHTS = "sentiment.safetensors"
META = "sentiment.json"
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "label": pl.String,
    "score": pl.Float32,
    "probabilities": pl.List(pl.Struct({"label": pl.String, "p": pl.Float32})),
}
_BATCH = 64  # documents that are scored together


@dataclass(frozen=True, kw_only=True)
class SentimentConfig:
    """Features, strength of the L2 penalty, and how long texts are read.

    A text of more than `whole_sentences` sentences is scored sentence by sentence, the first
    `max_sentences` of them, and their logits are averaged.
    """

    features: ToneConfig = field(default_factory=ToneConfig)
    l2: float = 1e-3
    iterations: int = 200
    whole_sentences: int = 8
    max_sentences: int = 200

    def __post_init__(self) -> None:
        """Refuse values with which nothing can be learnt."""
        if self.l2 <= 0 or self.iterations < 1 or not 1 <= self.whole_sentences <= self.max_sentences:
            raise ConfigError(
                f"found l2 {self.l2}, iterations {self.iterations}, whole_sentences {self.whole_sentences} and "
                f"max_sentences {self.max_sentences}; l2 must be above 0, the others at least 1 and in this order"
            )


@dataclass(frozen=True)
class SentimentModel:
    """Classes in order, idf float32 [buckets], weights float32 [buckets, classes], bias float32 [classes]."""

    labels: tuple[str, ...]
    idf: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    temperature: float = 1.0
    config: SentimentConfig = field(default_factory=SentimentConfig)

    def logits(self, texts: Sequence[str]) -> Floats:
        """Log-odds of the classes before calibration, float64 [texts, classes]."""
        parts = [_parts(text, self.config) for text in texts]
        sentences = self._sentence_logits([part for row in parts for part in row])
        rows = np.repeat(np.arange(len(texts)), [len(row) for row in parts])
        counts = np.array([len(row) for row in parts], dtype=np.float64)
        return np.asarray(_sums(rows, sentences, len(texts)) / counts[:, None])

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """Calibrated probabilities of the classes, float64 [texts, classes]."""
        return _softmax(self.logits(texts) / self.temperature)

    def predict(self, texts: Sequence[str], *, progress: Progress = ignore) -> pl.DataFrame:
        """Label, its probability and all probabilities of each text, in order; progress counts texts."""
        chunks = []
        for start in range(0, len(texts), _BATCH):
            chunks.append(self.probabilities(texts[start : start + _BATCH]))
            progress(min(len(texts), start + _BATCH), len(texts))
        return self._frame(np.concatenate(chunks) if chunks else np.zeros((0, len(self.labels))))

    def save(self, directory: Path) -> None:
        """Write weights (safetensors) and labels and options (JSON) into an existing directory."""
        from safetensors.numpy import save_file

        used = np.flatnonzero(self.weights.any(axis=1))
        arrays = {"idf": self.idf, "bias": self.bias, "used": used, "weights": self.weights[used]}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, directory / WEIGHTS)
        meta = {"labels": self.labels, "temperature": self.temperature, "config": asdict(self.config)}
        (directory / META).write_text(json.dumps(meta, indent=2, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def load(cls, directory: Path) -> SentimentModel:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        arrays = load_file(directory / WEIGHTS)
        meta = json.loads((directory / META).read_text("utf-8"))
        options = {**meta["config"], "features": ToneConfig(**meta["config"]["features"])}
        weights = np.zeros((len(arrays["idf"]), len(meta["labels"])), dtype=np.float32)
        weights[arrays["used"]] = arrays["weights"]
        config = SentimentConfig(**options)
        return cls(tuple(meta["labels"]), arrays["idf"], weights, arrays["bias"], float(meta["temperature"]), config)

    def _sentence_logits(self, sentences: Sequence[str]) -> Floats:
        matrix = _tfidf(tone_features.extract(sentences, self.config.features), self.idf)
        weighted = self.weights[matrix.columns] * matrix.values[:, None]
        return _sums(matrix.rows, weighted, len(sentences)) + self.bias

    def _frame(self, probabilities: Floats) -> pl.DataFrame:
        best = probabilities.argmax(axis=1)
        rows = [[{"label": name, "p": p} for name, p in zip(self.labels, row, strict=True)] for row in probabilities]
        columns: dict[str, Any] = {
            "label": [self.labels[i] for i in best],
            "score": probabilities.max(axis=1, initial=0.0),
            "probabilities": rows,
        }
        return pl.DataFrame(columns, schema=SCHEMA)


def train(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    config: SentimentConfig | None = None,
    validation: tuple[Sequence[str], Sequence[str]] | None = None,
    progress: Progress = ignore,
) -> SentimentModel:
    """Fit a classifier; `validation` (texts, labels) sets the temperature. Raises ConfigError for fewer than 2 classes.

    Equal data gives equal weights on one type of machine.
    """
    config = config or SentimentConfig()
    classes = _classes(texts, labels)
    matrix = tone_features.extract(texts, config.features)
    seen = np.bincount(matrix.columns, minlength=config.features.buckets)
    idf = (np.log((1 + len(texts)) / (1 + seen)) + 1).astype(np.float32)
    gold = np.array([classes.index(label) for label in labels], dtype=np.int64)
    weights, bias = _fit(_tfidf(matrix, idf), gold, len(classes), config, progress)
    model = SentimentModel(classes, idf, weights, bias, config=config)
    if validation is None or not validation[0]:
        return model
    temperature = _temperature(model, *validation)
    return SentimentModel(classes, idf, weights, bias, temperature, config)


def _fit(
    matrix: Sparse, gold: Ints, classes: int, config: SentimentConfig, progress: Progress
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Minimum of the mean cross-entropy plus l2 / 2 times the squared weights; only seen buckets can differ from 0."""
    import torch
    from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

    from models.convex import minimise

    used, columns = np.unique(matrix.columns, return_inverse=True)
    places = torch.from_numpy(np.stack([matrix.rows, columns]))
    shape = (len(gold), len(used))
    rows = torch.sparse_coo_tensor(places, torch.from_numpy(matrix.values), shape, check_invariants=True).coalesce()
    target = torch.from_numpy(gold)
    weight = torch.zeros(len(used), classes, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)

    def objective() -> Tensor:
        penalty = config.l2 / 2 * weight.square().sum()
        return F.cross_entropy(torch.sparse.mm(rows, weight) + bias, target) + penalty

    minimise(objective, [weight, bias], iterations=config.iterations, progress=progress)
    table = np.zeros((config.features.buckets, classes), dtype=np.float32)
    table[used] = weight.detach().numpy()
    return table, bias.detach().numpy().astype(np.float32)


def _temperature(model: SentimentModel, texts: Sequence[str], labels: Sequence[str]) -> float:
    """The divisor of the logits with the lowest cross-entropy on rows whose label the model knows, 0.1 to 10."""
    known = [
        (text, model.labels.index(label)) for text, label in zip(texts, labels, strict=True) if label in model.labels
    ]
    if not known:
        return 1.0
    logits = model.logits([text for text, _ in known])
    gold = np.array([code for _, code in known])
    candidates = np.geomspace(0.1, 10, 201)
    losses = [-np.log(_softmax(logits / t)[np.arange(len(gold)), gold] + 1e-12).mean() for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def _classes(texts: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    if len(texts) != len(labels):
        raise ConfigError(f"found {len(texts)} texts and {len(labels)} labels; each text needs one label")
    classes = tuple(sorted(set(labels)))
    if len(classes) < 2:
        raise ConfigError(f"found the labels {list(classes)}; a classifier needs examples of at least 2 classes")
    return classes


def _parts(text: str, config: SentimentConfig) -> list[str]:
    """The whole text, or the sentences of a long one."""
    spans = segment.sentence_spans(text)
    if len(spans) <= config.whole_sentences:
        return [text]
    return [text[start:end] for start, end in spans[: config.max_sentences]]


def _tfidf(matrix: Sparse, idf: npt.NDArray[np.float32]) -> Sparse:
    """Sublinear counts times idf, each row scaled to length 1."""
    values = np.log1p(matrix.values) * idf[matrix.columns]
    squares = np.bincount(matrix.rows, weights=values**2, minlength=len(matrix.starts) - 1)
    return Sparse(matrix.starts, matrix.columns, values / np.sqrt(squares)[matrix.rows])


def _sums(rows: Ints, values: npt.NDArray[Any], n: int) -> Floats:
    """Sum of the values [values, classes] of each row, float64 [n, classes]."""
    columns = [np.bincount(rows, weights=column, minlength=n) for column in values.T]
    return np.stack(columns, axis=1)


def _softmax(logits: Floats) -> Floats:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
