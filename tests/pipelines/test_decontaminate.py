from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import ConfigError
from data.segment import words
from pipelines import decontaminate
from pipelines.decontaminate import (
    DecontaminationConfig,
    EvaluationSetError,
    build_index,
    fingerprint,
    index_of,
    overlaps,
    read_index,
    read_set,
)

QUESTION = "which of the two rivers that meet below the old castle carries more water in spring"
FOUR = DecontaminationConfig(n=4)


def test_a_document_with_a_thirteen_gram_names_the_set_and_the_words() -> None:
    index = build_index({"rivers": [QUESTION]}, config=DecontaminationConfig())
    found = overlaps([f"It was asked: {QUESTION.upper()}!", "Nothing of the kind."], index)
    assert found == ["rivers: which of the two rivers that meet below the old castle carries more", None]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("a one, two THREE - four b", True),
        ("one two three", False),
        ("one two x three four", False),
        ("four three two one", False),
        ("", False),
        ("one two three fourth", False),
    ],
)
def test_case_and_punctuation_do_not_count_but_words_and_order_do(text: str, is_found: bool) -> None:
    index = build_index({"set": ["One two three four."]}, config=FOUR)
    assert overlaps([text], index) == ["set: one two three four" if is_found else None]


def test_an_n_gram_does_not_run_over_the_end_of_a_document_or_of_an_evaluation_text() -> None:
    index = build_index({"set": ["one two three four five", "six seven eight nine"]}, config=FOUR)
    assert overlaps(["one two", "three four", "four five six seven"], index) == [None, None, None]


def test_texts_are_compared_in_batches_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decontaminate, "_BATCH_CHARS", 8)
    batches = list(decontaminate._batches(["abcd", "efgh", "i", "longer than any", "j"]))
    assert batches == [["abcd", "efgh"], ["i"], ["longer than any"], ["j"]]
    assert list(decontaminate._batches([])) == []


def test_two_words_are_the_shortest_n_gram() -> None:
    assert DecontaminationConfig(n=2).n == 2
    with pytest.raises(ConfigError, match="must be 2 or more, not 1"):
        DecontaminationConfig(n=1)


@pytest.mark.parametrize(("min_share", "is_found"), [(0.0, True), (0.5, True), (0.51, False)])
def test_share_of_the_evaluation_text_decides(min_share: float, is_found: bool) -> None:
    """The document holds two of the four n-grams."""
    index = build_index({"set": ["a b c d e f"]}, config=DecontaminationConfig(n=3, min_share=min_share))
    assert overlaps(["x a b c d y", "x"], index) == ["set: a b c" if is_found else None, None]


def test_shares_of_different_evaluation_texts_are_not_added() -> None:
    index = build_index({"set": ["a b c d", "e f g h"]}, config=DecontaminationConfig(n=3, min_share=0.6))
    assert overlaps(["a b c x e f g"], index) == [None]
    assert overlaps(["a b c d x e f g"], index) == ["set: a b c"]


def test_repeated_n_grams_count_once() -> None:
    index = build_index({"set": ["a b c d e"]}, config=DecontaminationConfig(n=3, min_share=0.6))
    assert overlaps(["a b c a b c a b c"], index) == [None]


def test_the_first_set_in_the_text_is_named_and_of_equals_the_first_by_name() -> None:
    index = build_index({"z": ["a b c d"], "m": ["a b c d"], "a": ["e f g h"]}, config=FOUR)
    assert overlaps(["a b c d e f g h", "e f g h a b c d"], index) == ["m: a b c d", "a: e f g h"]


def test_text_without_blanks_counts_characters() -> None:
    index = build_index({"zh": ["河水流过城堡"]}, config=FOUR)
    assert overlaps(["昨天河水流过村庄", "河水"], index) == ["zh: 河 水 流 过", None]


_WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12).map(" ".join)


@settings(deadline=None)
@given(st.lists(_WORDS, min_size=1, max_size=4), st.lists(_WORDS, max_size=6))
def test_agrees_with_sets_of_tuples(evaluation: list[str], texts: list[str]) -> None:
    def grams(text: str) -> set[tuple[str, ...]]:
        found = words(text)
        return {tuple(found[i : i + 3]) for i in range(len(found) - 2)}

    wanted = set().union(*map(grams, evaluation))
    if not wanted:
        return
    index = build_index({"set": evaluation}, config=DecontaminationConfig(n=3))
    assert [found is not None for found in overlaps(texts, index)] == [bool(grams(text) & wanted) for text in texts]


def test_texts_of_fewer_words_are_counted_and_a_set_of_them_is_refused() -> None:
    assert build_index({"set": ["a b c d", "a b"]}, config=FOUR).too_short == {"set": 1}
    with pytest.raises(EvaluationSetError, match="short has no text of 4 words"):
        build_index({"short": ["a b"], "set": ["a b c d"]}, config=FOUR)


def test_without_sets_nothing_is_found() -> None:
    assert overlaps(["a b c d e"], build_index({}, config=FOUR)) == [None]


@pytest.mark.parametrize("name", ["set.txt", "set.jsonl", "set.jsonl.gz", "set.parquet"])
def test_sets_are_read_from_every_format(tmp_path: Path, name: str) -> None:
    rows = [{"q": "one two", "choices": ["three", "four"], "id": 7}, {"q": "five", "choices": [], "id": 8}]
    path = tmp_path / name
    lines = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    if name == "set.parquet":
        pl.DataFrame(rows).write_parquet(path)
    else:
        path.write_bytes(
            gzip.compress(lines) if name.endswith(".gz") else b"one two\n\nthree\n" * ("txt" in name) or lines
        )
    expected = ["one two", "three"] if name == "set.txt" else ["one two", "three", "four", "five"]
    assert read_set(path) == expected
    if name != "set.txt":
        assert read_set(path, ["q"]) == ["one two", "five"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("set.pdf", "x", r"set.pdf must end in one of .txt"),
        ("set.jsonl", "{", "no JSON"),
        ("set.jsonl", '{"text": "a"}', "none of the columns question"),
        ("set.parquet", "x", "cannot be read"),
    ],
)
def test_a_set_that_cannot_be_read_is_an_error_that_says_why(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(EvaluationSetError, match=message):
        read_set(tmp_path / name, ["question"])


def test_fingerprint_follows_the_content_of_the_sets_and_not_their_place(tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("a b c d\n")
    second.write_text("a b c d\n")
    before = fingerprint(DecontaminationConfig(sets={"set": str(first)}))
    assert fingerprint(DecontaminationConfig(sets={"set": str(second)})) == before
    assert fingerprint(DecontaminationConfig(sets={"set": str(first)}, n=8)) != before
    first.write_text("a b c e\n")
    assert fingerprint(DecontaminationConfig(sets={"set": str(first)})) != before


def test_a_set_may_be_named_by_the_catalogue_or_by_path(tmp_path: Path) -> None:
    (tmp_path / "set.txt").write_text("one two three four five\n")
    sets = {"mine": str(tmp_path / "set.txt"), "tones": "sentiment-sample"}
    index = read_index(DecontaminationConfig(sets=sets, n=4, columns=()))
    assert index.names == ("mine", "tones")
    assert overlaps(["one two three four"], index) == ["mine: one two three four"]
    assert index.n_bytes > 0


def test_a_set_that_is_a_download_is_refused() -> None:
    with pytest.raises(EvaluationSetError, match="is a download"):
        read_index(DecontaminationConfig(sets={"x": "https://example.com/set.jsonl"}))


@pytest.mark.parametrize(("options", "name"), [({"n": 1}, "n"), ({"min_share": 1.5}, "min_share")])
def test_bad_options_are_named(options: dict[str, int], name: str) -> None:
    with pytest.raises(ConfigError, match=rf"decontamination\.{name}"):
        DecontaminationConfig(**options)  # type: ignore[arg-type]


def test_an_evaluation_set_that_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "exam.txt"
    config = DecontaminationConfig(sets={"exam": str(path)}, n=3)
    found = []
    for content in ("one two three", "four five six seven"):
        path.write_text(content)
        found.append(overlaps(["say one two three"], index_of(config)))
    assert found == [["exam: one two three"], [None]]
