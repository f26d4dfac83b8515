from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.quality.grams import duplicate_chars, repeated, top_chars

DOCS = st.lists(st.lists(st.integers(0, 3), max_size=30), min_size=1, max_size=4)
SIZES = np.array([1, 2, 3, 5])


def arrays(docs: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    tokens = np.array([token for doc in docs for token in doc], dtype=np.int64)
    return tokens, np.repeat(np.arange(len(docs)), [len(doc) for doc in docs])


def runs_of(doc: list[int], n: int) -> list[tuple[int, ...]]:
    return [tuple(doc[i : i + n]) for i in range(len(doc) - n + 1)]


def top_by_hand(doc: list[int], n: int) -> int:
    counted = Counter(runs_of(doc, n))
    if not counted:
        return 0
    run, count = counted.most_common(1)[0]
    return count * int(SIZES[list(run)].sum() + n - 1)


def duplicates_by_hand(doc: list[int], n: int) -> int:
    seen: set[tuple[int, ...]] = set()
    at = chars = 0
    while at + n <= len(doc):
        run = tuple(doc[at : at + n])
        chars += int(SIZES[list(run)].sum()) if run in seen else 0
        at += n if run in seen else 1
        seen.add(run)
    return chars


@settings(deadline=None)
@given(DOCS)
def test_runs_are_those_that_a_plain_count_finds(docs: list[list[int]]) -> None:
    tokens, of = arrays(docs)
    for runs in repeated(tokens, of, 10):
        found = [{place for place in runs.places.tolist() if of[place] == row} for row in range(len(docs))]
        start = 0
        for doc, places in zip(docs, found, strict=True):
            counted = Counter(runs_of(doc, runs.n))
            assert places == {start + i for i, run in enumerate(runs_of(doc, runs.n)) if counted[run] > 1}
            start += len(doc)


@settings(deadline=None)
@given(DOCS)
def test_figures_are_those_of_the_published_loops(docs: list[list[int]]) -> None:
    tokens, of = arrays(docs)
    sizes = SIZES[tokens] if len(tokens) else tokens
    for runs in repeated(tokens, of, 10):
        n = runs.n
        assert top_chars(runs, sizes, of, len(docs)).tolist() == [top_by_hand(doc, n) for doc in docs]
        assert duplicate_chars(runs, sizes, of, len(docs)).tolist() == [duplicates_by_hand(doc, n) for doc in docs]


def test_one_word_for_ever_takes_linear_time() -> None:
    # A search for runs at every length from every place would compare 10^11 tokens.
    tokens, of = arrays([[0] * 300_000])
    for runs in repeated(tokens, of, 10):
        assert duplicate_chars(runs, SIZES[tokens], of, 1)[0] > 299_000 - 20 * runs.n
