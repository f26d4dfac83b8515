from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import ConfigError
from models.embeddings.lines import Lines, write
from models.embeddings.phrases import PhraseConfig, join, join_lines, scores

LINES = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=8), min_size=1, max_size=12)


def lines_of(texts: list[str], folder: Path) -> Lines:
    return write([pl.Series(texts)], folder / "lines.txt", context="paragraph")


def test_score_is_that_of_the_paper(tmp_path: Path) -> None:
    lines = lines_of(5 * ["new york is far"] + 3 * ["far new"], tmp_path)
    found = {(a, b): (count, score) for a, b, count, score in scores(lines, discount=2).iter_rows()}
    assert found["new", "york"] == (5, pytest.approx((5 - 2) / (8 * 5) * 26))
    assert found["far", "new"] == (3, pytest.approx((3 - 2) / (8 * 8) * 26))
    assert set(found) == {("new", "york"), ("york", "is"), ("is", "far"), ("far", "new")}


def test_pairs_do_not_reach_across_lines(tmp_path: Path) -> None:
    assert scores(lines_of(9 * ["one", "two"], tmp_path), discount=1).is_empty()


def test_leftmost_of_overlapping_pairs_is_joined(tmp_path: Path) -> None:
    lines = lines_of(4 * ["a b c d e"], tmp_path)
    joined = join_lines(lines, PhraseConfig(threshold=0.01, discount=1))
    assert joined.path.read_text("utf-8").splitlines()[0] == "a_b c_d e"
    assert joined.counts.rows() == [("a_b", 4), ("c_d", 4), ("e", 4)]


def test_second_pass_joins_phrases(tmp_path: Path) -> None:
    joined = join_lines(lines_of(4 * ["a b c"], tmp_path), PhraseConfig(passes=2, threshold=0.01, discount=1))
    assert joined.path.read_text("utf-8").splitlines()[0] == "a_b_c"


def test_text_without_phrases_stays_the_same_file(tmp_path: Path) -> None:
    lines = lines_of(["a b c"], tmp_path)
    assert join_lines(lines, PhraseConfig()) is lines
    assert join_lines(lines, PhraseConfig(passes=0)) is lines


def test_new_text_is_joined_by_the_words_that_are_known() -> None:
    assert join(["new", "york", "times", "new"], {"new_york", "new_york_times"}, passes=2) == ["new_york_times", "new"]
    assert join(["x", "x", "x"], {"x_x"}) == ["x_x", "x"]
    assert join([], set()) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=LINES, threshold=st.sampled_from([0.05, 0.5, 2.0]))
def test_gensim_joins_the_same(texts: list[list[str]], threshold: float, tmp_path: Path) -> None:
    from gensim.models.phrases import Phrases

    theirs = Phrases(texts, min_count=1, threshold=threshold, scoring=paper)
    lines = lines_of([" ".join(line) for line in texts], tmp_path)
    joined = join_lines(lines, PhraseConfig(threshold=threshold, discount=1))
    assert joined.path.read_text("utf-8").splitlines() == [" ".join(theirs[line]) for line in texts]


def paper(
    worda_count: int, wordb_count: int, bigram_count: int, len_vocab: int, min_count: int, corpus_word_count: int
) -> float:
    return (bigram_count - min_count) / (worda_count * wordb_count) * corpus_word_count


@pytest.mark.parametrize(
    ("options", "message"),
    [({"passes": 5}, "passes is 5"), ({"threshold": 0}, "threshold is 0"), ({"discount": 0}, "discount is 0")],
)
def test_bad_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PhraseConfig(**options)
