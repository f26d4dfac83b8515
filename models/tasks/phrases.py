"""Candidate keyphrases of a text: short runs of words that could name something.

A candidate has 1 to 4 words with nothing but blanks or hyphens between them, and no function words
except inside names (`Isle of Man`). For languages without a list of function words the model adds the
words that most documents of its corpus share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from data import segment
from models.tasks.function_words import function_words

MAX_WORDS = 4
_POSSESSIVES = ("'s", "’s")
_JOINS = frozenset({" ", "-", "\u00a0", "–"})


@dataclass
class Candidate:
    """What was seen of one phrase in one document; `first` is the number of a word.

    `names` counts occurrences whose first and last words have capitals not owed to the start of a
    sentence; `nested` counts occurrences inside longer candidates, of which there are `hosts`.
    """

    words: tuple[str, ...]
    first: int
    count: int = 0
    names: int = 0
    nested: int = 0
    hosts: int = 0
    surfaces: dict[str, int] = field(default_factory=dict)

    @property
    def independent(self) -> float:
        """C-value's count (Frantzi, Ananiadou and Mima 2000): occurrences less the mean of those of its hosts."""
        return self.count - self.nested / self.hosts if self.hosts else float(self.count)

    @property
    def surface(self) -> str:
        """The spelling that the document uses most, the earlier one where two are even."""
        return max(self.surfaces, key=lambda surface: self.surfaces[surface])


class Word(NamedTuple):
    """A word as written and in lower case.

    `joined`: a phrase may run on into it from the word before; `content`: a phrase may begin and end
    with it; `capital`: it begins with a capital letter.
    """

    surface: str
    lower: str
    joined: bool
    content: bool
    capital: bool


def words_of(text: str, *, common: AbstractSet[str] = frozenset(), limit: int | None = None) -> list[Word]:
    """The first `limit` words of a text; those in `common`, like function words, may not begin or end a phrase."""
    spans = segment.word_spans(text)[:limit]
    lowers = [text[start:end].lower() for start, end in spans]
    stops = function_words(lowers) | common
    words = []
    previous = -1
    for (start, end), lower in zip(spans, lowers, strict=True):
        joined = previous >= 0 and text[previous:start] in _JOINS
        words.append(Word(text[start:end], lower, joined, is_content(lower, stops), text[start].isupper()))
        previous = end
    return words


def is_content(lower: str, stops: AbstractSet[str]) -> bool:
    """Whether a phrase may begin or end with this word."""
    return len(lower) > 1 and lower not in stops and any(map(str.isalpha, lower))


def candidates(text: str, *, common: AbstractSet[str] = frozenset(), limit: int | None = None) -> dict[str, Candidate]:
    """Candidates by their lower-case form, from the first `limit` words."""
    words = words_of(text, common=common, limit=limit)
    found: dict[str, Candidate] = {}
    begin = 0
    for i, word in enumerate(words):
        if not word.joined:
            begin = i
        if word.content:
            for first, name in _starts(words, max(begin, i - MAX_WORDS + 1), i):
                _count(found, words[first : i + 1], first, name=name)
    _count_nested(found)
    return found


def _starts(words: Sequence[Word], begin: int, last: int) -> Iterator[tuple[int, bool]]:
    """Where phrases that end with the word `last` may start, from `begin` on, and whether each is a name.

    In a name all words but function words have capitals, and only there function words may stand inside.
    A single word at the start of a sentence has its capital from there.
    """
    plain, name = True, True
    for first in range(last, begin - 1, -1):
        word = words[first]
        plain, name = plain and word.content, name and (word.capital or not word.content)
        if not plain and not name:
            return
        if word.content:
            yield first, name and (first < last or word.joined)


def _count(found: dict[str, Candidate], part: Sequence[Word], first: int, *, name: bool) -> None:
    key = " ".join([word.lower for word in part])
    surface = " ".join([word.surface for word in part])
    if key.endswith(_POSSESSIVES):
        key, surface = key[:-2], surface[:-2]
    candidate = found.get(key)
    if candidate is None:
        candidate = found[key] = Candidate(tuple(key.split(" ")), first)
    candidate.count += 1
    candidate.names += name
    candidate.surfaces[surface] = candidate.surfaces.get(surface, 0) + 1


def _count_nested(found: dict[str, Candidate]) -> None:
    for host in found.values():
        size = len(host.words)
        inner = {" ".join(host.words[i:j]) for i in range(size) for j in range(i + 1, size + 1) if j - i < size}
        for key in inner & found.keys():
            found[key].nested += host.count
            found[key].hosts += 1
