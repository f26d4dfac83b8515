"""Names in text: a first-order linear-chain CRF over BIO tags with hashed features.

Lafferty, McCallum and Pereira 2001 for the model, Ramshaw and Marcus 1995 for the tags: B opens a
mention, I continues it, O is outside. The score of a mention is the smallest posterior probability of
its tags. Offsets are code points of the text.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from data.errors import ConfigError
from data.progress import Progress, ignore
from models.features import Ints
from models.tasks import entity_features
from models.tasks.entity_features import Tokens

if TYPE_CHECKING:
    from torch import Tensor

    from models.layers.crf import LinearChain

VERSION = 1
WEIGHTS = "entities.safetensors"
META = "entities.json"
OUTSIDE = "O"
_EDGES = frozenset('()[]{}<>"“”„«»,;:–—-')
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.Int64,
    "start": pl.Int64,
    "end": pl.Int64,
    "surface": pl.String,
    "type": pl.String,
    "score": pl.Float32,
}
_TEXTS = 64  # texts that are tagged together
_CELLS = 8192  # sentences x time of a padded batch

Span = Mapping[str, Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class EntityConfig:
    """Hashed `buckets`, strength of the L2 penalty, and the most iterations of L-BFGS."""

    buckets: int = 2**18
    l2: float = 0.3
    iterations: int = 60

    def __post_init__(self) -> None:
        """Refuse values with which nothing can be learnt."""
        if self.buckets < 1 or self.l2 <= 0 or self.iterations < 1:
            raise ConfigError(
                f"found buckets {self.buckets}, l2 {self.l2} and iterations {self.iterations}; each must be above 0"
            )


@dataclass(frozen=True)
class EntityModel:
    """Entity types in order, weights float32 [buckets, tags], and the chain's transitions, first and last scores."""

    types: tuple[str, ...]
    weights: npt.NDArray[np.float32]
    transitions: Floats
    first: Floats
    last: Floats
    config: EntityConfig = field(default_factory=EntityConfig)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """O, then B and I of each type."""
        return tags_of(self.types)

    def predict(self, texts: Sequence[str], *, progress: Progress = ignore) -> pl.DataFrame:
        """Mentions of all texts in order of row and start; `row` is the text's number. Progress counts texts."""
        found: list[tuple[int, int, int, str, str, float]] = []
        for first in range(0, len(texts), _TEXTS):
            batch = texts[first : first + _TEXTS]
            found.extend(
                (first + row, start, end, batch[row][start:end], kind, score)
                for row, start, end, kind, score in self._mentions(entity_features.tokenise(batch))
            )
            progress(min(len(texts), first + _TEXTS), len(texts))
        return pl.DataFrame(found, schema=SCHEMA, orient="row")

    def _mentions(self, tokens: Tokens) -> list[tuple[int, int, int, str, float]]:
        tags, confidence = self._decode(tokens)
        found = (
            (*_trimmed(tokens.surfaces, a, b), kind)
            for a, b, kind in runs([self.tags[i] for i in tags], tokens.sentences)
        )
        return [
            (int(tokens.texts[a]), int(tokens.starts[a]), int(tokens.ends[b - 1]), kind, float(confidence[a:b].min()))
            for a, b, kind in found
            if a < b
        ]

    def _decode(self, tokens: Tokens) -> tuple[Ints, Floats]:
        """Best tag of each token, int64 [tokens], and its posterior probability."""
        import torch

        tags, confidence = np.zeros(len(tokens.surfaces), dtype=np.int64), np.zeros(len(tokens.surfaces))
        emissions = _emissions(entity_features.extract(tokens, buckets=self.config.buckets), self.weights)
        for places, lengths in padded(tokens.sentences):
            scores = torch.from_numpy(emissions[places]).double()
            sizes = torch.from_numpy(lengths)
            best = self._chain.viterbi(scores, sizes)
            posterior = self._chain.marginals(scores, sizes).gather(2, best.unsqueeze(2)).squeeze(2)
            inside = np.arange(places.shape[1]) < lengths[:, None]
            tags[places[inside]] = best.numpy()[inside]
            confidence[places[inside]] = posterior.clamp(0, 1).numpy()[inside]
        return tags, confidence

    @cached_property
    def _chain(self) -> LinearChain:
        import torch

        chain = _new_chain(self.types)
        with torch.no_grad():
            for name in ("transitions", "first", "last"):
                getattr(chain, name).copy_(torch.from_numpy(getattr(self, name)))
        return chain.requires_grad_(False)

    def save(self, directory: Path) -> None:
        """Write weights (safetensors) and types and options (JSON) into an existing directory."""
        from safetensors.numpy import save_file

        used = np.flatnonzero(self.weights.any(axis=1))
        arrays = {"used": used, "weights": self.weights[used]}
        arrays |= {name: getattr(self, name) for name in ("transitions", "first", "last")}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, directory / WEIGHTS)
        meta = {"types": self.types, "config": asdict(self.config)}
        (directory / META).write_text(json.dumps(meta, indent=2, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def load(cls, directory: Path) -> EntityModel:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        arrays = load_file(directory / WEIGHTS)
        meta = json.loads((directory / META).read_text("utf-8"))
        config, types = EntityConfig(**meta["config"]), tuple(meta["types"])
        weights = np.zeros((config.buckets, len(tags_of(types))), dtype=np.float32)
        weights[arrays.pop("used")] = arrays.pop("weights")
        return cls(types, weights, **arrays, config=config)


def train(
    texts: Sequence[str],
    spans: Sequence[Sequence[Span]],
    *,
    config: EntityConfig | None = None,
    progress: Progress = ignore,
) -> EntityModel:
    """Fit a tagger to texts with their spans (start, end, type; not overlapping).

    A span that cuts a token is widened to the token. Raises ConfigError where there is no span at all. Equal data
    gives equal weights on one type of machine.
    """
    config = config or EntityConfig()
    if len(texts) != len(spans):
        raise ConfigError(f"found {len(texts)} texts and {len(spans)} lists of spans; each text needs one")
    types = tuple(sorted({str(span["type"]) for row in spans for span in row}))
    if not types:
        raise ConfigError("found no entity spans in the training texts; a tagger needs examples")
    tokens = entity_features.tokenise(texts)
    codes = {tag: i for i, tag in enumerate(tags_of(types))}
    gold = np.array([codes[tag] for tag in bio(tokens, spans)], dtype=np.int64)
    return _fit(types, tokens, gold, config, progress)


def _fit(types: tuple[str, ...], tokens: Tokens, gold: Ints, config: EntityConfig, progress: Progress) -> EntityModel:
    """Minimum of the negative log-likelihood plus l2 / 2 times the squared parameters."""
    import torch
    from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

    from models.convex import minimise

    chain = _new_chain(types)
    columns = entity_features.extract(tokens, buckets=config.buckets)
    used, compact = np.unique(columns, return_inverse=True)
    ids = torch.from_numpy(compact.reshape(columns.shape))
    weight = torch.zeros(len(used), len(tags_of(types)), dtype=torch.float64, requires_grad=True)
    labels = torch.from_numpy(gold)
    batches = [(torch.from_numpy(places), torch.from_numpy(sizes)) for places, sizes in padded(tokens.sentences)]
    parameters = [weight, *chain.parameters()]

    def objective() -> Tensor:
        emissions = F.embedding_bag(ids, weight, mode="sum")
        likelihood = sum(chain.log_likelihood(emissions[at], labels[at], n).sum() for at, n in batches)
        penalty = sum(values.square().sum() for values in parameters)
        return torch.as_tensor(config.l2 / 2 * penalty - likelihood)

    minimise(objective, parameters, iterations=config.iterations, progress=progress)
    table = np.zeros((config.buckets, weight.shape[1]), dtype=np.float32)
    table[used] = weight.detach().numpy()
    scores = {name: values.detach().numpy() for name, values in chain.named_parameters()}
    return EntityModel(types, table, **scores, config=config)


def cross_validate(
    texts: Sequence[str],
    spans: Sequence[Sequence[Span]],
    *,
    folds: int = 5,
    config: EntityConfig | None = None,
    seed: int = 0,
    progress: Progress = ignore,
) -> list[list[dict[str, Any]]]:
    """Spans of each text as predicted by a model that has not seen it; progress counts folds."""
    predicted: list[list[dict[str, Any]]] = [[] for _ in texts]
    for done, (inside, outside) in enumerate(_folds(len(texts), folds, seed), start=1):
        model = train([texts[i] for i in inside], [spans[i] for i in inside], config=config)
        for span in model.predict([texts[i] for i in outside]).iter_rows(named=True):
            predicted[outside[span["row"]]].append({name: span[name] for name in ("start", "end", "type", "score")})
        progress(done, folds)
    return predicted


def baseline_predict(
    train_texts: Sequence[str], train_spans: Sequence[Sequence[Span]], texts: Sequence[str]
) -> list[list[dict[str, Any]]]:
    """The trivial answer: capitalised runs, of the type they had most often in training, else the commonest."""
    seen: dict[str, Counter[str]] = {}
    every: Counter[str] = Counter()
    for text, row in zip(train_texts, train_spans, strict=True):
        for span in row:
            every[span["type"]] += 1
            seen.setdefault(text[span["start"] : span["end"]], Counter())[span["type"]] += 1
    if not every:
        raise ConfigError("found no entity spans in the training texts; a baseline needs examples")
    found = _capitalised(texts)
    return [
        [{"start": a, "end": b, "type": _most_common(seen.get(text[a:b], every))} for a, b in row]
        for text, row in zip(texts, found, strict=True)
    ]


def cross_validate_baseline(
    texts: Sequence[str], spans: Sequence[Sequence[Span]], *, folds: int = 5, seed: int = 0
) -> list[list[dict[str, Any]]]:
    """What `baseline_predict` says to each text over the same folds as `cross_validate`."""
    predicted: list[list[dict[str, Any]]] = [[] for _ in texts]
    for inside, outside in _folds(len(texts), folds, seed):
        found = baseline_predict([texts[i] for i in inside], [spans[i] for i in inside], [texts[i] for i in outside])
        for i, row in zip(outside, found, strict=True):
            predicted[i] = row
    return predicted


def tags_of(types: Sequence[str]) -> tuple[str, ...]:
    """O, then B and I of each type."""
    return (OUTSIDE, *(f"{mark}-{kind}" for kind in types for mark in "BI"))


def bio(tokens: Tokens, spans: Sequence[Sequence[Span]]) -> list[str]:
    """The tag of each token; a span ends with its sentence."""
    tags = [OUTSIDE] * len(tokens.surfaces)
    bounds = np.searchsorted(tokens.texts, np.arange(len(spans) + 1))
    first_of_sentence = set(tokens.sentences.tolist())
    for row, found in enumerate(spans):
        low, high = bounds[row], bounds[row + 1]
        for span in found:
            start = low + int(np.searchsorted(tokens.ends[low:high], span["start"], side="right"))
            end = low + int(np.searchsorted(tokens.starts[low:high], span["end"], side="left"))
            for i in range(start, end):
                tags[i] = f"{'B' if i == start or i in first_of_sentence else 'I'}-{span['type']}"
    return tags


def runs(tags: Sequence[str], sentences: Ints) -> Iterator[tuple[int, int, str]]:
    """First token, one past the last, and type of each mention."""
    starts = set(sentences.tolist())
    opened: int | None = None
    for i, tag in enumerate([*tags, OUTSIDE]):
        if opened is not None and (tag[0] != "I" or i in starts or tag[2:] != tags[opened][2:]):
            yield opened, i, tags[opened][2:]
            opened = None
        if opened is None and tag != OUTSIDE:
            opened = i


def _trimmed(surfaces: Sequence[str], first: int, end: int) -> tuple[int, int]:
    """The run of tokens without brackets, quotes and commas at its edges, where no name has them."""
    while first < end and surfaces[first] in _EDGES:
        first += 1
    while first < end and surfaces[end - 1] in _EDGES:
        end -= 1
    return first, end


def padded(sentences: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Sentences of like length together: token numbers int64 [batch, time] and lengths int64 [batch].

    Places beyond the end of a sentence repeat its last token.
    """
    lengths = np.diff(sentences)
    order = np.argsort(lengths, kind="stable")
    while len(order):
        sizes = lengths[order]
        cells = sizes * np.arange(1, len(sizes) + 1)
        count = max(1, int(np.searchsorted(cells, _CELLS, side="right")))
        chosen, order = order[:count], order[count:]
        steps = np.minimum(np.arange(lengths[chosen].max()), lengths[chosen][:, None] - 1)
        yield sentences[chosen][:, None] + steps, lengths[chosen]


def _emissions(columns: Ints, weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Summed weights of the features of each token, float32 [tokens, tags]."""
    import torch
    from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

    sums: npt.NDArray[np.float32] = F.embedding_bag(
        torch.from_numpy(columns), torch.from_numpy(weights), mode="sum"
    ).numpy()
    return sums


def _new_chain(types: Sequence[str]) -> LinearChain:
    """A chain of zeros in which I follows only B or I of its type."""
    import torch

    from models.layers.crf import LinearChain

    tags = tags_of(types)
    before = (*tags, OUTSIDE)  # nothing stands before the first tag, as if outside
    allowed = [[to[0] != "I" or (source != OUTSIDE and source[2:] == to[2:]) for to in tags] for source in before]
    return LinearChain(torch.tensor(allowed))


def _folds(n: int, folds: int, seed: int) -> Iterator[tuple[list[int], list[int]]]:
    """Rows to learn from and rows to predict, for each fold."""
    if not 2 <= folds <= n:
        raise ConfigError(f"found {folds} folds for {n} texts; there must be at least 2, and no more than texts")
    order = np.random.default_rng(seed).permutation(n)
    for fold in range(folds):
        held = {int(i) for i in order[fold::folds]}
        yield [i for i in range(n) if i not in held], sorted(held)


def _capitalised(texts: Sequence[str]) -> list[list[tuple[int, int]]]:
    """Runs of capitalised words, those that only open a sentence excepted."""
    tokens = entity_features.tokenise(texts)
    opens = set(tokens.sentences.tolist())
    tags = [
        "B-?" if word[0].isupper() and i in opens else "I-?" if word[0].isupper() else OUTSIDE
        for i, word in enumerate(tokens.surfaces)
    ]
    found: list[list[tuple[int, int]]] = [[] for _ in texts]
    for a, b, _ in runs(tags, tokens.sentences):
        if b - a > 1 or a not in opens:
            found[tokens.texts[a]].append((int(tokens.starts[a]), int(tokens.ends[b - 1])))
    return found


def _most_common(counts: Counter[str]) -> str:
    return min(counts, key=lambda name: (-counts[name], name))
