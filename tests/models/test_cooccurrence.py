from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.embeddings import cooccurrence
from models.embeddings.cooccurrence import Cooccurrences
from models.embeddings.lines import write

WORDS = pl.Series(["a", "b", "c", "d"])
TEXTS = st.lists(st.lists(st.sampled_from("abcdx"), max_size=12), max_size=10)


def counted(texts: list[list[str]], folder: Path, **options: int) -> Cooccurrences:
    lines = write([pl.Series([" ".join(text) for text in texts], dtype=pl.String)], folder / "lines.txt")
    return cooccurrence.count(lines, WORDS, folder, **{"window": 3, **options})


def as_dict(pairs: Cooccurrences) -> dict[tuple[str, str], float]:
    places = (divmod(int(key), pairs.words) for key in pairs.keys)
    return {(WORDS[i], WORDS[j]): float(value) for (i, j), value in zip(places, pairs.sums, strict=True)}


def naive(texts: list[list[str]], window: int) -> dict[tuple[str, str], float]:
    """Equation by equation: every place looks to both sides; x is a rare word."""
    sums: Counter[tuple[str, str]] = Counter()
    for text in texts:
        kept = [word for word in text if word in WORDS]
        for p, first in enumerate(kept):
            for q, second in enumerate(kept):
                if p != q and abs(p - q) <= window:
                    sums[first, second] += 1 / abs(p - q)  # type: ignore[assignment]
    return {pair: value for pair, value in sums.items() if pair[0] <= pair[1]}


@settings(max_examples=40)
@given(TEXTS, st.integers(1, 5), st.sampled_from([1, 4, 1_000]), st.sampled_from([1, 20, 1_000]))
def test_sums_are_those_of_a_naive_counter(texts: list[list[str]], window: int, in_memory: int, block: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pairs = counted(texts, Path(folder), window=window, in_memory=in_memory, block=block)
        assert as_dict(pairs) == pytest.approx(naive(texts, window))
        assert (np.diff(pairs.keys) > 0).all()


def test_runs_on_disk_are_merged(tmp_path: Path) -> None:
    texts = [list("abcd"), list("dcba"), list("abab"), list("ccdd")] * 3
    pairs = counted(texts, tmp_path, in_memory=2, block=8)
    assert len(list(tmp_path.glob("run-*.keys"))) > 2
    assert as_dict(pairs) == pytest.approx(naive(texts, 3))


def test_words_that_never_meet_leave_no_pair(tmp_path: Path) -> None:
    assert len(counted([["a"], ["b"], []], tmp_path)) == 0


def test_dealt_pairs_are_the_same_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cooccurrence, "_BLOCK", 3)
    pairs = counted([list("abcdabcaacbd")], tmp_path)
    dealt, starts = cooccurrence.shuffled(pairs, tmp_path, batches=3, seed=1)
    assert as_dict(dealt) == as_dict(pairs)
    parts = [dealt.keys[starts[n] : starts[n + 1]] for n in range(3)]
    assert sum(map(len, parts)) == len(pairs) and all((np.diff(part) > 0).all() for part in parts)


def test_another_seed_deals_other_batches(tmp_path: Path) -> None:
    pairs = counted([list("abcdabcaacbd")], tmp_path)
    found = [cooccurrence.shuffled(pairs, tmp_path, batches=3, seed=seed)[0].keys.tolist() for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_pairs_never_seen_are_added_with_a_sum_of_nothing(tmp_path: Path) -> None:
    pairs = counted([list("abab"), list("cd")], tmp_path)
    counts = np.array([5, 4, 3, 1])
    found = cooccurrence.with_absent(pairs, counts, tmp_path, share=5.0, seed=1, in_memory=4)
    assert {pair: x for pair, x in as_dict(found).items() if x} == as_dict(pairs)
    assert len(found) > len(pairs)
    assert (np.diff(found.keys) > 0).all()
    again = cooccurrence.with_absent(pairs, counts, tmp_path, share=5.0, seed=1)
    assert as_dict(again) == as_dict(found)


def test_frequent_words_are_drawn_more_often(tmp_path: Path) -> None:
    nothing = Cooccurrences(np.arange(200) * 1_000 + 999, np.ones(200), 1_000)
    counts = np.where(np.arange(1_000) < 10, 100_000, 1)
    found = cooccurrence.with_absent(nothing, counts, tmp_path, share=1.0, seed=1)
    low = found.keys[np.asarray(found.sums) == 0] // 1_000
    assert len(low) > 30
    assert (low < 10).mean() > 0.9
