from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.embeddings.lines import Lines, TooFewWordsError, pieces, words, words_of_lines, write
from models.embeddings.vectors import tokens


def written(texts: list[str | None], folder: Path, context: str = "sentence") -> Lines:
    return write([pl.Series(texts, dtype=pl.String)], folder / "lines.txt", context=context)


def test_sentences_are_normalised_and_kept_apart(tmp_path: Path) -> None:
    lines = written(["Born in 1984. Died late.\nBuried?"], tmp_path)
    assert lines.path.read_text("utf-8") == "born in 0000\ndied late\nburied\n"


def test_paragraphs_hold_their_sentences(tmp_path: Path) -> None:
    lines = written(["Born in 1984. Died late.\nBuried?"], tmp_path, "paragraph")
    assert lines.path.read_text("utf-8") == "born in 0000 died late\nburied\n"


def test_texts_without_words_leave_no_line(tmp_path: Path) -> None:
    lines = written(["", None, "...", "\n \n", "Word."], tmp_path)
    assert (lines.path.read_text("utf-8"), lines.lines, lines.words) == ("word\n", 1, 1)


def test_no_texts_leave_an_empty_file(tmp_path: Path) -> None:
    lines = write([], tmp_path / "lines.txt")
    assert (lines.path.read_bytes(), lines.lines, lines.words, list(lines.read())) == (b"", 0, 0, [])


def test_scripts_without_blanks_are_taken_apart(tmp_path: Path) -> None:
    assert written(["我爱猫。猫爱我。"], tmp_path).path.read_text("utf-8") == "我 爱 猫\n猫 爱 我\n"


def test_words_are_counted_most_frequent_first_then_by_name(tmp_path: Path) -> None:
    lines = written(["b a c. c."], tmp_path)
    assert lines.counts.rows() == [("c", 2), ("a", 1), ("b", 1)]


def test_vocabulary_that_is_empty_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TooFewWordsError, match="no word occurs 3 times in 2 words; give more text or lower min_count"):
        written(["b a"], tmp_path).vocabulary(3)


def test_lines_are_read_in_blocks(tmp_path: Path) -> None:
    lines = written(["one two.\nthree.\nfour five six."], tmp_path)
    assert [block.to_list() for block in lines.read(size=3)] == [["one two"], ["three"], ["four five six"]]


def test_places_of_words_line_by_line(tmp_path: Path) -> None:
    lines = written(["a b.\nc a."], tmp_path)
    [(line, place)] = lines.ids(pl.Series(["a", "c"]))
    assert (line.tolist(), place.tolist()) == ([0, 0, 1, 1], [0, -1, 1, 0])


@given(st.lists(st.lists(st.one_of(st.none(), st.text("ab", max_size=9)), max_size=6), max_size=3), st.integers(1, 9))
def test_pieces_are_small_beyond_their_first_text(batches: list[list[str | None]], size: int) -> None:
    found = [piece.to_list() for piece in pieces((pl.Series(b, dtype=pl.String) for b in batches), size)]
    assert all(len("".join(piece[1:])) < size for piece in found)
    assert [text for piece in found for text in piece] == [text for b in batches for text in b if text is not None]


@given(st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=40))  # each side knows another Unicode
def test_words_are_those_of_predictions(text: str) -> None:
    found = pl.DataFrame({"text": [text]}).select(words(pl.col("text"))).item().to_list()
    assert found == tokens(text)


@given(st.lists(st.text(alphabet="aB1.\n ?", max_size=30), max_size=4), st.sampled_from(["sentence", "paragraph"]))
def test_no_word_is_lost(texts: list[str], context: str) -> None:
    lines = words_of_lines(pl.Series(texts, dtype=pl.String), context).to_list()
    assert sum(map(len, lines)) == sum(len(tokens(text)) for text in texts)
