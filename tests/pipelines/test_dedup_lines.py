from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.conform import conform
from data.contracts import CONTRACTS
from data.errors import ConfigError
from data.segment import sentence_count, word_count
from pipelines.dedup import DedupConfig, Part, RepeatedConfig, apply, find_duplicates, of_part, repeated_lines
from pipelines.dedup.lines import has_repeated, trim
from pipelines.minhash import fingerprints

NOTICE = "Please log in to read the whole of this article and all others."
MENU = "Home page\nAbout us\nContact us\nOur newsletter"
RIVERS = [f"The river number {i} carries water past the castle of {i}, as it did in the year {i}." for i in range(40)]
SECTIONS = pl.List(pl.Struct({"level": pl.Int8, "title": pl.String, "start": pl.Int32, "end": pl.Int32}))
TWO = RepeatedConfig(max_documents=2)


def frame(*texts: str, sections: dict[int, list[dict[str, Any]]] | None = None) -> pl.DataFrame:
    made = pl.DataFrame(
        {
            "doc_id": [f"s:{i}" for i in range(len(texts))],
            "source": ["s"] * len(texts),
            "text": texts,
            "sections": pl.Series([(sections or {}).get(i, []) for i in range(len(texts))], dtype=SECTIONS),
            "n_chars": pl.Series([len(text) for text in texts], dtype=pl.Int32),
            "n_words": pl.Series([0] * len(texts), dtype=pl.Int32),
            "n_sentences": pl.Series([0] * len(texts), dtype=pl.Int32),
            "text_sha256": [hashlib.sha256(text.encode()).hexdigest() for text in texts],
        }
    )
    return made.with_columns(fingerprints(list(texts)))


def parts(table: pl.DataFrame, size: int = 2) -> list[Part]:
    return [table[i : i + size].select for i in range(0, table.height, size)]


def trimmed(table: pl.DataFrame, config: RepeatedConfig = TWO) -> tuple[pl.DataFrame, pl.DataFrame]:
    return trim(table, repeated_lines(parts(table), config=DedupConfig(repeated=config)), config)


def pages(line: str, count: int = 4) -> list[str]:
    return [f"{RIVERS[i]}\n\n{line}\n\n{RIVERS[i + 10]}" for i in range(count)]


def test_line_in_more_documents_than_allowed_is_taken_out() -> None:
    kept, rejected = trimmed(frame(*pages(NOTICE)))
    assert rejected.height == 0
    assert kept["text"].to_list() == [f"{RIVERS[i]}\n\n{RIVERS[i + 10]}" for i in range(4)]
    assert kept["lost_lines"].to_list() == [1] * 4
    assert kept["lost_chars"].to_list() == [len(NOTICE) + 2] * 4


@pytest.mark.parametrize("count", [1, 2])
def test_line_in_as_many_documents_as_allowed_stays(count: int) -> None:
    table = frame(*pages(NOTICE, count), *RIVERS[20:24])
    assert trimmed(table)[0]["text"].to_list() == table["text"].to_list()


def test_line_repeated_within_one_document_counts_once() -> None:
    table = frame("\n".join([NOTICE, RIVERS[0]] * 5), RIVERS[1])
    assert len(repeated_lines(parts(table), config=DedupConfig(repeated=TWO))) == 0


def test_short_line_stays() -> None:
    short = "Read on about the river"
    table = frame(*pages(short))
    assert trimmed(table)[0]["lost_lines"].to_list() == [0] * 4
    config = RepeatedConfig(max_documents=2, min_chars=20)
    assert trimmed(table, config)[0]["lost_lines"].to_list() == [1] * 4


def test_case_and_signs_of_a_line_do_not_count() -> None:
    table = frame(*pages(NOTICE, 2), *pages(f"* {NOTICE.upper()} *", 4)[2:])
    assert trimmed(table)[0]["lost_lines"].to_list() == [1] * 4


def test_paragraph_of_short_lines_is_taken_out_as_a_whole() -> None:
    kept, _ = trimmed(frame(*pages(MENU), f"About us\n{RIVERS[30]}"))
    assert kept["lost_lines"].to_list() == [4, 4, 4, 4, 0]
    assert kept["text"][0] == f"{RIVERS[0]}\n\n{RIVERS[10]}"


def test_nothing_is_counted_where_the_option_is_off() -> None:
    assert len(repeated_lines([], config=DedupConfig())) == 0
    table = frame(*pages(NOTICE))
    assert find_duplicates(parts(table)).height == 0
    assert apply(table, find_duplicates(parts(table))).corpus["text"].to_list() == table["text"].to_list()


def test_a_document_that_loses_no_line_stays_also_without_a_word() -> None:
    kept, rejected = trimmed(frame(*pages(NOTICE), "* * *"))
    assert (kept.height, rejected.height) == (5, 0)


def test_a_document_that_loses_as_much_as_it_may_stays() -> None:
    half = f"{NOTICE}\n{'x' * (len(NOTICE) + 1)}"  # the line and its end are half of it
    table = frame(half, *pages(NOTICE, 3))
    kept, _ = trimmed(table, RepeatedConfig(max_documents=2, max_share=0.5))
    assert kept["lost_chars"][0] / table["n_chars"][0] == 0.5
    kept, rejected = trimmed(table, RepeatedConfig(max_documents=2, max_share=0.49))
    assert rejected["doc_id"].to_list() == ["s:0"]


def test_sections_move_with_the_text() -> None:
    text = f"{RIVERS[0]}\n{NOTICE}\nHistory\n{NOTICE}\n{RIVERS[1]}\nEnd\n{RIVERS[2]}\n{NOTICE}"
    starts = [0, text.index("History"), text.index("End"), len(text)]
    sections = [
        {"level": min(i, 1), "title": title, "start": starts[i], "end": starts[i + 1]}
        for i, title in enumerate(["", "History", "End"])
    ]
    kept, _ = trimmed(frame(text, *pages(NOTICE, 3), sections={0: sections}))
    moved = [(s["title"], kept["text"][0][s["start"] : s["end"]].strip()) for s in kept["sections"][0]]
    assert moved == [("", RIVERS[0]), ("History", f"History\n{RIVERS[1]}"), ("End", f"End\n{RIVERS[2]}")]
    assert kept["lost_lines"][0] == 3


def test_title_of_a_section_stays() -> None:
    title = "Results of the men and of the women in the Olympic finals"
    texts = [f"{RIVERS[i]}\n{title}\n{RIVERS[i + 10]}" for i in range(4)]
    section = {"level": 1, "title": title, "start": len(RIVERS[0]) + 1, "end": len(texts[0])}
    kept, _ = trimmed(frame(*texts, sections={0: [section]}))
    assert kept["lost_lines"].to_list() == [0, 1, 1, 1]


def test_document_of_little_else_is_rejected_with_its_figures() -> None:
    table = frame(*pages(NOTICE, 3), f"{NOTICE}\nShort tail.", NOTICE)
    most = RepeatedConfig(max_documents=2, max_share=0.6)
    config = DedupConfig(repeated=most)
    lines = repeated_lines(parts(table), config=config)
    made = apply(table, find_duplicates(parts(table), config=config), repeated=lines, config=most)
    assert made.corpus["doc_id"].to_list() == ["s:0", "s:1", "s:2"]
    assert made.rejects.select("doc_id", "reason", "detail").rows() == [
        ("s:3", "mostly_repeated_lines", "repeated lines (1) are 0.85 of the text, above 0.6"),
        ("s:4", "mostly_repeated_lines", "repeated lines (1) are 1.0 of the text, above 0.6"),
    ]
    assert made.facts == {"documents": 3, "lines": 3, "chars": 3 * (len(NOTICE) + 2)}
    conform(made.rejects, CONTRACTS["rejects"])


def test_share_of_zero_rejects_every_document_with_such_a_line() -> None:
    table = frame(*pages(NOTICE), RIVERS[30])
    kept, rejected = trimmed(table, RepeatedConfig(max_documents=2, max_share=0.0))
    assert (kept["doc_id"].to_list(), rejected.height) == (["s:4"], 4)


def test_figures_are_those_of_the_text_as_it_is() -> None:
    table = frame(*pages(NOTICE))
    lines = repeated_lines(parts(table), config=DedupConfig(repeated=TWO))
    corpus = apply(table, find_duplicates(parts(table)), repeated=lines, config=TWO).corpus
    text = pl.col("text")
    assert corpus["n_chars"].to_list() == corpus["text"].str.len_chars().to_list()
    assert corpus.select((word_count(text) == pl.col("n_words")).all()).item()
    assert corpus.select((sentence_count(text) == pl.col("n_sentences")).all()).item()
    assert corpus["text_sha256"][0] == hashlib.sha256(corpus["text"][0].encode()).hexdigest()


def test_texts_that_become_equal_are_duplicates() -> None:
    """The corpus promises that no text stands in it twice, so duplicates are sought without repeated lines."""
    other = "All rights to these pages are with the newspaper of the town."
    texts = [*pages(NOTICE, 4), *pages(other, 4), f"{RIVERS[0]}\n\n{RIVERS[10]}"]
    config = DedupConfig(repeated=RepeatedConfig(max_documents=3))
    found = find_duplicates(parts(frame(*texts)), config=config)
    wanted = [("s:4", "s:0"), ("s:5", "s:1"), ("s:6", "s:2"), ("s:7", "s:3"), ("s:8", "s:0")]
    assert [row[:2] for row in found.iter_rows()] == wanted
    assert (found["similarity"] == 1).all()


def test_document_copied_often_keeps_one_copy() -> None:
    article = f"{RIVERS[0]}\n\n{RIVERS[1]}"
    table = frame(article, article, article.upper(), f"{article} Ever.", RIVERS[3])
    found = find_duplicates(parts(table), config=DedupConfig(repeated=TWO, threshold=0.7))
    assert set(found["kept_doc_id"]) == {"s:0"}
    assert len(repeated_lines(parts(table), config=DedupConfig(repeated=TWO, threshold=0.7))) == 0


def test_document_that_is_rejected_is_kept_for_no_other() -> None:
    tails = ["Short tail.", "Long tail.", "No tail."]
    table = frame(*(f"{NOTICE}\n{tail}" for tail in tails), *pages(NOTICE, 3), f"No tail.\n{RIVERS[30]}")
    config = DedupConfig(repeated=TWO, threshold=0.9)
    found = find_duplicates(parts(table), config=config)
    made = apply(table, found, repeated=repeated_lines(parts(table), config=config), config=TWO)
    assert found.height == 0
    assert made.rejects["doc_id"].to_list() == ["s:0", "s:1", "s:2"]
    assert set(made.rejects["reason"]) == {"mostly_repeated_lines"}


def test_lines_of_a_part_are_those_that_stand_in_it() -> None:
    table = frame(*pages(NOTICE), *[f"{MENU}\n\n{RIVERS[i]}" for i in range(20, 24)])
    lines = repeated_lines(parts(table), config=DedupConfig(repeated=TWO))
    first, second = (of_part(table["line_hashes"][i : i + 4], lines) for i in (0, 4))
    assert (len(first), len(second), len(lines)) == (1, 1, 2)
    assert sorted([*first, *second]) == sorted(lines)
    assert has_repeated(table["line_hashes"], first).to_list() == [True] * 4 + [False] * 4
    assert not has_repeated(table["line_hashes"], np.empty(0, dtype=np.uint64)).any()


LINE = st.sampled_from([NOTICE, MENU, "", "x", " ", "½ of ﬁne", *RIVERS[:3]])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(LINE, min_size=1, max_size=6).map("\n".join), min_size=1, max_size=8), st.integers(1, 3))
def test_every_document_is_kept_or_rejected(texts: list[str], most: int) -> None:
    table = frame(*texts)
    config = RepeatedConfig(max_documents=most)
    options = DedupConfig(repeated=config)
    lines = repeated_lines(parts(table), config=options)
    found = find_duplicates(parts(table), config=options)
    made = apply(table, found, repeated=lines, config=config)
    assert sorted([*made.corpus["doc_id"], *made.rejects["doc_id"]]) == sorted(table["doc_id"])
    assert made.corpus["text_sha256"].is_unique().all()
    assert set(found["kept_doc_id"]) <= set(made.corpus["doc_id"])
    for line in "\n".join(made.corpus["text"]).split("\n"):
        assert line == "" or any(line.strip() in whole for whole in texts)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"max_documents": -1}, "max_documents"), ({"min_chars": 5}, "min_chars"), ({"max_share": 2}, "max_share")],
)
def test_options_out_of_range_are_an_error(options: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RepeatedConfig(**options)  # type: ignore[arg-type]
