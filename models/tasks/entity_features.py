"""What an entity tagger sees of a token: the word, its shape and ends, lists it is in, and its neighbours.

The features are the usual ones of named-entity CRFs (Finkel, Grenager and Manning 2005; Ratinov and Roth 2009),
hashed into buckets. Everything about a word is worked out once per distinct word; the rest is array arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data import segment
from models import features
from models.features import Hashes, Ints
from models.tasks.gazetteers import GAZETTEERS

VERSION = 1
MAX_TOKENS = 200  # longer sentences (tables, lists) are cut into pieces of this size
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_OUTSIDE = ""  # stands before the first and after the last token of a sentence
_RUNS = re.compile(r"(.)\1+")


@dataclass(frozen=True)
class Tokens:
    """Tokens of texts: `starts` and `ends` are code points, `texts` the row, all int64 [tokens].

    Sentence s holds the tokens from `sentences[s]` up to `sentences[s + 1]`.
    """

    surfaces: tuple[str, ...]
    starts: Ints
    ends: Ints
    texts: Ints
    sentences: Ints


def tokenise(texts: Sequence[str]) -> Tokens:
    """Letters, digits and marks of each sentence of each text; a sentence lies inside one text."""
    surfaces: list[str] = []
    places: list[tuple[int, int, int]] = []
    cuts = [0]
    for row, text in enumerate(texts):
        for first, last in segment.sentence_spans(text):
            found = [(row, match.start(), match.end()) for match in _TOKEN.finditer(text, first, last)]
            surfaces.extend(text[start:end] for _, start, end in found)
            places.extend(found)
            cuts.extend([*range(cuts[-1] + MAX_TOKENS, len(places), MAX_TOKENS), len(places)])
    table = np.array(places, dtype=np.int64).reshape(-1, 3)
    return Tokens(tuple(surfaces), table[:, 1], table[:, 2], table[:, 0], np.unique(np.array(cuts, dtype=np.int64)))


def extract(tokens: Tokens, *, buckets: int) -> Ints:
    """Buckets of the features of each token, int64 [tokens, features]."""
    if not tokens.surfaces:
        return np.zeros((0, 1), dtype=np.int64)
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys((_OUTSIDE, *tokens.surfaces)))}
    ids = np.array([vocabulary[word] for word in tokens.surfaces], dtype=np.int64)
    views = {name: features.of_strings(map(view, vocabulary)) for name, view in _VIEWS.items()}
    around = {offset: _shifted(ids, tokens.sentences, offset) for offset in range(-2, 3)}
    columns = [features.salted(column, salt) for salt, column in enumerate(_columns(views, around))]
    return np.stack([(column % np.uint64(buckets)).astype(np.int64) for column in columns], axis=1)


def _columns(views: dict[str, Hashes], around: dict[int, Ints]) -> list[Hashes]:
    """One hash per feature and token: of the token, of its neighbours, and of both together."""
    here = around[0]
    alone = [views[name][here] for name in views]
    beside = [views[name][around[o]] for o in (-1, 1) for name in ("word", "shape", "lists", "suffix3")]
    far = [views[name][around[o]] for o in (-2, 2) for name in ("word", "shape", "lists")]
    joint = [
        _pair(views["shape"][around[-1]], views["shape"][here]),
        _pair(views["shape"][here], views["shape"][around[1]]),
        _pair(views["word"][around[-1]], views["shape"][here]),
        _pair(views["lists"][around[-1]], views["shape"][here]),
        _pair(views["shape"][here], views["lists"][around[1]]),
        _pair(_pair(views["shape"][around[-1]], views["shape"][here]), views["shape"][around[1]]),
    ]
    bias = np.zeros(len(here), dtype=np.uint64)
    return [bias, *alone, *beside, *far, *joint]


def _pair(first: Hashes, second: Hashes) -> Hashes:
    return features.mix(first * np.uint64(3) + second)


def _shifted(ids: Ints, sentences: Ints, offset: int) -> Ints:
    """The word `offset` tokens away in the same sentence; 0, the outside, beyond its ends."""
    sentence_of = np.repeat(np.arange(len(sentences) - 1), np.diff(sentences))
    source = np.arange(len(ids)) + offset
    clipped = source.clip(0, len(ids) - 1)
    inside = (source == clipped) & (sentence_of[clipped] == sentence_of)
    return np.where(inside, ids[clipped], 0)


def shape(word: str) -> str:
    """`Xx` for a capitalised word, `XX` for capitals, `xx`, `d4` for four digits, the mark itself for a mark."""
    if word.isdigit():
        return f"d{min(len(word), 5)}"
    letters = "".join("X" if letter.isupper() else "x" if letter.isalpha() else letter for letter in word)
    return _RUNS.sub(r"\1\1", letters) if len(letters) > 1 else letters


def _lists(word: str) -> str:
    lower = word.lower()
    return " ".join(name for name, words in GAZETTEERS.items() if lower in words and not word.islower()) or _small(
        lower
    )


def _small(lower: str) -> str:
    """Lists of words that mean the same in lower case."""
    return " ".join(name for name in ("time", "title", "place", "organisation") if lower in GAZETTEERS[name])


_VIEWS: dict[str, Callable[[str], str]] = {
    "word": str.lower,
    "exact": str,
    "shape": shape,
    "lists": _lists,
    "prefix2": lambda word: word[:2].lower(),
    "prefix3": lambda word: word[:3].lower(),
    "suffix2": lambda word: word[-2:].lower(),
    "suffix3": lambda word: word[-3:].lower(),
    "suffix4": lambda word: word[-4:].lower(),
}


def widths(tokens: Tokens) -> npt.NDArray[np.int64]:
    """Number of tokens of each sentence, int64 [sentences]."""
    return np.diff(tokens.sentences)
