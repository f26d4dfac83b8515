"""Quality and diversity of samples: BLEU against held-out texts, and self-BLEU, over temperatures.

BLEU: Papineni et al. 2002. Self-BLEU: Zhu et al. 2018, "Texygen" (arXiv 1802.01886); each sample against all others, so
that samples which are all alike have 1. Both are of a corpus: clipped n-grams of all samples over all their n-grams. A
model may trade one for the other by its temperature, so that models are compared by curves: Caccia et al. 2020,
"Language GANs falling short" (arXiv 1811.02549).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from data.errors import TextmillError

Text = Sequence[Hashable]
"""Words, or token ids."""


class TooFewSamplesError(TextmillError, ValueError):
    """There is nothing to compare."""


@dataclass(frozen=True)
class Point:
    """A temperature's place on the curve; both 0 to 1: `bleu` is quality, a low `self_bleu` is diversity.

    `words` is the mean length of the samples. Short ones are right more easily, and with many references one is always
    as short: `brevity` is what BLEU's penalty would be against the mean length of the references, at most 1.
    """

    temperature: float
    bleu: float
    self_bleu: float
    words: float = 0.0
    brevity: float = 1.0


def bleu(samples: Sequence[Text], references: Sequence[Text], *, n: int = 4) -> float:
    """Corpus BLEU-n of samples, each of which may take its n-grams from any reference.

    An n-gram counts as often as in the reference that has it most often; the reference length of a sample is the one
    nearest to its own. Not smoothed: 0 where no n-gram of some length is right. Raises TooFewSamplesError without
    samples or references.
    """
    if not samples or not references:
        raise TooFewSamplesError("BLEU needs at least one sample and one reference; draw more, or hold out a text")
    lengths = Counter(map(len, references))
    shares = []
    for order in range(1, n + 1):
        most = _Most(references, order)
        shares.append(_share((_ngrams(sample, order) for sample in samples), most.of))
    return _bleu(shares, samples, [lengths] * len(samples))


def self_bleu(samples: Sequence[Text], *, n: int = 4) -> float:
    """Corpus BLEU-n of every sample against all the others. Raises TooFewSamplesError with fewer than two."""
    if len(samples) < 2:
        raise TooFewSamplesError(f"self-BLEU needs at least two samples, not {len(samples)}; draw more")
    lengths = Counter(map(len, samples))
    shares = []
    for order in range(1, n + 1):
        most = _Most(samples, order)
        shares.append(_share((_ngrams(sample, order) for sample in samples), most.of_others))
    others = [lengths - Counter([len(sample)]) for sample in samples]
    return _bleu(shares, samples, others)


def curve(
    draw: Callable[[float], Sequence[Text]],
    references: Sequence[Text],
    *,
    temperatures: Iterable[float],
    n: int = 4,
) -> list[Point]:
    """A point for each temperature, from what `draw` gives at it."""
    found = []
    for temperature in temperatures:
        samples = draw(temperature)
        good, alike = bleu(samples, references, n=n), self_bleu(samples, n=n)
        words, theirs = (sum(map(len, texts)) / len(texts) for texts in (samples, references))
        brevity = min(1.0, math.exp(1 - theirs / words)) if words else 0.0
        found.append(Point(temperature, good, alike, words, brevity))
    return found


def penalised(points: Iterable[Point]) -> list[Point]:
    """The same curve with the length of the samples counted: BLEU times `brevity`."""
    return [replace(point, bleu=point.bleu * point.brevity) for point in points]


def lead(first: Sequence[Point], second: Sequence[Point]) -> float | None:
    """How much more BLEU the first curve has at the same self-BLEU, on average over the range that both cover.

    Curves are straight between points. None where the ranges do not meet.
    """
    low = max(min(p.self_bleu for p in first), min(p.self_bleu for p in second))
    high = min(max(p.self_bleu for p in first), max(p.self_bleu for p in second))
    if low > high:
        return None
    places = [low + (high - low) * i / 20 for i in range(21)]
    return sum(_at(first, place) - _at(second, place) for place in places) / len(places)


class _Most:
    """How often the text that has an n-gram most often has it, and how often the next one does."""

    def __init__(self, texts: Iterable[Text], order: int) -> None:
        self.first: Counter[Text] = Counter()
        self.second: Counter[Text] = Counter()
        for text in texts:
            for gram, count in _ngrams(text, order).items():
                if count > self.first[gram]:
                    self.first[gram], self.second[gram] = count, self.first[gram]
                elif count > self.second[gram]:
                    self.second[gram] = count

    def of(self, gram: Text, count: int) -> int:
        """How many of `count` n-grams may be right."""
        return min(count, self.first[gram])

    def of_others(self, gram: Text, count: int) -> int:
        """The same for one of the texts themselves, against all the others."""
        return min(count, self.second[gram] if count == self.first[gram] else self.first[gram])


def _ngrams(text: Text, order: int) -> Counter[Text]:
    return Counter(tuple(text[i : i + order]) for i in range(len(text) - order + 1))


def _share(counted: Iterable[Counter[Text]], right: Callable[[Text, int], int]) -> tuple[int, int]:
    """Right n-grams, and all of them."""
    good = total = 0
    for grams in counted:
        good += sum(right(gram, count) for gram, count in grams.items())
        total += grams.total()
    return good, total


def _bleu(shares: Sequence[tuple[int, int]], samples: Sequence[Text], lengths: Sequence[Counter[int]]) -> float:
    if not all(good for good, _ in shares):
        return 0.0
    precision = math.exp(sum(math.log(good / total) for good, total in shares) / len(shares))
    ours = sum(map(len, samples))
    theirs = sum(_nearest(len(sample), known) for sample, known in zip(samples, lengths, strict=True))
    return precision * min(1.0, math.exp(1 - theirs / ours))


def _nearest(length: int, known: Counter[int]) -> int:
    """The length nearest to this one, the shorter of two that are as near."""
    return min(known, key=lambda other: (abs(other - length), other))


def _at(points: Sequence[Point], self_bleu: float) -> float:
    """BLEU of a curve at a self-BLEU inside its range."""
    ordered = sorted(points, key=lambda point: point.self_bleu)
    for left, right in pairwise(ordered):
        if left.self_bleu <= self_bleu <= right.self_bleu and right.self_bleu > left.self_bleu:
            share = (self_bleu - left.self_bleu) / (right.self_bleu - left.self_bleu)
            return left.bleu + share * (right.bleu - left.bleu)
    return ordered[-1].bleu if self_bleu >= ordered[-1].self_bleu else ordered[0].bleu
