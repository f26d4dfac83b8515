"""What a sentiment classifier sees of a text: words with their negation, contrasts, and pieces of words.

Words after a negation and up to the next punctuation carry a mark (Pang, Lee and Vaithyanathan 2002);
words after the last contrast (`but`, `however`) of a text weigh more, because that is where the verdict stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models import features
from models.features import Floats, Hashes, Ints, Sparse
from models.tasks.opinion_words import BLAME, CONTRASTS, NEGATIONS, PRAISE

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+|[.,;:!?…]+|[\u2190-\u2bff\U0001f300-\U0001faff]")
_BREAK = re.compile(r"[.,;:!?…]+")
_WORD, _PAIR, _PIECE, _OPINION = range(4)
_NEGATED = np.uint64(0xA5A5A5A55A5A5A5A)


@dataclass(frozen=True, kw_only=True)
class ToneConfig:
    """`buckets` hashed features; `contrast_weight` of words after a contrast; sizes and weights of the parts."""

    buckets: int = 2**18
    contrast_weight: float = 1.5
    shortest_piece: int = 2
    longest_piece: int = 5
    piece_weight: float = 0.2
    opinion_weight: float = 2.0


def extract(texts: Sequence[str], config: ToneConfig) -> Sparse:
    """Weighted counts of the features of each text."""
    lowered = [text.lower() for text in texts]
    parts = [*_words(lowered, config), _pieces(lowered, config)]
    rows, hashes, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    return features.counted(rows, hashes, weights, n_rows=len(texts), buckets=config.buckets)


def _words(texts: Sequence[str], config: ToneConfig) -> list[tuple[Ints, Hashes, Floats]]:
    """Words, pairs of neighbours, and how much praise and blame there is."""
    tokens = [_TOKEN.findall(text) for text in texts]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys(token for row in tokens for token in row))}
    ids = np.array([vocabulary[token] for row in tokens for token in row], dtype=np.int64)
    rows = np.repeat(np.arange(len(texts)), [len(row) for row in tokens])
    negated = np.array([mark for row in tokens for mark in _negated(row)], dtype=bool)
    weights = np.array([w for row in tokens for w in _emphasis(row, config.contrast_weight)], dtype=np.float64)
    hashes = features.of_strings(vocabulary)[ids]
    marked = features.salted(np.where(negated, hashes ^ _NEGATED, hashes), _WORD)
    follows = rows[1:] == rows[:-1]
    pairs = features.salted(marked[:-1] * np.uint64(3) + marked[1:], _PAIR)[follows]
    opinions = _opinions(vocabulary, ids) * np.where(negated, -1, 1)
    opinion_hashes = features.salted((opinions + 1).astype(np.uint64), _OPINION)
    named = opinions != 0
    return [
        (rows, marked, weights),
        (rows[1:][follows], pairs, weights[1:][follows]),
        (rows[named], opinion_hashes[named], weights[named] * config.opinion_weight),
    ]


def _pieces(texts: Sequence[str], config: ToneConfig) -> tuple[Ints, Hashes, Floats]:
    """Character n-grams of the words."""
    spaced = [" ".join(text.split()) for text in texts]
    rows, hashes = features.char_ngrams(spaced, shortest=config.shortest_piece, longest=config.longest_piece)
    return rows, features.salted(hashes, _PIECE), np.full(len(rows), config.piece_weight)


def _negated(tokens: Sequence[str]) -> list[bool]:
    """Whether each token stands after a negation with no punctuation between."""
    marks, open_ = [], False
    for token in tokens:
        if _BREAK.fullmatch(token):
            open_ = False
        marks.append(open_)
        if is_negation(token):
            open_ = True
    return marks


def is_negation(token: str) -> bool:
    """Whether a lower-case word turns what follows into its opposite."""
    return token in NEGATIONS or token.endswith(("n't", "n’t"))


def _emphasis(tokens: Sequence[str], weight: float) -> list[float]:
    """1 up to the last contrast of the text, `weight` after it."""
    last = max((i for i, token in enumerate(tokens) if token in CONTRASTS), default=len(tokens))
    return [1.0 if i <= last else weight for i in range(len(tokens))]


def _opinions(vocabulary: Sequence[str] | dict[str, int], ids: Ints) -> npt.NDArray[np.int64]:
    """1 for praise, -1 for blame, else 0, of each token."""
    values = np.array([(word in PRAISE) - (word in BLAME) for word in vocabulary], dtype=np.int64)
    return values[ids] if len(ids) else np.zeros(0, dtype=np.int64)
